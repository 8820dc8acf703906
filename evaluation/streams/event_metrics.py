"""Compares true activities with the events of a stream. Each figure has one pure function.

All shares and scores are between 0 and 1, times are in seconds. An undefined figure is None, such as the share of found
activities in a stream without activities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GRID = 0.1
"""Seconds between two points at which truth and events are compared."""


@dataclass(frozen=True)
class Segment:
    """What happens from `start` to `end`, without `end` itself."""

    activity: str | None
    """None: none of the activities."""
    start: float
    end: float


@dataclass(frozen=True)
class Recognized:
    """An event, as it was reported at its end."""

    activity: str
    start: float
    end: float
    """At least `start`; equal if a single window supported the event."""
    detected_at: float
    """Time at which the start was reported."""


@dataclass(frozen=True)
class Outcome:
    """One stream. The truth covers it without gaps, and the events are in order, without overlap."""

    truth: tuple[Segment, ...]
    recognized: tuple[Recognized, ...]

    @property
    def seconds(self) -> float:
        return self.truth[-1].end

    @property
    def activities(self) -> tuple[Segment, ...]:
        """The true segments of activities."""
        return tuple(segment for segment in self.truth if segment.activity is not None)

    @property
    def background(self) -> tuple[Segment, ...]:
        return tuple(segment for segment in self.truth if segment.activity is None)


def segmental_f1(outcomes: Sequence[Outcome], overlap: float) -> float | None:
    """Return the F1 of whole events, at an intersection over union of at least `overlap`.

    Each event is matched to the true segment of its activity with the largest intersection over union. It is right if
    that reaches `overlap` and no earlier event is matched to the segment. So an activity that is reported in two pieces
    has one right and one wrong event. Counts are pooled over streams, because their borders have no meaning.

    Source: Lea et al. 2017, "Temporal Convolutional Networks for Action Segmentation and Detection", F1@k, k = 100 *
    overlap, as in the authors' `overlap_f1`.
    """
    right = sum(len(_matched(outcome, overlap)) for outcome in outcomes)
    reported = sum(len(outcome.recognized) for outcome in outcomes)
    true = sum(len(outcome.activities) for outcome in outcomes)
    return 2 * right / (reported + true) if reported + true else None  # = 2 P R / (P + R), and 0 where these are 0


def edit_score(outcomes: Sequence[Outcome]) -> float | None:
    """Return 1 - Levenshtein distance / length of the longer sequence: the order of activities, without their times.

    Background is left out. Several streams give the mean, weighted by length.

    Source: Lea et al. 2017, as in the authors' `edit_score` with a background class.
    """
    distance = length = 0
    for outcome in outcomes:
        reported = [event.activity for event in outcome.recognized]
        true = [str(segment.activity) for segment in outcome.activities]
        distance += _levenshtein(reported, true)
        length += max(len(reported), len(true))
    return 1 - distance / length if length else None


def found_share(outcomes: Sequence[Outcome]) -> float | None:
    """Return the share of true activities that at least one event of the same activity overlaps."""
    counts = [len(_events_of(segment, outcome)) for outcome in outcomes for segment in outcome.activities]
    return sum(count > 0 for count in counts) / len(counts) if counts else None


def pieces(outcomes: Sequence[Outcome]) -> float | None:
    """Return the mean number of events of the same activity per true activity that is found."""
    counts = [len(_events_of(segment, outcome)) for outcome in outcomes for segment in outcome.activities]
    found = [count for count in counts if count]
    return sum(found) / len(found) if found else None


def latencies(outcome: Outcome) -> list[tuple[Segment, float]]:
    """Return each found activity with the time from its true start to the report of its first event, in seconds.

    The time is negative if the event started too early, or continues from an earlier segment of the same activity.
    """
    found = [(segment, _events_of(segment, outcome)) for segment in outcome.activities]
    return [(segment, events[0].detected_at - segment.start) for segment, events in found if events]


def late_share(outcomes: Sequence[Outcome]) -> float | None:
    """Return the share of found activities whose first event is reported only after their end."""
    found = [pair for outcome in outcomes for pair in latencies(outcome)]
    late = [delay > segment.end - segment.start for segment, delay in found]
    return sum(late) / len(late) if late else None


def false_events(outcome: Outcome) -> list[Recognized]:
    """Return the events that overlap no true segment of their activity."""
    return [
        event
        for event in outcome.recognized
        if not any(_overlaps(event, segment) and event.activity == segment.activity for segment in outcome.activities)
    ]


def background_false_events(outcome: Outcome) -> list[Recognized]:
    """Return the false events whose middle is in background; the other false events name the wrong activity."""
    middles = [(event, (event.start + event.end) / 2) for event in false_events(outcome)]
    return [
        event
        for event, middle in middles
        if any(segment.start <= middle < segment.end for segment in outcome.background)
    ]


def time_right(outcomes: Sequence[Outcome]) -> float:
    """Return the accuracy over time, on a grid of GRID seconds. No event means none of the activities."""
    right = [_right_on_grid(outcome) for outcome in outcomes]
    return float(np.concatenate(right).mean())


def _matched(outcome: Outcome, overlap: float) -> set[Segment]:
    """Return the true segments that an event matches."""
    taken: set[Segment] = set()
    for event in outcome.recognized:
        same = [segment for segment in outcome.activities if segment.activity == event.activity]
        best = max(same, key=lambda segment: _intersection_over_union(event, segment), default=None)
        if best and _intersection_over_union(event, best) >= overlap:
            taken.add(best)
    return taken


def _intersection_over_union(event: Recognized, segment: Segment) -> float:
    """Return the intersection over union; 0 or less if the two do not overlap."""
    intersection = min(event.end, segment.end) - max(event.start, segment.start)
    return intersection / (max(event.end, segment.end) - min(event.start, segment.start))


def _events_of(segment: Segment, outcome: Outcome) -> list[Recognized]:
    """Return the events of the same activity that overlap the segment, in order."""
    return [event for event in outcome.recognized if event.activity == segment.activity and _overlaps(event, segment)]


def _overlaps(event: Recognized, segment: Segment) -> bool:
    """Whether the two overlap; an event without length can be inside a segment."""
    return event.start < segment.end and segment.start < event.end


def _levenshtein(one: Sequence[str], other: Sequence[str]) -> int:
    row = list(range(len(other) + 1))
    for count, name in enumerate(one, start=1):
        above, row = row, [count]
        for column, its in enumerate(other):
            row.append(min(above[column] + (name != its), above[column + 1] + 1, row[-1] + 1))
    return row[-1]


def _right_on_grid(outcome: Outcome) -> NDArray[np.bool_]:
    """Return (n,) flags at the middles of the grid cells, so that rounding moves no boundary."""
    times = (np.arange(max(round(outcome.seconds / GRID), 1)) + 0.5) * GRID
    true, reported = np.full(len(times), "", dtype=object), np.full(len(times), "", dtype=object)
    for segment in outcome.activities:
        true[(times >= segment.start) & (times < segment.end)] = segment.activity
    for event in outcome.recognized:
        reported[(times >= event.start) & (times < event.end)] = event.activity
    right: NDArray[np.bool_] = true == reported
    return right
