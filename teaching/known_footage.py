"""Chooses the clips and windows that stand for the footage that a model was trained on."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from harstream.clips.listing import Clip
from harstream.teaching.clip_windows import ClipWindows
from harstream.teaching.known_windows import KnownWindows

EACH = 24
"""Clips of each class, with one window each. More make the file larger, and teaching hardly better."""


def some_of_each(clips: Sequence[Clip], number: int = EACH) -> list[Clip]:
    """Return so many clips of each class, of as many groups as possible. The choice is the same each time."""
    by_class: dict[str, dict[str, list[Clip]]] = defaultdict(lambda: defaultdict(list))
    for clip in clips:
        by_class[clip.label][clip.group].append(clip)
    chosen: list[Clip] = []
    for label, groups in sorted(by_class.items()):
        shuffled = list(groups.values())
        random.Random(label).shuffle(shuffled)
        turns = [group[turn] for turn in range(max(map(len, shuffled))) for group in shuffled if turn < len(group)]
        chosen += turns[:number]
    return chosen


def middle_windows(read: Iterable[tuple[Clip, ClipWindows]]) -> KnownWindows:
    """Return the middle one of each clip's moving windows. Clips without one are left out."""
    moving = [(clip.label, windows.features[windows.moves]) for clip, windows in read if windows.moves.any()]
    features = np.stack([features[len(features) // 2] for _, features in moving])
    return KnownWindows(features, tuple(label for label, _ in moving))
