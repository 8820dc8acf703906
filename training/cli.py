"""The commands `harstream train` and `harstream combine`."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from harstream.clips.listing import Clip, ListingError, overlooked
from harstream.command_line.errors import fail
from harstream.command_line.options import with_options
from harstream.models.architectures import CannotBuild, UnknownArchitecture, module_name
from harstream.models.contract import ContractError, ModelContract
from harstream.models.finished_run import UnreadableRun
from harstream.models.keras_import import import_keras
from harstream.training.clip_selection import ClipSelection, absent_clips, select_clips
from harstream.training.errors import TrainingError
from harstream.training.learned_classes import STILL, LearnedClasses
from harstream.training.recipes import PRESETS, Recipe

if TYPE_CHECKING:
    import keras

    from harstream.training.cache import DecodedClip
    from harstream.training.run_folder import RunFolder
    from harstream.training.train import Outcome

app = typer.Typer()


@app.command()
@with_options(clips=ClipSelection, recipe=Recipe)
def train(
    out: Annotated[Path, typer.Option(help="The run folder to write; an interrupted run in it is resumed.")],
    preset: Annotated[
        str,
        typer.Option(
            help="The recipe that the options below change: live, even (whole clips), or a paper's: rana, jeevakumari, "
            "hamzah, dheeraj."
        ),
    ] = "live",
    cache: Annotated[Path, typer.Option(help="The folder for decoded clips.")] = Path("cache"),
    *,
    clips: Mapping[str, Any],
    recipe: Mapping[str, Any],
) -> None:
    """Train an architecture on a folder of clips. An option that is left out has the preset's value."""
    if preset not in PRESETS:
        raise typer.BadParameter(f"no preset {preset!r}; there are {', '.join(PRESETS)}", param_hint="--preset")
    selection, made = ClipSelection(**clips), replace(PRESETS[preset], **recipe)
    if selection.rule is not None:
        made = replace(made, split=selection.rule)  # type: ignore[arg-type]
    try:
        module_name(made.arch)  # reports an unknown name before the clips are listed
        chosen = select_clips(selection, made)
        for folder in (*selection.data, *selection.background):
            for sentence in overlooked(folder):
                _say(sentence)
        for sentence in absent_clips(selection):
            _say(sentence)
        contract = _contract(out.name, made, chosen, selection.background_labels)
        _train(made, contract, chosen, out, cache)
    except (ListingError, ContractError, UnknownArchitecture, CannotBuild, TrainingError, UnreadableRun) as error:
        fail("train", error)
    except OSError as error:
        fail(
            "train",
            f"cannot read or write a file: {_reason(error)}. After this is solved, the same command resumes after the "
            f"last whole epoch in {out}",
        )


@app.command()
def combine(
    runs: Annotated[list[Path], typer.Argument(help="Finished runs of `harstream train`, at least two.")],
    out: Annotated[Path, typer.Option(help="The run folder to write; `harstream export` reads it like any other.")],
) -> None:
    """Combine several trained runs into one model, which averages their scores."""
    import_keras()
    from harstream.training.ensemble import combine
    from harstream.training.run_folder import RunFolder

    run = RunFolder(out)
    try:
        contract = combine(runs, run)
    except (TrainingError, UnreadableRun) as error:
        fail("combine", error)
    except OSError as error:
        fail("combine", f"cannot write {out}: {_reason(error)}")
    _say(f"{len(runs)} runs, threshold {contract.unknown_threshold:g}: {run.model}")


def _reason(error: OSError) -> str:
    """Return the operating system's message if there is one, because HDF5's message is long."""
    return os.strerror(error.errno) if error.errno else str(error)


def _contract(name: str, recipe: Recipe, clips: list[Clip], background: set[str]) -> ModelContract:
    """Return the contract of an untrained model. Temperature and threshold follow after training."""
    found = {clip.label for clip in clips}
    no_activity = tuple(sorted(found & background))
    return ModelContract(
        name=name,
        version="1.0.0",
        labels=(*sorted(found - background), *no_activity),
        background=no_activity,
        frames=recipe.frames,
        height=recipe.size,
        width=recipe.size,
        rate=recipe.rate if recipe.sampling == "rate" else None,
        view=recipe.view,
    )


def _train(recipe: Recipe, contract: ModelContract, clips: list[Clip], out: Path, cache: Path) -> None:
    backend = import_keras()
    from harstream.training.refit import prepare_refit
    from harstream.training.run_folder import RunFolder
    from harstream.training.train import train

    targets = LearnedClasses.of(clips, contract, _still_class(recipe, contract))
    if recipe.refit is not None:
        contract, clips = prepare_refit(recipe, contract, clips)
    # Build the model first, because decoding may take an hour.
    model = _starting_model(recipe, contract, len(targets.classes))
    run = RunFolder(out)
    decoded = _decoded(recipe, contract, clips, targets, run, cache)
    _measure_statistics_of_export(recipe, contract, targets, model, decoded)
    _say(f"training with {backend}")
    _report(recipe, targets, train(recipe, contract, targets, model, decoded, run), run.model)


def _still_class(recipe: Recipe, contract: ModelContract) -> tuple[str, str] | None:
    """Return label and fine label of still pictures, which `views` makes for models with a background."""
    if recipe.augmentation != "views" or not contract.background:
        return None
    return contract.background[0], STILL if recipe.fine_background else ""


def _stored(recipe: Recipe, contract: ModelContract) -> ModelContract:
    """Return the contract with the size in which frames are stored. A box around a person needs more pixels."""
    from harstream.training.augmentation.presets import AUGMENTATIONS
    from harstream.training.augmentation.views import Views

    how = AUGMENTATIONS[recipe.augmentation]
    factor = how.stored if isinstance(how, Views) else 1.0
    return replace(contract, height=round(factor * contract.height), width=round(factor * contract.width))


def _starting_model(recipe: Recipe, contract: ModelContract, classes: int) -> keras.Model:
    from harstream.training.initial_weights import build_initial_model, copy_matching_layers

    model = build_initial_model(recipe, contract, classes)
    if recipe.start_from is not None:
        start = copy_matching_layers(model, contract, Path(recipe.start_from))
        total = len(start.copied) + len(start.new)
        new = f"; new: {', '.join(start.new)}" if start.new else ""
        _say(f"{len(start.copied)} of {total} layers taken from {start.file}{new}")
    return model


def _measure_statistics_of_export(
    recipe: Recipe, contract: ModelContract, targets: LearnedClasses, model: keras.Model, clips: list[DecodedClip]
) -> None:
    from harstream.training.exported_weights import measure_statistics
    from harstream.training.initial_weights import exported_model
    from harstream.training.train import KEPT_WINDOWS
    from harstream.training.windows import stacked

    if recipe.start_from is not None and exported_model(Path(recipe.start_from)):
        learned = [clip for clip in clips if clip.clip.part == "train"]
        every = max(len(learned) // KEPT_WINDOWS, 1)
        measure_statistics(model, stacked(learned[::every], contract, targets, 1)[0])


def _decoded(
    recipe: Recipe, contract: ModelContract, clips: list[Clip], targets: LearnedClasses, run: RunFolder, cache: Path
) -> list[DecodedClip]:
    """Decode the clips for training and validation, and create the run folder."""
    from harstream.training.cache import decode_all
    from harstream.training.train import classes_without_validation, require_training_clips

    learned = [clip for clip in clips if clip.part == "train"]
    validated = [clip for clip in clips if clip.part == "val"]
    wanted = [*learned, *validated]
    decoded, rejected = decode_all(learned, _stored(recipe, contract), cache)
    also_decoded, also_rejected = decode_all(validated, contract, cache)
    decoded, rejected = [*decoded, *also_decoded], [*rejected, *also_rejected]
    for bad in rejected:
        _warn(f"left out {bad.clip.path}: {bad.reason}")
    if rejected:
        _warn(f"{len(rejected)} of {len(wanted)} clips left out")
    usable = [clip.clip for clip in decoded]
    require_training_clips(usable, targets)
    if recipe.refit is None and (unseen := classes_without_validation(usable, targets)):
        _warn(f"no validation clip is left for {', '.join(unseen)}: these classes have no influence on the best epoch")
    run.begin(recipe, clips, rejected)
    return decoded


def _report(recipe: Recipe, targets: LearnedClasses, outcome: Outcome, model: Path) -> None:
    if outcome.diverged is not None:
        _warn(
            f"{outcome.diverged}; the best epoch before it is kept. Try a --learning-rate below "
            f"{recipe.learning_rate:g} with another --out"
        )
    if outcome.loss >= math.log(len(targets.classes)):  # the cross-entropy of equal scores
        _warn("no epoch was better than guessing: do not use this model")
    epoch, part = ("best", "validation") if recipe.refit is None else ("last", "training")
    _say(f"{epoch} epoch {outcome.best_epoch + 1}, {part} loss {outcome.loss:.4f}: {model}")


def _say(text: str, style: str | None = None) -> None:
    Console(stderr=True, soft_wrap=True).print(text, style=style, markup=False)


def _warn(text: str) -> None:
    _say(text, style="yellow")
