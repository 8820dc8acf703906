"""A household that lives by the clock, as the messages of its node."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from datetime import UTC, tzinfo
from typing import ParamSpec, TypeVar

from harstream.forecast.client.background import Workers
from harstream.forecast.client.diary import Diary
from harstream.forecast.client.evidence import Recognizer
from harstream.forecast.client.forecaster import Forecaster
from harstream.forecast.client.learned import ForecasterSettings, Scope, learn
from harstream.forecast.learning.episodes import Episode
from harstream.models.contract import ModelContract
from harstream.wire.context import Context
from harstream.wire.health import HealthState
from harstream.wire.messages.camera import HealthMessage, ObservationMessage, WarmingMessage
from harstream.wire.messages.emission import EmissionMessage
from harstream.wire.messages.event import EventMessage
from harstream.wire.messages.node import LabelsMessage
from harstream.wire.values import (
    Confidence,
    EndReason,
    Event,
    EventType,
)

LABELS = ("Breakfast", "Shower", "Sleep", "Work", "Nothing")
CONTRACT = ModelContract("home", "1", LABELS, ("Nothing",), unknown_threshold=0.6)
CONTEXT = Context(node="home", areas={"hall": "Hall"}, contract=CONTRACT, model_sha256="ab", version="1")
MONDAY = 20_000 * 86400.0 + 4 * 86400
ZONE: tzinfo = UTC
DAY = (("Sleep", -1.0, 7.0), ("Shower", 7.1, 7.3), ("Breakfast", 7.4, 7.9), ("Work", 9.0, 18.0))
"""Activities with their local start and end, in hours."""
RIGHT = 0.9
ROW = (1 - RIGHT) / 4
REPORT = {
    "labels": LABELS,
    "matrix": [[RIGHT if row == column else ROW for column in range(5)] for row in range(5)],
    "prior": [0.2] * 5,
}


P = ParamSpec("P")
T = TypeVar("T")


class AtOnce(Executor):
    """Does the work when it is submitted, so that a test needs no thread."""

    def submit(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future = Future[T]()
        try:
            future.set_result(work(*args, **kwargs))
        except Exception as error:  # as an executor does
            future.set_exception(error)
        return future


def labels_message() -> LabelsMessage:
    return LabelsMessage.of(CONTEXT)


def emission_message() -> EmissionMessage:
    return EmissionMessage.of(REPORT, CONTEXT)


def fill(diary: Diary, days: int) -> None:
    """Writes the days before Monday into the diary."""
    for day in range(days):
        begins = MONDAY - (days - day) * 86400 + 60 * (day % 5)
        diary.add("hall", [(f"{day}-{name}", Episode(name, begins + 3600 * start, begins + 3600 * end))
                           for name, start, end in DAY])  # fmt: skip


def new_forecaster(
    diary: Diary,
    predictor: str = "mix",
    *,
    now: float = MONDAY,
    executor: Executor | None = None,
    scope: Scope = Scope.CAMERA,
) -> Forecaster:
    settings = ForecasterSettings("home", scope, predictor, ZONE)
    recognizer = Recognizer(labels_message(), emission_message())
    learned = learn(diary, recognizer.states, settings, now)
    slow = executor or AtOnce()
    return Forecaster(recognizer, diary, Workers(slow, slow, AtOnce()), learned, settings)


def observation(
    time: float, label: str, *, score: float = 0.92, seq: int = 1, camera: str = "hall"
) -> ObservationMessage:
    rest = (1 - score) / 4
    return ObservationMessage(
        schema="harstream.observation/1", node="home", camera=camera, area="Hall", seq=1, t=time, dt=1.0, symbol=label,
        p=[score if name == label else rest for name in LABELS], labels_sha=CONTEXT.labels_sha, valid=True, reason=None,
        dwell_s=1.0, stride_s=0.1, span_s=1.0, model=CONTEXT.model,
    )  # fmt: skip


def event(kind: EventType, activity: str, start: float, end: float | None = None, *, camera: str = "hall",
          reason: EndReason = EndReason.LOW_CONFIDENCE, person: int | None = None) -> EventMessage:  # fmt: skip
    """An event of the activity that began at `start`. A later event of it has a higher seq."""
    seq = {EventType.START: 1, EventType.UPDATE: 2, EventType.END: 3}[kind]
    value = Event(
        kind, f"{camera}-{activity}-{start:.0f}", seq, camera, activity, LABELS.index(activity),
        Confidence(0.9, 0.9, 0.9), (), start, end or start, start, person=person,
    )  # fmt: skip
    if kind is EventType.END:
        value = replace(value, ended_at=end, end_reason=reason)
    return EventMessage.of(value, CONTEXT)


def health(state: HealthState, since: float, camera: str = "hall") -> HealthMessage:
    return HealthMessage(
        schema="harstream.health/1", node="home", camera=camera, area="Hall", state=state, since=since, code=None,
        reason=None, window=WarmingMessage(frames=20, needed=20), fps=25, frame_age_s=0, overloaded=False, dropping=0,
        dropped=0, behind_s=0, reconnects=0, updated_at=since,
    )  # fmt: skip
