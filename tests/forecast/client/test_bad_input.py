"""Whatever a node sends, and however the clocks jump, a forecaster stays right or says why it does not listen."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from harstream.forecast.client.diary import Diary
from harstream.forecast.client.forecaster import AboutCamera, Forecaster
from harstream.forecast.client.learned import Scope
from harstream.forecast.client.soundness import Unsound
from harstream.wire.health import REMOVED_REASON, HealthState
from harstream.wire.messages.event import EventMessage
from harstream.wire.messages.forecast import ForecastMessage
from harstream.wire.values import EndReason, EventType
from tests.forecast.client.household import (
    LABELS,
    MONDAY,
    event,
    fill,
    health,
    new_forecaster,
    observation,
)
from tests.support.damage import DAMAGES

HOUR, DAY, YEAR = 3600.0, 86400.0, 365 * 86400.0
Validate = Callable[[Any], None]
Sending = Callable[[float], AboutCamera]
"""Makes a message at a time."""
cameras = st.sampled_from(("hall", "yard"))
offsets = st.sampled_from((0.0, 0.0, 0.0, -1.0, -30.0, -DAY, 45.0, HOUR, YEAR, -YEAR)) | st.sampled_from(
    (-1e9, 1e15, -1e15, 1e300)
)
"""Seconds from now to the times in a message. Half of them are right."""
scores: SearchStrategy[list[float]] = st.sampled_from(
    (
        [0.92, 0.02, 0.02, 0.02, 0.02], [0.0, 0.0, 0.0, 1.0, 0.0], [0.2] * 5, [0.0] * 5, [1.0] * 5, [0.5, 0.5], [],
        [math.nan] * 5, [math.inf, 0.0, 0.0, 0.0, 0.0], [1.4, -0.1, -0.1, -0.1, -0.1], [1.0] + [0.0] * 500,
    )
)  # fmt: skip


@st.composite
def observations(draw: DrawFn) -> Sending:
    offset, changes = draw(offsets), draw(st.fixed_dictionaries({}, optional={
        "camera": cameras, "p": scores, "labels_sha": st.just("00"), "dt": st.sampled_from((-5.0, -YEAR, 1e300, None)),
        "span_s": st.sampled_from((-1.0, 0.0, 1e9, 1e300, None)), "valid": st.just(False),
    }))  # fmt: skip
    label = draw(st.sampled_from(LABELS))
    return lambda now: observation(now + offset, label).model_copy(update=changes)


@st.composite
def events(draw: DrawFn) -> Sending:
    offset, lasted = draw(offsets), draw(st.sampled_from((0.0, 60.0, 60.0, 60.0, -60.0, DAY, YEAR, 1e300)))
    kind, activity = draw(st.sampled_from(EventType)), draw(st.sampled_from(LABELS[:4]))
    changes = draw(st.fixed_dictionaries({}, optional={
        "camera": cameras, "activity": st.sampled_from(("Flying", "")), "historical": st.just(True),
        "seq": st.integers(0, 5), "id": st.sampled_from(("a", "b", "")), "ended_at": st.none(),
        "end_reason": st.sampled_from(EndReason), "duration_s": st.sampled_from((-1.0, 1e300)),
    }))  # fmt: skip

    def send(now: float) -> EventMessage:
        start = now - lasted + offset
        return event(kind, activity, start, start + lasted).model_copy(update=changes)

    return send


@st.composite
def healths(draw: DrawFn) -> Sending:
    state, offset, camera = draw(st.sampled_from(HealthState)), draw(offsets), draw(cameras)
    reason = draw(st.sampled_from((None, None, None, REMOVED_REASON)))
    return lambda now: health(state, now + offset, camera).model_copy(update={"reason": reason})


messages = st.one_of(observations(), events(), healths())
steps = st.lists(st.tuples(st.sampled_from((0.0, 1.0, 1.0, 2.0, 61.0)), messages), min_size=1, max_size=20)
jumps = st.sampled_from((1.0, 1.0, 61.0, -1.0, -60.0, HOUR, -HOUR, DAY, -DAY, YEAR, -YEAR))
hostile = settings(
    max_examples=DAMAGES // 4, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


def send(forecaster: Forecaster, message: AboutCamera, now: float) -> None:
    """Give a message as the service does, which logs an unsound one in one line."""
    with suppress(Unsound):
        forecaster.handle(message, now)


def check(message: ForecastMessage, validate: Validate) -> None:
    validate(message.model_dump(mode="json"))
    assert message.p_now is not None
    for p in (message.p_now, *(horizon.p for horizon in message.horizons)):
        assert sum(p.values()) == pytest.approx(1, abs=1e-3)
    for nearer, later in pairwise(horizon.begins or {} for horizon in message.horizons):
        assert all(later[name] >= p for name, p in nearer.items())
    assert 0 <= message.dwell_s < YEAR


def recovers(forecaster: Forecaster, now: float) -> bool:
    """Return whether it comes to believe what it sees for twenty minutes."""
    for second in range(0, 1200, 5):
        forecaster.observe(observation(now + second, "Work"), now + second)
        messages = [message for message in forecaster.tick(now + second) if message.camera in ("hall", None)]
        if any(message.activity == "Work" for message in messages):
            return True
    return False


@pytest.mark.parametrize("scope", Scope)
def test_no_message_makes_a_belief_wrong(scope: Scope, diary: Diary, validate: Validate) -> None:
    """All messages come to one forecaster, one after the other."""
    fill(diary, 3)
    forecaster, clock = new_forecaster(diary, scope=scope), [MONDAY]

    @hostile
    @given(steps)
    def attack(given_steps: list[tuple[float, Sending]]) -> None:
        for seconds, message in given_steps:
            send(forecaster, message(clock[0]), clock[0])
            clock[0] += seconds
            for forecast in forecaster.tick(clock[0]):
                check(forecast, validate)

    attack()
    forecaster.follow_health(health(HealthState.LIVE, clock[0] + 1), clock[0] + 1)
    assert recovers(forecaster, clock[0] + 100)


@settings(parent=hostile, max_examples=DAMAGES // 15)
@given(st.lists(st.tuples(jumps, messages), min_size=1, max_size=6))
def test_clocks_may_jump(tmp_path_factory: pytest.TempPathFactory, validate: Validate, given_steps: Any) -> None:
    diary = Diary(tmp_path_factory.mktemp("jumps") / "forecast.sqlite")
    diary.start()
    fill(diary, 3)
    forecaster, now = new_forecaster(diary), MONDAY
    for seconds, message in given_steps:
        now += seconds
        send(forecaster, message(now), now)
        for forecast in forecaster.tick(now):
            check(forecast, validate)
    send(forecaster, health(HealthState.LIVE, now + 1), now + 1)
    assert recovers(forecaster, now + 100)
    diary.close()
