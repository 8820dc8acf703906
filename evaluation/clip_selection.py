"""Which clips an evaluation is of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harstream.clips.listing import PARTS, Clip, ListingError, as_background, find_clips, split_by_file
from harstream.models.contract import ModelContract


@dataclass(frozen=True)
class Choice:
    """As asked for on the command line."""

    data: tuple[Path, ...]
    """Folders of class folders."""
    background: tuple[Path, ...]
    """Folders of class folders that are none of the activities."""
    split: tuple[Path, ...]
    """Split files; without one, every clip is taken."""
    part: str
    """One of PARTS."""


def choose(choice: Choice, contract: ModelContract) -> list[Clip]:
    """Clips with labels that the model knows, at least one. Raises ListingError."""
    if choice.split and choice.part not in PARTS:
        raise ListingError(f"--part is one of {', '.join(PARTS)}, got {choice.part!r}")
    clips = _listed(choice, contract)
    strange = sorted({clip.label for clip in clips} - set(contract.labels))
    if strange:
        raise ListingError(
            f"the data has {', '.join(strange)}, model {contract.name} knows {', '.join(contract.labels)}"
        )
    if not clips:
        raise ListingError("no clip is left to evaluate")
    return clips


def _listed(choice: Choice, contract: ModelContract) -> list[Clip]:
    clips = [clip for folder in choice.data for clip in find_clips(folder)]
    if choice.background and not contract.background:
        raise ListingError(f"model {contract.name} has no background label: leave out --background")
    for folder in choice.background:
        clips += as_background(find_clips(folder), contract.background[0])
    if not choice.split:
        return clips
    return [clip for file in choice.split for clip in split_by_file(clips, file) if clip.part == choice.part]
