"""Selects the clips for training, and assigns each clip to a part of the split."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, get_args

from typer import Option

from harstream.clips.listing import (
    Clip,
    ListingError,
    as_background,
    find_clips,
    split_at_random,
    split_by_group,
    split_in_folds,
    split_off_group,
)
from harstream.clips.split_files import absences, split_by_files
from harstream.training.recipes import Recipe, Split

BACKGROUND = "background"
"""The label of clips in --background and in a class folder of this name. It means "none of the activities"."""
GROUP = re.compile(r"g\d+")
"""The name of a group in UCF50 and UCF101."""


@dataclass(frozen=True)
class ClipSelection:
    """The options of `harstream train` that select clips."""

    data: Annotated[
        tuple[Path, ...], Option(help="A folder of class folders with clips. It may be given several times.")
    ]
    split: Annotated[
        tuple[str, ...],
        Option(
            help="A split file (.tsv, or an official one of UCF101, HMDB51 or Kinetics; may be given several times), "
            "`group`, `random`, or the group to test on, such as `g08`."
        ),
    ] = ()
    fold: Annotated[
        str,
        Option(help="2/5 divides the clusters outside `test` into five folds and validates on the second."),
    ] = ""
    background: Annotated[tuple[Path, ...], Option(help="A folder of class folders without activities.")] = ()
    background_class: Annotated[
        tuple[str, ...], Option(help="A class folder of --data without activities, such as noFight.")
    ] = ()
    classes: Annotated[str, Option(help="Only these class folders, separated by commas.")] = ""

    @property
    def rule(self) -> str | None:
        """The rule of the split, one of Split. None if files define the split or no split is given."""
        return self.split[0] if self.split and self.split[0] in get_args(Split) else None

    @property
    def split_files(self) -> list[Path]:
        return [Path(file) for file in self.split if self.rule is None and not GROUP.fullmatch(file)]

    @property
    def background_labels(self) -> set[str]:
        """The possible labels of background. The clips may have fewer."""
        return {BACKGROUND, *self.background_class}


def select_clips(selection: ClipSelection, recipe: Recipe) -> list[Clip]:
    """List the clips, each with its part of the split. Raises ListingError."""
    clips = _listed(selection)
    if missing := set(selection.background_class) - {clip.label for clip in clips}:
        raise ListingError(f"no class folder for --background-class {', '.join(sorted(missing))}")
    if not recipe.fine_background:
        clips = [replace(clip, fine_label="") for clip in clips]
    clips = _split(clips, selection, recipe)
    return _split_in_folds(clips, selection.fold, recipe.seed) if selection.fold else clips


def absent_clips(selection: ClipSelection) -> list[str]:
    """Return a sentence for each kind of clip that only the official split names, or only the folders hold."""
    folders = (*selection.data, *selection.background)
    return absences([clip for folder in folders for clip in find_clips(folder)], selection.split_files)


def _listed(selection: ClipSelection) -> list[Clip]:
    clips = [clip for folder in selection.data for clip in find_clips(folder)]
    if selection.classes:
        wanted = set(selection.classes.split(","))
        if missing := wanted - {clip.label for clip in clips}:
            folders = ", ".join(map(str, selection.data))
            raise ListingError(f"no class folder for {', '.join(sorted(missing))} in {folders}")
        clips = [clip for clip in clips if clip.label in wanted]
    for folder in selection.background:
        clips += as_background(find_clips(folder), BACKGROUND)
    return clips


def _split(clips: Sequence[Clip], selection: ClipSelection, recipe: Recipe) -> list[Clip]:
    if len(selection.split) == 1 and GROUP.fullmatch(selection.split[0]):
        return split_off_group(clips, selection.split[0], recipe.seed)
    if selection.split and selection.rule is None:
        return split_by_files(clips, selection.split_files, recipe.seed)
    return split_at_random(clips, recipe.seed) if recipe.split == "random" else split_by_group(clips, recipe.seed)


def _split_in_folds(clips: Sequence[Clip], fold: str, seed: int) -> list[Clip]:
    held, _, folds = fold.partition("/")
    if not (held.isdecimal() and folds.isdecimal() and 1 <= int(held) <= int(folds) and int(folds) >= 2):
        raise ListingError(f"--fold must be the fold for validation and the number of folds, such as 2/5; got {fold!r}")
    return split_in_folds(clips, int(held), int(folds), seed)
