"""Splits clips into parts by files: tables of this project, and official splits of data sets."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from harstream.clips.listing import PARTS, Clip, ListingError, hold_out
from harstream.clips.official_splits import files_of, is_official, read_official_split


def split_by_file(clips: Sequence[Clip], split_file: Path) -> list[Clip]:
    """Return the clips that a split names, each with its part: a tab-separated file, or an official split.

    The header of a tab-separated file has at least `file` and `split`. `file` ends with <class>/<clip name>. Its
    cluster becomes the clip's group; a cluster or group `-` is unknown.

    Raises ListingError for a malformed file, and for a cluster in two parts.
    """
    parted = _officially(clips, split_file) if is_official(split_file) else _by_table(clips, split_file)
    _refuse_cut_groups(parted, split_file)
    return parted


def split_by_files(clips: Sequence[Clip], split_files: Sequence[Path], seed: int) -> list[Clip]:
    """Split by several files, as split_by_file does. Raises ListingError, also for a clip in two files.

    If the official splits among them name no clip for validation, whole groups of their part `train` become `val`.
    """
    parted: dict[bool, list[Clip]] = {True: [], False: []}
    namers: dict[Path, Path] = {}
    for file in _distinct(split_files):
        found = split_by_file(clips, file)
        if twice := [clip.path for clip in found if clip.path in namers]:
            raise ListingError(
                f"{namers[twice[0]]} and {file} both name {len(twice)} clip(s), such as {twice[0]}: name each clip "
                "in only one of them"
            )
        namers |= dict.fromkeys((clip.path for clip in found), file)
        parted[is_official(file)] += found
    official = parted[True]
    if not any(clip.part == "val" for clip in official):
        official = hold_out(official, seed)
    return [*parted[False], *official]


def absences(clips: Sequence[Clip], split_files: Sequence[Path]) -> list[str]:
    """Return one sentence for each kind of clip that an official split names and that is not there, or the reverse."""
    official = [read_official_split(file) for file in _distinct(split_files) if is_official(file)]
    return [sentence for split in official for sentence in split.absences(clips)]


def _distinct(split_files: Iterable[Path]) -> list[Path]:
    """Leave out a list of an official split of which another list is given, too."""
    named = {tuple(files_of(file)) if is_official(file) else (file,): file for file in reversed([*split_files])}
    return [*reversed(named.values())]


def _officially(clips: Sequence[Clip], path: Path) -> list[Clip]:
    split = read_official_split(path)
    parted = [replace(clip, part=part) for clip in clips if (part := split.part_of(clip))]
    if not parted:
        first = next(iter(split.clips.values()), "nothing")
        raise ListingError(f"{path} names none of the clips: expected <class>/<video> such as {first}")
    return parted


def _by_table(clips: Sequence[Clip], split_file: Path) -> list[Clip]:
    rows = _read_split(split_file)
    parted = []
    for clip in clips:
        row = rows.get((clip.path.parent.name, clip.path.stem))
        if row and row["split"]:
            prefix = clip.group.rsplit(":", 1)[0] + ":" if ":" in clip.group else ""
            group = prefix + (_stated(row, "cluster") or _stated(row, "group") or clip.group)
            parted.append(replace(clip, part=row["split"], group=group))
    if not parted:
        raise ListingError(f"{split_file} names none of the clips; its `file` column must end with <class>/<clip name>")
    return parted


def _read_split(split_file: Path) -> dict[tuple[str, str], dict[str, str]]:
    try:
        with split_file.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines, delimiter="\t"))
    except (OSError, UnicodeDecodeError) as error:
        raise ListingError(f"cannot read the split file {split_file}: {error}") from error
    if not rows or not {"file", "split"} <= rows[0].keys():
        raise ListingError(
            f"{split_file} must be tab-separated with the columns `file` and `split`, or an official split, got "
            f"{sorted(map(str, rows[0])) if rows else 'no row'}"
        )
    if short := [number for number, row in enumerate(rows, start=2) if row["file"] is None or row["split"] is None]:
        raise ListingError(f"{split_file}: row {short[0]} has fewer columns than the header")
    if strange := sorted({row["split"] for row in rows} - {*PARTS, ""}):
        raise ListingError(f"{split_file}: the parts are {', '.join(PARTS)}, or empty; got {', '.join(strange)}")
    return {(Path(row["file"]).parent.name, Path(row["file"]).stem): row for row in rows}


def _stated(row: dict[str, str], column: str) -> str:
    value = row.get(column) or ""
    return "" if value == "-" else value


def _refuse_cut_groups(clips: Iterable[Clip], split_file: Path) -> None:
    parts: dict[tuple[str, str], set[str]] = defaultdict(set)
    for clip in clips:
        parts[clip.label, clip.group].add(clip.part)
    cut = sorted(f"{label} {group}" for (label, group), found in parts.items() if len(found) > 1)
    if cut:
        raise ListingError(f"{split_file} has clips of {len(cut)} cluster(s) in several parts: {', '.join(cut[:5])}")
