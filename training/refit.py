"""Prepares the final training of a chosen recipe, which also learns from the validation clips.

No clips are left for validation. So the training runs to its last epoch, and takes temperature and threshold from the
validated run. Source: Goodfellow et al. 2016, "Deep Learning", section 7.8, the first of two ways to use all
data.
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


def prepare_refit(recipe: Recipe, contract: ModelContract, clips: Sequence[Clip]) -> tuple[ModelContract, list[Clip]]:
    """Return the contract with temperature and threshold of the run `recipe.refit`, and the clips.

    In these clips, part `train` includes the clips of part `val`. Raises UnreadableRun. Raises TrainingError if that
    run has another recipe, other labels or other clips, or if validation can stop it.
    """
    if recipe.patience is not None or recipe.schedule == "plateau":
        raise TrainingError(
            "--refit trains to the last epoch without validation clips: give both runs --patience 0 and a preset "
            "without a plateau"
        )
    run = RunFolder(Path(str(recipe.refit)))
    run.require(run.model, run.contract, run.recipe, run.split)
    chosen, theirs, ours = run.read_contract(), run.read_recipe(), asdict(replace(recipe, refit=None))
    if differing := [name for name, value in ours.items() if theirs[name] != value]:
        raise TrainingError(
            f"--refit needs a run of the same recipe: {run.path} has another {', '.join(differing)}; give the same "
            "options as for that run"
        )
    if run.split.read_text() != run.split_table(clips):
        raise TrainingError(
            f"--refit needs a run of the same clips with the same split: {run.path} has others; give the same "
            "options as to that run"
        )
    calibrated = replace(contract, temperature=chosen.temperature, unknown_threshold=chosen.unknown_threshold)
    if calibrated != replace(chosen, name=contract.name, view=contract.view):
        raise TrainingError(f"--refit needs a run of the same labels: {run.path} has another background")
    return calibrated, [replace(clip, part="train") if clip.part == "val" else clip for clip in clips]
