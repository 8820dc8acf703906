"""Lets a forecaster live through a simulated year in front of one camera, and watches its memory and its diary."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harstream.forecast.client.diary import FILE, Diary
from harstream.forecast.client.forecaster import AboutCamera
from harstream.forecast.evaluation.household import TICK, draw_household, live
from harstream.wire.health import HealthState
from harstream.wire.values import EndReason, EventType
from tests.forecast.client.household import LABELS, event, health, new_forecaster, observation
from tests.soak.growth import read_sample

BEGIN = 19_800 * 86400.0
MONTH = 30
"""Days."""
STEP = 4 * 3600.0
"""Seconds between two ticks. A forecaster ticks once a second, but a year would take days."""


@dataclass(frozen=True)
class Month:
    """What there is after some months."""

    days: int
    memory: int
    """Resident memory in bytes."""
    diary: int
    """Bytes of the file."""
    episodes: int

    def __str__(self) -> str:
        return (
            f"after {self.days} days: {self.memory / 1e6:.0f} MB, a diary of {self.diary / 1e6:.1f} MB "
            f"with {self.episodes} activities"
        )


def live_on(folder: Path, days: int, *, every: int = MONTH, seed: int = 1) -> Iterator[Month]:
    """Yield what there is after each month of `every` days."""
    random = np.random.default_rng(seed)
    household = draw_household(random, 4)
    diary = Diary(folder / FILE)
    diary.start()
    forecaster = new_forecaster(diary, now=BEGIN)
    for month in range(0, days, every):
        life, begin = live(household, every, random), BEGIN + 86400 * month
        shown = np.where(life.is_seen, household.states.shows[life.states], -1)
        now = begin
        for time, message in _messages(shown, begin):
            while now + STEP <= time:
                now += STEP
                forecaster.tick(now)
            forecaster.handle(message, time)
        files = sum(file.stat().st_size for file in folder.iterdir())
        yield Month(month + every, read_sample(os.getpid()).memory, files, len(diary.episodes("hall")))
    diary.close()


def _messages(shown: NDArray[np.intp], begin: float) -> Iterator[tuple[float, AboutCamera]]:
    """Yield what a node says about a course of ticks: -1 stands for a camera that is away, K for unknown."""
    edges = np.flatnonzero(np.diff(shown, prepend=-2))
    for first, last in zip(edges, [*edges[1:], len(shown)], strict=True):
        start, end, number = begin + first * TICK, begin + last * TICK, int(shown[first])
        if number < 0:
            yield start, health(HealthState.OFFLINE, start)
            yield end, health(HealthState.LIVE, end)
            continue
        label = LABELS[number]
        if label != "Nothing":
            yield start, event(EventType.START, label, start)
        for time in np.arange(start + TICK, end, STEP / 2):
            yield float(time), observation(float(time), label)
        if label != "Nothing":
            is_away = last < len(shown) and shown[last] < 0
            reason = EndReason.CAMERA_OFFLINE if is_away else EndReason.LOW_CONFIDENCE
            yield end, event(EventType.END, label, start, end, reason=reason)
