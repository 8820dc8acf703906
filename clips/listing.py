"""Finds labelled clips in a folder of class folders, and splits them into parts by a file or by groups."""

from __future__ import annotations

import csv
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harstream.clips.video import SUFFIXES

PARTS = ("train", "val", "test")
SHARES = (0.64, 0.16, 0.20)
"""The papers hold out 20 % for test, and 20 % of the rest for validation."""

NO_CLIPS = frozenset({".csv", ".json", ".md", ".tsv", ".txt"})
"""Endings of files beside clips that nobody expects to be clips."""

_UCF_NAME = re.compile(r"v_\w+?_(g\d+)_c\d+$")


class ListingError(Exception):
    """A data folder or a split file cannot be used."""


@dataclass(frozen=True)
class Clip:
    path: Path
    label: str
    group: str
    """The scene of the clip. All clips of a group must be in the same part of a split."""
    part: str = ""
    """One of PARTS, or empty before the split."""
    fine_label: str = ""
    """The class of a clip whose label covers several classes, such as background; empty otherwise."""

    @property
    def class_name(self) -> str:
        return self.fine_label or self.label


def find_clips(data: Path) -> list[Clip]:
    """Return all videos in the folders of `data`, sorted. A folder's name is the label. Raises ListingError."""
    if not data.is_dir():
        raise ListingError(f"expected a folder of class folders with videos, found no folder {data}")
    clips = [
        Clip(path, path.parent.name, _group(path))
        for path in sorted(data.glob("*/*"))
        if path.suffix.lower() in SUFFIXES
    ]
    if not clips:
        raise ListingError(f"expected {data}/<class>/<video>, found no video there")
    return clips


def overlooked(data: Path) -> list[str]:
    """Return one sentence for each class folder without a video, and for each kind of file that is not read."""
    folders = sorted(folder for folder in data.iterdir() if folder.is_dir() and not folder.name.startswith("."))
    files = [file for folder in folders for file in folder.iterdir() if file.is_file()]
    with_clips = {file.parent for file in files if file.suffix.lower() in SUFFIXES}
    others = Counter(file.suffix or "no ending" for file in files if file.suffix.lower() not in SUFFIXES)
    return [f"the class folder {folder} has no clip" for folder in folders if folder not in with_clips] + [
        f"{count} file(s) in {data} are not read because of their ending {suffix}; "
        f"expected is one of {' '.join(sorted(SUFFIXES))}"
        for suffix, count in sorted(others.items())
        if suffix.lower() not in NO_CLIPS
    ]


def as_background(clips: Iterable[Clip], label: str) -> list[Clip]:
    """Give clips of several classes the same label, the one of background.

    The name of a class becomes the fine label of its clips and a part of their groups' names.
    """
    return [replace(clip, label=label, fine_label=clip.label, group=f"{clip.label}:{clip.group}") for clip in clips]


def split_by_file(clips: Sequence[Clip], split_file: Path) -> list[Clip]:
    """Return the clips that a tab-separated file names, each with its part, and its cluster as its group.

    The header of the file has at least `file` and `split`. `file` ends with <class>/<clip name>. A cluster or
    group `-` is unknown. Raises ListingError for a malformed file, and for a cluster in two parts.
    """
    rows = _read_split(split_file)
    parted = []
    for clip in clips:
        row = rows.get((clip.path.parent.name, clip.path.stem))
        if row and row["split"]:
            prefix = clip.group.rsplit(":", 1)[0] + ":" if ":" in clip.group else ""
            group = prefix + (_stated(row, "cluster") or _stated(row, "group") or clip.group)
            parted.append(replace(clip, part=row["split"], group=group))
    _refuse_cut_groups(parted, split_file)
    if not parted:
        raise ListingError(f"{split_file} names none of the clips; its `file` column must end with <class>/<clip name>")
    return parted


def split_by_files(clips: Sequence[Clip], split_files: Iterable[Path]) -> list[Clip]:
    """Split by several files, as split_by_file does. Raises ListingError, also for a clip in two files."""
    parted: list[Clip] = []
    namers: dict[Path, Path] = {}
    for file in split_files:
        found = split_by_file(clips, file)
        if twice := [clip.path for clip in found if clip.path in namers]:
            raise ListingError(
                f"{namers[twice[0]]} and {file} both name {len(twice)} clip(s), such as {twice[0]}: name each clip "
                "in only one of them"
            )
        namers |= dict.fromkeys((clip.path for clip in found), file)
        parted += found
    return parted


def split_by_group(clips: Sequence[Clip], seed: int, shares: Sequence[float] = SHARES) -> list[Clip]:
    """Assign whole groups of each class to train, val and test, so that each part gets its share of the clips."""
    by_label = _dealt_together(clips, lambda clip: clip.group)
    _refuse_few(by_label, len(PARTS), "group(s) of clips", "add clips of other scenes, or ask for `--split random`")
    return _dealt(by_label, seed, shares)


def split_at_random(clips: Sequence[Clip], seed: int, shares: Sequence[float] = SHARES) -> list[Clip]:
    """Split clip by clip, as the papers do. The same scene is then in several parts, so the figures are too good."""
    by_label = _dealt_together(clips, lambda clip: str(clip.path))
    _refuse_few(by_label, len(PARTS), "clip(s)", "add clips, or leave out the class with --classes")
    return _dealt(by_label, seed, shares)


def split_in_folds(clips: Sequence[Clip], held: int, folds: int, seed: int) -> list[Clip]:
    """Divide the groups of parts `train` and `val` into `folds` folds, class by class.

    Fold `held`, counted from 1, becomes `val`, and the others become `train`. Part `test` is not changed.

    Raises ListingError for a class with fewer groups than folds.
    """
    by_label = _dealt_together((clip for clip in clips if clip.part != "test"), lambda clip: clip.group)
    _refuse_few(by_label, folds, "group(s) of clips outside `test`", f"ask for fewer folds than {folds}")
    parted = [clip for clip in clips if clip.part == "test"]
    for label, groups in by_label.items():
        hands = _hands(groups, random.Random(f"{seed}:{label}"), [1 / folds] * folds)
        for fold, hand in enumerate(hands, start=1):
            parted += [replace(clip, part="val" if fold == held else "train") for clip in hand]
    return sorted(parted, key=lambda clip: clip.path)


def _dealt_together(clips: Iterable[Clip], bond: Callable[[Clip], str]) -> dict[str, list[list[Clip]]]:
    """Return, for each class, the lists of clips that stay together, because they have the same bond."""
    bonds: dict[str, dict[str, list[Clip]]] = defaultdict(lambda: defaultdict(list))
    for clip in clips:
        bonds[clip.class_name][bond(clip)].append(clip)
    return {name: list(bonds[name].values()) for name in sorted(bonds)}


def _refuse_few(by_label: Mapping[str, Sequence[object]], needed: int, what: str, advice: str) -> None:
    few = [f"class {label} has {len(found)} {what}" for label, found in by_label.items() if len(found) < needed]
    if few:
        raise ListingError(f"{', '.join(few)}; this split needs at least {needed}: {advice}")


def _dealt(by_label: Mapping[str, list[list[Clip]]], seed: int, shares: Sequence[float]) -> list[Clip]:
    parted = [
        clip for label, groups in by_label.items() for clip in _deal(groups, random.Random(f"{seed}:{label}"), shares)
    ]
    return sorted(parted, key=lambda clip: clip.path)


def _deal(groups: list[list[Clip]], shuffler: random.Random, shares: Sequence[float]) -> list[Clip]:
    hands = _hands(groups, shuffler, shares)
    return [replace(clip, part=part) for part, hand in zip(PARTS, hands, strict=True) for clip in hand]


def _hands(groups: list[list[Clip]], shuffler: random.Random, shares: Sequence[float]) -> list[list[Clip]]:
    """Divide whole groups into one hand for each share."""
    shuffler.shuffle(groups)
    total = sum(map(len, groups))
    hands: list[list[Clip]] = [[] for _ in shares]
    for group in groups:
        # The hand that is furthest behind its share gets the group. So no hand is empty if there are enough groups.
        next_hand = min(range(len(shares)), key=lambda index: len(hands[index]) / (shares[index] * total))
        hands[next_hand] += group
    return hands


def _group(path: Path) -> str:
    match = _UCF_NAME.match(path.stem)
    return match.group(1) if match else path.stem


def _read_split(split_file: Path) -> dict[tuple[str, str], dict[str, str]]:
    try:
        with split_file.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines, delimiter="\t"))
    except (OSError, UnicodeDecodeError) as error:
        raise ListingError(f"cannot read the split file {split_file}: {error}") from error
    if not rows or not {"file", "split"} <= rows[0].keys():
        raise ListingError(
            f"{split_file} must be tab-separated with the columns `file` and `split`, got "
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
