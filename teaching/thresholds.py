"""Chooses the threshold of each taught activity: few false events first, then as many examples as possible."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scipy.stats import chi2

DAY = 86400.0
CANDIDATES = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.97, 0.99)
CONFIDENCE = 0.95

Count = Callable[[float], Counter[str]]
"""Returns a number for each activity at a threshold."""


@dataclass(frozen=True)
class ChosenThreshold:
    value: float
    false_events: int
    """False events in the ordinary footage at this threshold."""
    is_quiet: bool
    """Whether these are at most one a day."""


def choose_threshold(
    activity: str, found: Count, false_events: Count, ordinary_seconds: float, highest: float
) -> ChosenThreshold:
    """Return the threshold of one activity.

    From some candidate on, ordinary footage gives at most one false event a day: none if it is shorter than a day. Up
    to another one, which is at most `highest`, as many examples are found. The threshold is in the middle of both:
    footage of minutes does not show all that happens in a day, nor do a few examples show all of the activity.
    """
    allowed = math.floor(ordinary_seconds / DAY)
    quiet: list[float] = []
    for value in reversed(CANDIDATES):
        if false_events(value)[activity] > allowed:
            break
        quiet.append(value)
    lowest = min(quiet, default=CANDIDATES[-1])
    reachable = [value for value in CANDIDATES if lowest <= value <= max(lowest, highest)]
    most = found(lowest)[activity]
    keeping = [value for value in reachable if found(value)[activity] >= most]
    value = keeping[len(keeping) // 2]
    return ChosenThreshold(value, false_events(value)[activity], bool(quiet))


def most_a_day(events: int, seconds: float) -> float:
    """Return how many events a day there may be if so many were seen, with 95 % confidence.

    Source: Garwood 1936, the exact limit of a Poisson rate; for no event it is 3 / days.
    """
    return float(chi2.ppf(CONFIDENCE, 2 * (events + 1))) / 2 / (seconds / DAY)


def seconds_to_show(events_a_day: float) -> float:
    """Return how many seconds without a false event show that there are at most so many a day."""
    return most_a_day(0, 1.0) / events_a_day


def confusions(pairs: Sequence[tuple[str, str]], share: float = 0.3) -> list[tuple[str, str, int, int]]:
    """Return the pairs of labels that are taken for each other, with the number of such examples and of all.

    `pairs`: the true and the recognized label of each example. `share`: the least share of the examples of both.
    """
    count, size = Counter(pairs), Counter(true for true, _ in pairs)
    labels = sorted(set(size) | {recognized for _, recognized in pairs})
    mixed = [
        (one, other, count[one, other] + count[other, one], size[one] + size[other])
        for number, one in enumerate(labels)
        for other in labels[number + 1 :]
    ]
    return [each for each in mixed if each[2] and each[2] >= share * each[3]]
