"""Finds labelled clips in a folder of class folders, and splits them into parts by groups."""

from __future__ import annotations

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
VALIDATION_SHARE = 0.20
"""The share of the clips outside test."""

NO_CLIPS = frozenset({".csv", ".json", ".md", ".tsv", ".txt"})
"""Endings of files beside clips that nobody expects to be clips."""

_GROUPS = (
    re.compile(r"v_\w+?_(g\d+)_c\d+"),
    re.compile(r"(.+)_[a-z]_[cn]m_np\d+_(?:ba|fr|le|ri)_(?:bad|med|goo)_\d+"),
    re.compile(r"(.{11})_\d{6}_\d{6}"),
)
"""Names of clips of UCF50 and UCF101, HMDB51 and Kinetics, each with its group: a scene, a film, a YouTube video."""


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


def split_off_group(clips: Sequence[Clip], group: str, seed: int) -> list[Clip]:
    """Test on one group of each class, such as g08, as UCF50's protocol does. Raises ListingError if none has it."""
    parted = [replace(clip, part="test" if clip.group.rpartition(":")[2] == group else "train") for clip in clips]
    if all(clip.part == "train" for clip in parted):
        raise ListingError(
            f"no clip is of the group {group}: name one that the clips' names have, as v_Punch_g08_c03.avi"
        )
    return hold_out(parted, seed)


def hold_out(clips: Sequence[Clip], seed: int, share: float = VALIDATION_SHARE) -> list[Clip]:
    """Move whole groups of part `train` to `val`, in each class about that share of the clips. Others do not change.

    Raises ListingError for a class with a single group in `train`.
    """
    by_label = _dealt_together((clip for clip in clips if clip.part == "train"), lambda clip: clip.group)
    _refuse_few(by_label, 2, "group(s) of clips in `train`", "add clips, or a split file with clips in `val`")
    parted = [clip for clip in clips if clip.part != "train"]
    for label, groups in by_label.items():
        learned, held = _hands(groups, random.Random(f"{seed}:{label}"), (1 - share, share))
        parted += [*learned, *(replace(clip, part="val") for clip in held)]
    return sorted(parted, key=lambda clip: clip.path)


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
    matches = (pattern.fullmatch(path.stem) for pattern in _GROUPS)
    return next((match[1] for match in matches if match), path.stem)
