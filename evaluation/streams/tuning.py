"""Chooses thresholds and smoothing that find many activities with few false events on streams."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

from harstream.evaluation.streams.stream_metrics import StreamMetrics, measure_streams
from harstream.evaluation.streams.stream_runner import Watched, outcome, rerun
from harstream.models.contract import ModelContract
from harstream.stream.recognition.tracker_settings import TrackerSettings

START_ABOVE = tuple(step / 20 for step in range(6, 20))
END_SHARES = (0.5, 0.625, 0.8)
SMOOTHING = (0.5, 1.0, 2.0)
HOLD = (0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Trial:
    """One choice of settings and its result."""

    settings: TrackerSettings
    smoothing: float
    """Time constant of the running mean, in seconds."""
    metrics: StreamMetrics

    @property
    def found(self) -> float:
        return self.metrics.found or 0.0

    @property
    def in_background(self) -> float:
        """False events per ten minutes of background."""
        return self.metrics.background_false_events_per_10_minutes or 0.0


def try_out(watched: Sequence[Watched], contract: ModelContract, settings: TrackerSettings, smoothing: float) -> Trial:
    metrics = measure_streams(
        [outcome(each.truth, rerun(each, contract, settings, smoothing=smoothing)) for each in watched]
    )
    return Trial(settings, smoothing, metrics)


def combinations(settings: TrackerSettings) -> list[tuple[TrackerSettings, float]]:
    """Return every combination to try, each with its smoothing; the other settings stay as in `settings`."""
    return [
        (replace(settings, start_above=start, end_below=round(start * share, 4), hold=hold), smoothing)
        for start, share, hold, smoothing in product(START_ABOVE, END_SHARES, HOLD, SMOOTHING)
    ]


def best(trials: Iterable[Trial], *, allowed: float) -> Trial | None:
    """Return the trial that finds most, among those with at most `allowed` false events per ten minutes of background.

    The highest F1@25 decides between equals. None if no trial is within the limit.
    """
    kept = [trial for trial in trials if trial.in_background <= allowed]
    return max(kept, key=lambda trial: (trial.found, trial.metrics.f1_25 or 0.0), default=None)


def pareto_front(trials: Iterable[Trial]) -> list[Trial]:
    """Return the trials that no other trial beats in both figures, those with the fewest false events first."""
    ordered = sorted(trials, key=lambda trial: (trial.in_background, -trial.found, -(trial.metrics.f1_25 or 0.0)))
    kept: list[Trial] = []
    for trial in ordered:
        if not kept or trial.found > kept[-1].found:
            kept.append(trial)
    return kept
