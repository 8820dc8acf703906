"""How long the forecaster's observations wait while it learns and looks ahead."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ParamSpec, TypeVar

import numpy as np

from benchmarks.tables import Table, milliseconds
from harstream.forecast.client.background import Background, Workers
from harstream.forecast.client.diary import FILE, Diary
from harstream.forecast.client.evidence import Recognizer
from harstream.forecast.client.forecaster import Forecaster
from harstream.forecast.client.learned import ForecasterSettings, Scope, learn
from harstream.forecast.client.learner import REFIT_PERIOD
from harstream.forecast.learning.episodes import Episode
from harstream.models.contract import ModelContract
from harstream.wire.context import Context
from harstream.wire.messages.camera import ObservationMessage
from harstream.wire.messages.node import LabelsMessage

ACTIVITIES, DAYS, A_DAY, TICKS = 50, 365, 40, 600
PAUSE = 0.02
"""Seconds between two ticks. The forecaster has a whole second, so the other thread has less time here."""
NOW = 20_000 * 86400.0
P = ParamSpec("P")
T = TypeVar("T")


class _AtOnce(Executor):
    """Works on the thread that asks."""

    def submit(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future = Future[T]()
        future.set_result(work(*args, **kwargs))
        return future


def measure(*, short: bool) -> Table:
    activities, days, ticks = (4, 5, 20) if short else (ACTIVITIES, DAYS, TICKS)
    rows, first = [], None
    with TemporaryDirectory() as folder:
        diary = Diary(Path(folder) / FILE)
        diary.start()
        _fill(diary, activities, days)
        other = Background("learner")
        other.start()
        for name, executor in (("on the thread that ticks", _AtOnce()), ("on another thread", other)):
            seconds = _ticks(diary, activities, ticks, executor)
            longest = [milliseconds(max(seconds)), f"{first / max(seconds):.0f} times" if first else "–"]
            first = first or max(seconds)
            rows.append([name, *longest, milliseconds(float(np.median(seconds)))])
        diary.close()
    return Table(
        "ticks",
        "Forecasts while the forecaster learns",
        ("it learns and looks ahead", "longest tick, ms", "shorter by", "median tick, ms"),
        rows,
        f"{ticks} ticks of one camera, {activities} activities, {days} days of diary. The first tick is due to learn, "
        "and the tables for the horizons are due every 300 ticks. Observations wait as long as a tick takes.",
    )


def _fill(diary: Diary, activities: int, days: int) -> None:
    random = np.random.default_rng(1)
    spacing = 86400 / A_DAY
    rows = []
    for number in range(days * A_DAY):
        start = NOW - days * 86400 + number * spacing
        episode = Episode(f"activity {random.integers(activities)}", start, start + spacing * random.uniform(0.2, 0.9))
        rows.append((str(number), episode))
    diary.add("hall", rows)


def _ticks(diary: Diary, activities: int, ticks: int, executor: Executor) -> list[float]:
    """Return the seconds of each tick, with the observation in front of it."""
    labels = (*(f"activity {number}" for number in range(activities)), "nothing")
    context = Context("bench", {}, ModelContract("bench", "1", labels, ("nothing",), unknown_threshold=0.6), "ab", "1")
    settings = ForecasterSettings("bench", Scope.CAMERA, "mix", UTC)
    recognizer = Recognizer(LabelsMessage.of(context), None)
    learned = learn(diary, recognizer.states, settings, NOW)
    forecaster = Forecaster(recognizer, diary, Workers(executor, executor, executor), learned, settings)
    seconds = []
    for number in range(ticks):
        now = NOW + REFIT_PERIOD + 1 + number
        began = time.perf_counter()
        forecaster.observe(_observation(context, number, now), now)
        forecaster.tick(now)
        seconds.append(time.perf_counter() - began)
        time.sleep(PAUSE)
    return seconds


def _observation(context: Context, number: int, now: float) -> ObservationMessage:
    labels = context.contract.labels
    return ObservationMessage(
        schema="harstream.observation/1", node="bench", camera="hall", area=None, seq=number + 1, t=now, dt=1.0,
        symbol=labels[0], p=[1.0, *[0.0] * (len(labels) - 1)], labels_sha=context.labels_sha, valid=True, reason=None,
        dwell_s=1.0, stride_s=1.0, span_s=1.0, model=context.model,
    )  # fmt: skip
