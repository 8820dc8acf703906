"""The last training of a recipe that has been chosen: on the clips that chose it, too.

Nothing is left then to validate on, so it goes on to the last epoch, and what validation chose is taken from the run
that was validated. Source: Goodfellow et al. 2016, "Deep Learning", section 7.8, the first of two ways to use all data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from harstream.clips.listing import Clip
from harstream.models.contract import ModelContract
from harstream.training.errors import TrainingError
from harstream.training.recipes import Recipe
from harstream.training.run_folder import RunFolder


def refitted(recipe: Recipe, contract: ModelContract, clips: Sequence[Clip]) -> tuple[ModelContract, list[Clip]]:
    """The contract with temperature and threshold of the run `recipe.refit`, and the clips with those of part `val` in
    part `train`.

    Raises UnreadableRun, and TrainingError where that run is not of the same recipe, labels and clips, or stopped by
    what validation said.
    """
    if recipe.patience is not None or recipe.schedule == "plateau":
        raise TrainingError(
            "--refit trains to the last epoch, and has no validation clips to stop by: give both runs --patience 0 and "
            "a preset without a plateau"
        )
    run = RunFolder(Path(str(recipe.refit)))
    run.require(run.model, run.contract, run.recipe, run.split)
    chosen, theirs, ours = run.read_contract(), run.read_recipe(), asdict(replace(recipe, refit=None))
    if differing := [name for name, value in ours.items() if theirs[name] != value]:
        raise TrainingError(
            f"--refit needs a run of the same recipe: {run.path} has another {', '.join(differing)}; give the same "
            "options as to that run"
        )
    if run.split.read_text() != run.split_table(clips):
        raise TrainingError(
            f"--refit needs a run of the same clips, split in the same way: {run.path} had others; give the same "
            "options as to that run"
        )
    calibrated = replace(contract, temperature=chosen.temperature, unknown_threshold=chosen.unknown_threshold)
    if calibrated != replace(chosen, name=contract.name):
        raise TrainingError(f"--refit needs a run of the same labels: {run.path} has another background")
    return calibrated, [replace(clip, part="train") if clip.part == "val" else clip for clip in clips]
