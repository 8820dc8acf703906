"""Values such as a stream makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from harstream.models.box import WHOLE, Box
from harstream.models.contract import ModelContract
from harstream.wire.context import Context
from harstream.wire.health import Health, HealthState
from harstream.wire.values import (
    Activity,
    CameraChange,
    CameraState,
    Confidence,
    EndReason,
    Event,
    EventType,
    LabelScore,
    Notice,
    Previous,
    Scores,
    Subject,
    Warming,
)

# 2023-11-14T22:13:20Z
NOON = 1_700_000_000.0


@pytest.fixture
def context() -> Context:
    contract = ModelContract(name="lrcn", version="1.0.0", labels=("Idle", "JumpingJack", "Lunges"),
                             background=("Idle",), frames=21, rate=10.0)  # fmt: skip
    return Context(node="nuc1", areas={"hall": "Hallway"}, contract=contract, model_sha256="ab12", version="0.1.0")


LEFT, RIGHT = Box(0.1, 0.2, 0.4, 0.8), Box(0.6, 0.2, 0.9, 0.8)


def subject(
    person: int | None, activity: str, since: float = NOON, confidence: float = 0.9, *, box: Box = LEFT
) -> Subject:
    return Subject(person, box, Activity(activity, since, confidence, 0.8), (LabelScore(activity, confidence),))


def make_scores(*values: float, time: float = NOON) -> Scores:
    labels = tuple(f"label{number}" for number in range(len(values)))
    return Scores(np.array(values, np.float32), time=time, span=2.0, labels=labels)


MakeEvent = Callable[..., Event]
MakeNotice = Callable[..., Notice]
MakeHealth = Callable[..., Health]


@pytest.fixture
def make_event() -> MakeEvent:
    """Makes events: the start is at second 1.12 and detected at 2.22, the end is at 9.52."""

    def make(kind: EventType = EventType.START, **changes: Any) -> Event:
        ending = {"ended_at": NOON + 9.52, "end_reason": EndReason.LOW_CONFIDENCE} if kind is EventType.END else {}
        values: dict[str, Any] = {
            "type": kind, "id": "01JD", "seq": 1, "camera": "hall", "activity": "JumpingJack", "label_id": 1,
            "confidence": Confidence(mean=0.81234567, peak=0.93, last=0.37),
            "topk": (LabelScore("JumpingJack", 0.37), LabelScore("Lunges", 0.21)),
            "started_at": NOON + 1.12, "updated_at": NOON + 2.22, "detected_at": NOON + 2.22,
            "previous": Previous("unknown", 31.0),
        }  # fmt: skip
        return Event(**(values | ending | changes))

    return make


@pytest.fixture
def make_notice() -> MakeNotice:
    def make(
        *events: Event, camera: str = "hall", time: float = NOON, activity: str = "unknown", since: float = NOON,
        scores: tuple[float, ...] | None = None, state: CameraState | None = None, reason: str = "",
        warming: tuple[int, int] = (20, 20), lit: float = 1.0, unchanged: float = 0.0, subjects: Sequence[Subject] = (),
    ) -> Notice:  # fmt: skip
        shown = Activity(activity, since=since, confidence=0.5)
        scored = None if scores is None else make_scores(*scores, time=time)
        return Notice(
            camera=camera,
            time=time,
            activity=shown,
            warming=Warming(*warming),
            scores=scored,
            events=events,
            change=None if state is None else CameraChange(camera, time, state, reason),
            person=subjects[0].person if subjects else None,
            subjects=tuple(subjects) or (Subject(None, WHOLE, shown, (), scored),),
            lit=lit,
            unchanged=unchanged,
        )

    return make


@pytest.fixture
def make_health() -> MakeHealth:
    """Makes the health of a camera without trouble."""

    def make(**changes: Any) -> Health:
        values: dict[str, Any] = {
            "camera": "hall", "time": NOON, "state": HealthState.LIVE, "since": NOON, "reason": "", "trouble": None,
            "warming": (20, 20), "fps": 24.96,
            "frame_age": 0.0, "dropped": 0, "dropping": 0.0, "behind": 0.0, "overloaded": False, "reconnects": 0,
        }  # fmt: skip
        values |= changes
        return Health(**values | {"warming": Warming(*values["warming"])})

    return make
