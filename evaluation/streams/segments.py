"""What really went on in a stream against what was told of it: each figure by its definition, as a pure function.

All shares and scores are between 0 and 1, times are in seconds. A figure that is undefined, such as the share of found
activities where there was none, is None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GRID = 0.1
"""Seconds from one look at who is right to the next."""


@dataclass(frozen=True)
class Segment:
    """What really goes on from `start` until before `end`."""

    activity: str | None
    """None: none of the activities."""
    start: float
    end: float


@dataclass(frozen=True)
class Recognized:
    """An event, as it was told when it had ended."""

    activity: str
    start: float
    end: float
    """Not before `start`; equal when a single window supported it."""
    detected_at: float
    """When the start was told."""


@dataclass(frozen=True)
class Outcome:
    """One stream: the truth from 0 to its end without a hole, and the events in their order, which do not overlap."""

    truth: tuple[Segment, ...]
    recognized: tuple[Recognized, ...]

    @property
    def seconds(self) -> float:
        return self.truth[-1].end

    @property
    def activities(self) -> tuple[Segment, ...]:
        """The true segments in which one of the activities goes on."""
        return tuple(segment for segment in self.truth if segment.activity is not None)

    @property
    def background(self) -> tuple[Segment, ...]:
        return tuple(segment for segment in self.truth if segment.activity is None)


def segmental_f1(outcomes: Sequence[Outcome], overlap: float) -> float | None:
    """F1 of events as wholes, at an intersection over union of at least `overlap`.

    Each event is matched to the true segment of its activity with the largest intersection over union; it is right if
    that reaches `overlap` and no event before it has taken the segment. So an activity told in two pieces has one right
    event and one wrong one. Counts are pooled over streams, as where one stream ends and the next begins means nothing.

    Source: Lea et al. 2017, "Temporal Convolutional Networks for Action Segmentation and Detection", F1@k, k = 100 *
    overlap, as in the authors' `overlap_f1`.
    """
    right = sum(len(_matched(outcome, overlap)) for outcome in outcomes)
    told = sum(len(outcome.recognized) for outcome in outcomes)
    true = sum(len(outcome.activities) for outcome in outcomes)
    return 2 * right / (told + true) if told + true else None  # = 2 P R / (P + R), and 0 where these are 0


def edit_score(outcomes: Sequence[Outcome]) -> float | None:
    """1 - Levenshtein distance / length of the longer: the order of the activities, whatever their times.

    Background is left out; lengths are those of the orders. Over streams the mean, weighed by length.

    Source: Lea et al. 2017, as in the authors' `edit_score` with a background class.
    """
    distance = length = 0
    for outcome in outcomes:
        told = [event.activity for event in outcome.recognized]
        true = [str(segment.activity) for segment in outcome.activities]
        distance += _levenshtein(told, true)
        length += max(len(told), len(true))
    return 1 - distance / length if length else None


def found_share(outcomes: Sequence[Outcome]) -> float | None:
    """Of the true activities, those that an event of the right activity overlaps, by however little."""
    counts = [len(_events_of(segment, outcome)) for outcome in outcomes for segment in outcome.activities]
    return sum(count > 0 for count in counts) / len(counts) if counts else None


def pieces(outcomes: Sequence[Outcome]) -> float | None:
    """Mean number of events of the right activity that overlap a true activity, over those that were found."""
    counts = [len(_events_of(segment, outcome)) for outcome in outcomes for segment in outcome.activities]
    found = [count for count in counts if count]
    return sum(found) / len(found) if found else None


def latencies(outcome: Outcome) -> list[tuple[Segment, float]]:
    """Of each true activity that was found: when the first event of it was told, in seconds after the true start.

    Negative where the event had begun too early, or goes on from the same activity before.
    """
    found = [(segment, _events_of(segment, outcome)) for segment in outcome.activities]
    return [(segment, events[0].detected_at - segment.start) for segment, events in found if events]


def false_events(outcome: Outcome) -> list[Recognized]:
    """Events that overlap no true segment of their activity."""
    return [
        event
        for event in outcome.recognized
        if not any(_overlaps(event, segment) and event.activity == segment.activity for segment in outcome.activities)
    ]


def background_false_events(outcome: Outcome) -> list[Recognized]:
    """False events whose middle lies where none of the activities goes on; the others name the wrong activity."""
    middles = [(event, (event.start + event.end) / 2) for event in false_events(outcome)]
    return [
        event
        for event, middle in middles
        if any(segment.start <= middle < segment.end for segment in outcome.background)
    ]


def time_right(outcomes: Sequence[Outcome]) -> float:
    """Frame-wise accuracy on a grid of GRID seconds, where no event means none of the activities."""
    right = [_right_on_grid(outcome) for outcome in outcomes]
    return float(np.concatenate(right).mean())


def _matched(outcome: Outcome, overlap: float) -> set[Segment]:
    """The true segments that an event has taken."""
    taken: set[Segment] = set()
    for event in outcome.recognized:
        same = [segment for segment in outcome.activities if segment.activity == event.activity]
        best = max(same, key=lambda segment: _intersection_over_union(event, segment), default=None)
        if best and _intersection_over_union(event, best) >= overlap:
            taken.add(best)
    return taken


def _intersection_over_union(event: Recognized, segment: Segment) -> float:
    """0 or less when they are apart."""
    intersection = min(event.end, segment.end) - max(event.start, segment.start)
    return intersection / (max(event.end, segment.end) - min(event.start, segment.start))


def _events_of(segment: Segment, outcome: Outcome) -> list[Recognized]:
    """The right ones that overlap it, in their order."""
    return [event for event in outcome.recognized if event.activity == segment.activity and _overlaps(event, segment)]


def _overlaps(event: Recognized, segment: Segment) -> bool:
    """An event without length lies in a segment, too."""
    return event.start < segment.end and segment.start < event.end


def _levenshtein(one: Sequence[str], other: Sequence[str]) -> int:
    row = list(range(len(other) + 1))
    for count, name in enumerate(one, start=1):
        above, row = row, [count]
        for column, its in enumerate(other):
            row.append(min(above[column] + (name != its), above[column + 1] + 1, row[-1] + 1))
    return row[-1]


def _right_on_grid(outcome: Outcome) -> NDArray[np.bool_]:
    """(n,) at the middles of the grid's cells: a boundary on the grid then falls to no side by rounding."""
    times = (np.arange(max(round(outcome.seconds / GRID), 1)) + 0.5) * GRID
    true, told = np.full(len(times), "", dtype=object), np.full(len(times), "", dtype=object)
    for segment in outcome.activities:
        true[(times >= segment.start) & (times < segment.end)] = segment.activity
    for event in outcome.recognized:
        told[(times >= event.start) & (times < event.end)] = event.activity
    right: NDArray[np.bool_] = true == told
    return right
