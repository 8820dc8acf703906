"""Selects the clips for an evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Option

from harstream.clips.listing import PARTS, Clip, ListingError, as_background, find_clips
from harstream.clips.split_files import split_by_file
from harstream.models.contract import ModelContract


@dataclass(frozen=True)
class ClipSelection:
    """The options of `harstream evaluate` that select clips."""

    data: Annotated[
        tuple[Path, ...], Option(help="A folder of class folders with clips. It may be given several times.")
    ] = ()
    background: Annotated[
        tuple[Path, ...],
        Option(
            help="A folder of class folders that are none of the activities; without --data, only false "
            "recognitions are measured."
        ),
    ] = ()
    split: Annotated[
        tuple[Path, ...],
        Option(help="A split file (.tsv or official, may be given several times). Without one, all clips are used."),
    ] = ()
    part: Annotated[str, Option(help="The part of the split: train, val or test. By default test.")] = "test"


def select_clips(selection: ClipSelection, contract: ModelContract) -> list[Clip]:
    """List the clips with labels of the model, at least one. Raises ListingError."""
    if selection.split and selection.part not in PARTS:
        raise ListingError(f"--part must be one of {', '.join(PARTS)}, got {selection.part!r}")
    clips = _listed(selection, contract)
    unknown = sorted({clip.label for clip in clips} - set(contract.labels))
    if unknown:
        raise ListingError(
            f"the data has {', '.join(unknown)}, but model {contract.name} knows only {', '.join(contract.labels)}"
        )
    if not clips:
        raise ListingError("no clip is left to evaluate")
    return clips


def _listed(selection: ClipSelection, contract: ModelContract) -> list[Clip]:
    clips = [clip for folder in selection.data for clip in find_clips(folder)]
    if selection.background and not contract.background:
        raise ListingError(f"model {contract.name} has no background label: leave out --background")
    for folder in selection.background:
        clips += as_background(find_clips(folder), contract.background[0])
    if not selection.split:
        return clips
    return [clip for file in selection.split for clip in split_by_file(clips, file) if clip.part == selection.part]
