"""`harstream train`."""

from __future__ import annotations

import os
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from clips.listing import (
    Clip,
    ListingError,
    as_background,
    find_clips,
    split_at_random,
    split_by_file,
    split_by_group,
    split_in_folds,
)
from models.architectures import UnknownArchitecture, known
from models.contract import ContractError, ModelContract
from training.errors import TrainingError
from training.recipes import PRESETS, Recipe

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
    preset: Annotated[str, typer.Option(help="live, or a paper's: rana, jeevakumari, hamzah, dheeraj.")] = "live",
    arch: Annotated[str | None, typer.Option(help="A file name in models/architectures.")] = None,
    classes: Annotated[str | None, typer.Option(help="Only these class folders, separated by commas.")] = None,
    sampling: Annotated[SamplingOption | None, typer.Option(help="At a rate, or evenly over the clip.")] = None,
    rate: Annotated[float | None, typer.Option(help="Frames a second, in hertz.")] = None,
    frames: Annotated[int | None, typer.Option(min=2, help="Frames of a window.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1)] = None,
    batch: Annotated[int | None, typer.Option(min=1)] = None,
    windows_per_clip: Annotated[int | None, typer.Option(min=1)] = None,
    learning_rate: Annotated[float | None, typer.Option(min=0)] = None,
    augmentation: Annotated[
        AugmentationOption | None, typer.Option(help="Strong for models of whole pictures.")
    ] = None,
    seed: Annotated[int | None, typer.Option()] = None,
    cache: Annotated[Path, typer.Option(help="Where decoded clips are kept.")] = Path("cache"),
) -> None:
    """Train an architecture on a folder of clips."""
    console = Console(stderr=True)
    if preset not in PRESETS:
        raise typer.BadParameter(f"no preset {preset!r}; there are {', '.join(PRESETS)}", param_hint="--preset")
    way = split[0] if split and split[0] in tuple(SplitWay) else None
    asked = {
        "arch": arch, "sampling": sampling and sampling.value, "rate": rate, "epochs": epochs, "batch": batch,
        "windows_per_clip": windows_per_clip, "learning_rate": learning_rate, "seed": seed, "split": way,
        "frames": frames, "augmentation": augmentation and augmentation.value,
    }  # fmt: skip
    recipe = replace(PRESETS[preset], **{key: value for key, value in asked.items() if value is not None})  # type: ignore[arg-type]
    try:
        known(recipe.arch)
        clips = _listed(data, background or [], classes)
        _require(background_class or [], clips)
        clips = _parted(clips, [] if way else [Path(file) for file in split or []], recipe)
        clips = _folded(clips, fold, recipe) if fold else clips
        contract = _contract(out.name, recipe, clips, {BACKGROUND, *(background_class or [])})
        _train(recipe, contract, clips, out, cache, console)
    except (ListingError, ContractError, UnknownArchitecture, TrainingError) as error:
        console.print(f"harstream train: {error}", style="red", markup=False)
        raise typer.Exit(2) from None


def _train(
    recipe: Recipe, contract: ModelContract, clips: list[Clip], out: Path, cache: Path, console: Console
) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from training.cache import decode_all
    from training.run_folder import RunFolder
    from training.train import best_epoch, train

    wanted = [clip for clip in clips if clip.part != "test"]
    decoded, rejected = decode_all(wanted, contract, cache)
    for bad in rejected:
        console.print(f"left out {bad.clip.path}: {bad.reason}", style="yellow", markup=False)
    if rejected:
        console.print(f"{len(rejected)} of {len(wanted)} clips left out", style="yellow")
    run = RunFolder(out)
    run.begin(recipe, clips, rejected)
    train(recipe, contract, decoded, run)
    epoch, loss = best_epoch(run)
    console.print(f"best epoch {epoch + 1}, validation loss {loss:.4f}: {run.model}")


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


def _listed(data: list[Path], background: list[Path], classes: str | None) -> list[Clip]:
    clips = [clip for folder in data for clip in find_clips(folder)]
    if classes:
        wanted = set(classes.split(","))
        missing = wanted - {clip.label for clip in clips}
        if missing:
            raise ListingError(f"no class folder for {', '.join(sorted(missing))} in {', '.join(map(str, data))}")
        clips = [clip for clip in clips if clip.label in wanted]
    for folder in background:
        clips += as_background(find_clips(folder), BACKGROUND)
    return clips


def _require(labels: list[str], clips: list[Clip]) -> None:
    missing = set(labels) - {clip.label for clip in clips}
    if missing:
        raise ListingError(f"no class folder for --background-class {', '.join(sorted(missing))}")


def _parted(clips: list[Clip], split_files: list[Path], recipe: Recipe) -> list[Clip]:
    if split_files:
        return [clip for file in split_files for clip in split_by_file(clips, file)]
    return split_at_random(clips, recipe.seed) if recipe.split == "random" else split_by_group(clips, recipe.seed)


def _folded(clips: list[Clip], fold: str, recipe: Recipe) -> list[Clip]:
    held, _, folds = fold.partition("/")
    if not (held.isdecimal() and folds.isdecimal() and 1 <= int(held) <= int(folds) and int(folds) >= 2):
        raise ListingError(f"--fold is a number of folds and which of them validates, such as 2/5; got {fold!r}")
    return split_in_folds(clips, int(held), int(folds), recipe.seed)
