"""Reads the clips of a few-shot measurement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harstream.clips.listing import Clip, ListingError, find_clips
from harstream.clips.split_files import split_by_file
from harstream.evaluation.few_shot.draw import Footage
from harstream.stream.config.model import Config
from harstream.stream.recognition.protocols import Engine
from harstream.teaching.clip_windows import ClipWindows
from harstream.teaching.known_footage import middle_windows, some_of_each
from harstream.teaching.lesson import Lesson, new_reader

Progress = Callable[[Sequence[Clip]], Iterable[Clip]]


@dataclass(frozen=True)
class Folders:
    new: tuple[Path, ...]
    known: tuple[Path, ...]
    everyday: Path | None
    split: Path
    part: str
    """What is recognized. Examples, known and ordinary footage are of the part `train`."""


def read_footage(folders: Folders, recognizer: Engine, config: Config, progress: Progress) -> Footage:
    """Read all clips once. Clips without a window are left out. Raises ListingError and VideoError."""
    names = {folder.name for folder in folders.new}
    parents = sorted({folder.parent for folder in folders.new})
    new = [clip for data in parents for clip in _of(data, folders) if clip.label in names]
    others = [clip for data in folders.known for clip in _of(data, folders) if clip.label not in names]
    known = some_of_each([clip for clip in others if clip.part == "train"])
    everyday = _of(folders.everyday, folders) if folders.everyday else []
    labels = recognizer.contract.labels
    shipped = [clip for clip in others if clip.part == folders.part and clip.label in labels]

    reader = new_reader(recognizer, config)
    needed = list(dict.fromkeys([*new, *known, *everyday, *shipped]))
    read = {clip: reader.read(clip.path) for clip in progress(needed)}
    windows = {clip: found for clip, found in read.items() if found.scores}
    new = [clip for clip in new if read[clip].moves.any()]

    def kept(clips: Iterable[Clip], part: str) -> list[Clip]:
        return [clip for clip in clips if clip in windows and clip.part == part]

    def seen(clips: Iterable[Clip], part: str) -> list[ClipWindows]:
        return [windows[clip] for clip in kept(clips, part)]

    return Footage(
        pool={name: _of_class(kept(new, "train"), name) for name in sorted(names)},
        tested={name: _of_class(kept(new, folders.part), name) for name in sorted(names)},
        windows=windows,
        lesson=Lesson(
            {},
            seen(everyday, "train"),
            middle_windows((clip, windows[clip]) for clip in kept(known, "train")) if known else None,
            reader.still(),
        ),
        everyday=seen(everyday, folders.part),
        shipped=[(clip.label, windows[clip]) for clip in kept(shipped, folders.part)],
    )


def _of(data: Path, folders: Folders) -> list[Clip]:
    return split_by_file(find_clips(data), folders.split)


def _of_class(clips: Iterable[Clip], name: str) -> list[Clip]:
    found = [clip for clip in clips if clip.label == name]
    if not found:
        raise ListingError(f"expected clips of {name} in each part, found none with a window")
    return found
