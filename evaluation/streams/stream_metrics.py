"""Computes the figures of a model on long streams from its events, which is what a home notices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from harstream.evaluation.metrics import rounded
from harstream.evaluation.streams.event_metrics import (
    Outcome,
    Recognized,
    background_false_events,
    edit_score,
    false_events,
    found_share,
    late_share,
    latencies,
    pieces,
    segmental_f1,
    time_right,
)

OVERLAPS = (0.10, 0.25, 0.50)
HOUR, TEN_MINUTES = 3600.0, 600.0


@dataclass(frozen=True)
class ActivityFigures:
    """The figures of one activity."""

    activity: str
    true: int
    """Segments in the truth."""
    found: int
    """Segments that are found."""
    false_events: int
    latency_p50: float | None


@dataclass(frozen=True)
class StreamMetrics:
    """Times are in seconds, shares between 0 and 1. `event_metrics` defines each figure."""

    streams: int
    seconds: float
    """Length of all streams together."""
    background_seconds: float
    """Time with none of the activities."""
    true_activities: int
    events: int
    f1_10: float | None
    f1_25: float | None
    f1_50: float | None
    edit: float | None
    found: float | None
    latency_p50: float | None
    latency_p95: float | None
    late: float | None
    false_events: int
    false_events_per_hour: float
    background_false_events: int
    background_false_events_per_10_minutes: float | None
    pieces: float | None
    time_right: float
    activities: tuple[ActivityFigures, ...]
    """Every activity that is in the truth or was recognized, by name."""

    def to_dict(self) -> dict[str, object]:
        """Return dicts, lists, strings, numbers and None only. Numbers have 4 places, so that equal runs compare."""
        return rounded(asdict(self), digits=4)


def measure_streams(outcomes: Sequence[Outcome]) -> StreamMetrics:
    """Compute all figures. Raises ValueError if there is no stream."""
    if not outcomes:
        raise ValueError("expected at least one stream, got none")
    seconds = sum(outcome.seconds for outcome in outcomes)
    background = sum(segment.end - segment.start for outcome in outcomes for segment in outcome.background)
    false = [event for outcome in outcomes for event in false_events(outcome)]
    in_background = sum(len(background_false_events(outcome)) for outcome in outcomes)
    f1_10, f1_25, f1_50 = (segmental_f1(outcomes, overlap) for overlap in OVERLAPS)
    delays = [delay for outcome in outcomes for _, delay in latencies(outcome)]
    return StreamMetrics(
        streams=len(outcomes),
        seconds=seconds,
        background_seconds=background,
        true_activities=sum(len(outcome.activities) for outcome in outcomes),
        events=sum(len(outcome.recognized) for outcome in outcomes),
        f1_10=f1_10,
        f1_25=f1_25,
        f1_50=f1_50,
        edit=edit_score(outcomes),
        found=found_share(outcomes),
        latency_p50=_percentile(delays, 50),
        latency_p95=_percentile(delays, 95),
        late=late_share(outcomes),
        false_events=len(false),
        false_events_per_hour=len(false) * HOUR / seconds,
        background_false_events=in_background,
        background_false_events_per_10_minutes=in_background * TEN_MINUTES / background if background else None,
        pieces=pieces(outcomes),
        time_right=time_right(outcomes),
        activities=_activities(outcomes, false),
    )


def _activities(outcomes: Sequence[Outcome], false: Sequence[Recognized]) -> tuple[ActivityFigures, ...]:
    true = [str(segment.activity) for outcome in outcomes for segment in outcome.activities]
    delays = [(str(segment.activity), delay) for outcome in outcomes for segment, delay in latencies(outcome)]
    recognized = [event.activity for outcome in outcomes for event in outcome.recognized]
    return tuple(
        ActivityFigures(
            activity=name,
            true=true.count(name),
            found=sum(activity == name for activity, _ in delays),
            false_events=sum(event.activity == name for event in false),
            latency_p50=_percentile([delay for activity, delay in delays if activity == name], 50),
        )
        for name in sorted({*true, *recognized})
    )


def _percentile(values: Sequence[float], share: Literal[50, 95]) -> float | None:
    return float(np.percentile(values, share)) if values else None
