"""`harstream train`."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from harstream.clips.listing import (
    Clip,
    ListingError,
    as_background,
    find_clips,
    split_at_random,
    split_by_files,
    split_by_group,
    split_in_folds,
)
from harstream.models.architectures import CannotBuild, UnknownArchitecture, known
from harstream.models.contract import ContractError, ModelContract
from harstream.models.finished_run import UnreadableRun
from harstream.models.keras_import import import_keras
from harstream.training.errors import TrainingError
from harstream.training.recipes import PRESETS, Recipe
from harstream.training.targets import Targets

if TYPE_CHECKING:
    import keras

    from harstream.training.cache import DecodedClip, Rejected

BACKGROUND = "background"
"""The label of clips given with --background, and of a class folder of that name: none of the activities."""

app = typer.Typer()


class SamplingOption(StrEnum):
    RATE = "rate"
    EVEN = "even"


class AugmentationOption(StrEnum):
    NONE = "none"
    MILD = "mild"
    STRONG = "strong"


class SplitWay(StrEnum):
    GROUP = "group"
    RANDOM = "random"


@app.command()
def train(
    data: Annotated[list[Path], typer.Option(help="A folder of class folders with clips; may be given several times.")],
    out: Annotated[Path, typer.Option(help="The run folder to write; an interrupted run in it is resumed.")],
    split: Annotated[
        list[str] | None, typer.Option(help="A split file (.tsv; may be given several times), or `group` or `random`.")
    ] = None,
    fold: Annotated[
        str | None, typer.Option(help="2/5: of five folds over the clusters outside `test`, validate on the second.")
    ] = None,
    background: Annotated[
        list[Path] | None, typer.Option(help="A folder of class folders that are none of the activities.")
    ] = None,
    background_class: Annotated[
        list[str] | None, typer.Option(help="A class folder of --data that is none of the activities, such as noFight.")
    ] = None,
    preset: Annotated[
        str, typer.Option(help="live, even (whole clips), or a paper's: rana, jeevakumari, hamzah, dheeraj.")
    ] = "live",
    arch: Annotated[str | None, typer.Option(help="A file name in models/architectures.")] = None,
    classes: Annotated[str | None, typer.Option(help="Only these class folders, separated by commas.")] = None,
    sampling: Annotated[SamplingOption | None, typer.Option(help="At a rate, or evenly over the clip.")] = None,
    rate: Annotated[float | None, typer.Option(help="Frames a second, in hertz.")] = None,
    frames: Annotated[int | None, typer.Option(min=2, help="Frames of a window.")] = None,
    size: Annotated[int | None, typer.Option(min=8, help="Height and width of a frame, in pixels.")] = None,
    weights: Annotated[
        str | None, typer.Option(help="Of a backbone, as mobilenet_gru has: imagenet, none, or a file of them.")
    ] = None,
    start_from: Annotated[
        Path | None, typer.Option(help="A finished run, or its model.keras: begin with its layers, where they fit.")
    ] = None,
    refit: Annotated[
        Path | None,
        typer.Option(
            help="A finished run of the same options: learn from its validation clips, too; temperature and threshold "
            "are its own."
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1)] = None,
    batch: Annotated[int | None, typer.Option(min=1)] = None,
    windows_per_clip: Annotated[int | None, typer.Option(min=1)] = None,
    patience: Annotated[
        int | None, typer.Option(min=0, help="Epochs without a lower validation loss before training stops; 0: never.")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(min=0)] = None,
    weight_decay: Annotated[float | None, typer.Option(min=0)] = None,
    averaged: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of the run over which weights are averaged; 0: not.")
    ] = None,
    fine_background: Annotated[
        bool | None, typer.Option(help="Learn each class folder of --background as a class; they are told as one.")
    ] = None,
    augmentation: Annotated[
        AugmentationOption | None, typer.Option(help="Strong for models of whole pictures.")
    ] = None,
    seed: Annotated[int | None, typer.Option()] = None,
    cache: Annotated[Path, typer.Option(help="Where decoded clips are kept.")] = Path("cache"),
) -> None:
    """Train an architecture on a folder of clips."""
    console = Console(stderr=True, soft_wrap=True)
    if preset not in PRESETS:
        raise typer.BadParameter(f"no preset {preset!r}; there are {', '.join(PRESETS)}", param_hint="--preset")
    way = split[0] if split and split[0] in tuple(SplitWay) else None
    asked = {
        "arch": arch, "sampling": sampling and sampling.value, "rate": rate, "epochs": epochs, "batch": batch,
        "windows_per_clip": windows_per_clip, "learning_rate": learning_rate, "seed": seed, "split": way,
        "frames": frames, "augmentation": augmentation and augmentation.value, "size": size,
        "weights": None if weights == "none" else weights, "start_from": start_from and str(start_from),
        "weight_decay": weight_decay, "averaged": averaged, "fine_background": fine_background,
        "refit": refit and str(refit),
    }  # fmt: skip
    recipe = replace(PRESETS[preset], **{key: value for key, value in asked.items() if value is not None})  # type: ignore[arg-type]
    recipe = recipe if patience is None else replace(recipe, patience=patience or None)
    try:
        known(recipe.arch)
        clips = _listed(data, background or [], classes, recipe)
        _require(background_class or [], clips)
        clips = _parted(clips, [] if way else [Path(file) for file in split or []], recipe)
        clips = _folded(clips, fold, recipe) if fold else clips
        contract = _contract(out.name, recipe, clips, {BACKGROUND, *(background_class or [])})
        _train(recipe, contract, clips, out, cache, console)
    except (ListingError, ContractError, UnknownArchitecture, CannotBuild, TrainingError, UnreadableRun) as error:
        console.print(f"harstream train: {error}", style="red", markup=False)
        raise typer.Exit(2) from None
    except OSError as error:
        console.print(
            f"harstream train: a file cannot be read or written: {_reason(error)}; when it can, the same command "
            f"goes on after the last whole epoch of {out}",
            style="red",
            markup=False,
        )
        raise typer.Exit(2) from None


@app.command()
def combine(
    runs: Annotated[list[Path], typer.Argument(help="Finished runs of `harstream train`, at least two.")],
    out: Annotated[Path, typer.Option(help="The run folder to write, which `harstream export` reads as any other.")],
) -> None:
    """Make one model of several trained runs: the mean of what they tell."""
    console = Console(stderr=True, soft_wrap=True)
    import_keras()
    from harstream.training.ensemble import combine
    from harstream.training.run_folder import RunFolder

    run = RunFolder(out)
    try:
        contract = combine(runs, run)
    except (TrainingError, UnreadableRun) as error:
        console.print(f"harstream combine: {error}", style="red", markup=False)
        raise typer.Exit(2) from None
    except OSError as error:
        console.print(f"harstream combine: {out} cannot be written: {_reason(error)}", style="red", markup=False)
        raise typer.Exit(2) from None
    console.print(f"{len(runs)} runs, threshold {contract.unknown_threshold:g}: {run.model}", markup=False)


def _reason(error: OSError) -> str:
    """In the words of the operating system where it has any: HDF5 has more."""
    return os.strerror(error.errno) if error.errno else str(error)


def _train(
    recipe: Recipe,
    contract: ModelContract,
    clips: list[Clip],
    out: Path,
    cache: Path,
    console: Console,
) -> None:
    backend = import_keras()
    from harstream.training.refit import refitted
    from harstream.training.run_folder import RunFolder
    from harstream.training.train import classes_without_validation, require_training_clips, train

    targets = Targets.of(clips, contract)
    if recipe.refit is not None:
        contract, clips = refitted(recipe, contract, clips)
    model = _starting_model(
        recipe, contract, len(targets.classes), console
    )  # what cannot begin says so before an hour of decoding
    decoded, rejected = _decoded(clips, contract, cache, console)
    usable = [clip.clip for clip in decoded]
    require_training_clips(usable, targets)
    if recipe.refit is None and (unseen := classes_without_validation(usable, targets)):
        console.print(
            f"no validation clip is left for {', '.join(unseen)}: how well they are recognized has no part in the "
            "choice of the best epoch",
            style="yellow",
            markup=False,
        )
    run = RunFolder(out)
    run.begin(recipe, clips, rejected)
    console.print(f"training with {backend}")
    outcome = train(recipe, contract, targets, model, decoded, run)
    if outcome.diverged is not None:
        console.print(
            f"{outcome.diverged}; the best epoch before it is kept. A --learning-rate below {recipe.learning_rate:g} "
            "may get further, with another --out",
            style="yellow",
            markup=False,
        )
    if outcome.loss >= math.log(len(targets.classes)):  # the cross-entropy of scores that are all the same
        console.print("no epoch was better than guessing: do not use this model", style="yellow")
    which, of_what = ("best", "validation") if recipe.refit is None else ("last", "training")
    console.print(f"{which} epoch {outcome.best_epoch + 1}, {of_what} loss {outcome.loss:.4f}: {run.model}")


def _starting_model(recipe: Recipe, contract: ModelContract, classes: int, console: Console) -> keras.Model:
    from harstream.training.initial_weights import starting_model, take_layers

    model = starting_model(recipe, contract, classes)
    if recipe.start_from is not None:
        start = take_layers(model, contract, Path(recipe.start_from))
        total = len(start.taken) + len(start.anew)
        anew = f"; anew: {', '.join(start.anew)}" if start.anew else ""
        console.print(f"{len(start.taken)} of {total} layers taken from {start.file}{anew}", markup=False)
    return model


def _decoded(
    clips: list[Clip], contract: ModelContract, cache: Path, console: Console
) -> tuple[list[DecodedClip], list[Rejected]]:
    from harstream.training.cache import decode_all

    wanted = [clip for clip in clips if clip.part != "test"]
    decoded, rejected = decode_all(wanted, contract, cache)
    for bad in rejected:
        console.print(f"left out {bad.clip.path}: {bad.reason}", style="yellow", markup=False)
    if rejected:
        console.print(f"{len(rejected)} of {len(wanted)} clips left out", style="yellow")
    return decoded, rejected


def _contract(name: str, recipe: Recipe, clips: list[Clip], background: set[str]) -> ModelContract:
    """Of a model not yet trained: temperature and threshold come later. `background` may name more than there is."""
    found = {clip.label for clip in clips}
    nobody = tuple(sorted(found & background))
    return ModelContract(
        name=name,
        version="1.0.0",
        labels=(*sorted(found - background), *nobody),
        background=nobody,
        frames=recipe.frames,
        height=recipe.size,
        width=recipe.size,
        rate=recipe.rate if recipe.sampling == "rate" else None,
    )


def _listed(data: list[Path], background: list[Path], classes: str | None, recipe: Recipe) -> list[Clip]:
    clips = [clip for folder in data for clip in find_clips(folder)]
    if classes:
        wanted = set(classes.split(","))
        missing = wanted - {clip.label for clip in clips}
        if missing:
            raise ListingError(f"no class folder for {', '.join(sorted(missing))} in {', '.join(map(str, data))}")
        clips = [clip for clip in clips if clip.label in wanted]
    for folder in background:
        clips += as_background(find_clips(folder), BACKGROUND)
    return clips if recipe.fine_background else [replace(clip, fine_label="") for clip in clips]


def _require(labels: list[str], clips: list[Clip]) -> None:
    missing = set(labels) - {clip.label for clip in clips}
    if missing:
        raise ListingError(f"no class folder for --background-class {', '.join(sorted(missing))}")


def _parted(clips: list[Clip], split_files: list[Path], recipe: Recipe) -> list[Clip]:
    if split_files:
        return split_by_files(clips, split_files)
    return split_at_random(clips, recipe.seed) if recipe.split == "random" else split_by_group(clips, recipe.seed)


def _folded(clips: list[Clip], fold: str, recipe: Recipe) -> list[Clip]:
    held, _, folds = fold.partition("/")
    if not (held.isdecimal() and folds.isdecimal() and 1 <= int(held) <= int(folds) and int(folds) >= 2):
        raise ListingError(f"--fold is a number of folds and which of them validates, such as 2/5; got {fold!r}")
    return split_in_folds(clips, int(held), int(folds), recipe.seed)
