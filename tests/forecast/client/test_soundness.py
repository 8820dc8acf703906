"""What cannot be true is refused with its reason, and what is only odd does no harm."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from harstream.forecast.client.diary import Diary, Loss
from harstream.forecast.client.evidence import Symbols
from harstream.forecast.client.forecaster import Forecaster
from harstream.forecast.client.soundness import Unsound, check_emission, check_labels
from harstream.forecast.model.states import States
from harstream.wire.health import HealthState
from harstream.wire.messages.camera import HealthMessage
from harstream.wire.messages.emission import EmissionMessage
from harstream.wire.messages.event import EventMessage
from harstream.wire.values import EventType
from tests.forecast.client.household import (
    LABELS,
    MONDAY,
    emission_message,
    event,
    fill,
    health,
    labels_message,
    new_forecaster,
    observation,
)

HOUR, DAY, YEAR = 3600.0, 86400.0, 365 * 86400.0


def send(forecaster: Forecaster, message: EventMessage | HealthMessage, now: float) -> None:
    if isinstance(message, EventMessage):
        forecaster.follow(message, now)
    else:
        forecaster.follow_health(message, now)


def recovers(forecaster: Forecaster, now: float) -> bool:
    """Return whether it believes what it sees for two minutes."""
    last = ""
    for second in range(120):
        forecaster.observe(observation(now + second, "Work"), now + second)
        last = next((message.activity for message in forecaster.tick(now + second)), last)
    return last == "Work"


@pytest.mark.parametrize(
    "changes",
    [
        {"matrix": [[0.0] * 5, *([0.2] * 5 for _ in range(4))]}, {"matrix": [[0.2] * 5] * 4},
        {"matrix": [[0.2] * 4] * 5}, {"matrix": []}, {"prior": [0.5, 0.5]}, {"sure": [[0.2] * 5] * 5},
        {"sure": [[0.0] * 10] * 5}, {"labels": list(LABELS[::-1])}, {"labels": []}, {"matrix": [[math.nan] * 5] * 5},
    ],
)  # fmt: skip
def test_an_emission_that_does_not_fit_the_labels_is_refused(changes: dict[str, Any]) -> None:
    check_emission(emission_message(), LABELS)
    with pytest.raises(Unsound):
        check_emission(emission_message().model_copy(update=changes), LABELS)


@pytest.mark.parametrize(
    "changes",
    [{"labels": []}, {"labels": ["Nothing"]}, {"labels": ["Eat", "Eat"]}, {"labels": ["Eat", "unknown"]},
     {"labels": [str(number) for number in range(201)]}],
)  # fmt: skip
def test_labels_that_name_no_activities_are_refused(changes: dict[str, Any]) -> None:
    check_labels(labels_message())
    with pytest.raises(Unsound):
        check_labels(labels_message().model_copy(update=changes))


def test_a_symbol_that_the_clips_never_showed_does_not_rule_an_activity_out() -> None:
    rows = [[1.0 if row == column else 0.0 for column in range(5)] for row in range(5)]
    message = EmissionMessage.model_validate(emission_message().model_dump() | {"matrix": rows})
    emission = Symbols(States(LABELS[:4]), LABELS, 0.6).emission(message)
    assert emission.min() > 0
    np.testing.assert_allclose(emission.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (event(EventType.START, "Work", 1000.0), "before 2020"),
        (event(EventType.START, "Work", MONDAY + YEAR), "in the future"),
        (event(EventType.END, "Work", MONDAY, MONDAY - 60), "ends before it begins"),
        (event(EventType.END, "Work", MONDAY - 60, MONDAY).model_copy(update={"ended_at": 1e300}), "in the future"),
        (health(HealthState.OFFLINE, 0.0), "before 2020"),
        (health(HealthState.LIVE, MONDAY + DAY), "in the future"),
    ],
)
def test_what_cannot_be_true_is_refused_with_the_reason(
    message: EventMessage | HealthMessage, reason: str, diary: Diary
) -> None:
    forecaster = new_forecaster(diary)
    with pytest.raises(Unsound, match=reason):
        send(forecaster, message, MONDAY)
    assert forecaster.places == []
    assert diary.episodes("hall") == []


def test_a_window_that_claims_to_last_for_years_does_not_silence_its_camera(diary: Diary) -> None:
    forecaster = new_forecaster(diary)
    forecaster.observe(observation(MONDAY, "Sleep").model_copy(update={"span_s": 1e9}), MONDAY)
    assert recovers(forecaster, MONDAY + 1)


@pytest.mark.parametrize("back", [HOUR, DAY, YEAR])
def test_a_clock_that_is_set_back_does_not_stop_the_belief(back: float, diary: Diary) -> None:
    """Nothing is seen any more, so it becomes less certain, also before the old time is reached again."""
    fill(diary, 3)
    forecaster = new_forecaster(diary)
    assert recovers(forecaster, MONDAY)
    (certain,) = forecaster.tick(MONDAY + 180)
    last = certain
    for step in range(10):
        last = next(iter(forecaster.tick(MONDAY - back + 60 * step)), last)
    assert certain.p_now is not None
    assert last.p_now is not None
    assert last.p_now["Work"] < certain.p_now["Work"]


@pytest.mark.parametrize("back", [HOUR, YEAR])
def test_observations_count_after_both_clocks_were_set_back(back: float, diary: Diary) -> None:
    forecaster = new_forecaster(diary)
    forecaster.observe(observation(MONDAY, "Sleep"), MONDAY)
    forecaster.tick(MONDAY)
    assert recovers(forecaster, MONDAY - back)


def test_an_activity_that_was_learned_while_the_clock_was_ahead_leaves_all_forecasts_finite(diary: Diary) -> None:
    fill(diary, 10)
    ahead = MONDAY + 3 * YEAR
    forecaster = new_forecaster(diary, "dbn", now=ahead)
    forecaster.follow(event(EventType.START, "Shower", ahead), ahead)
    forecaster.follow(event(EventType.END, "Shower", ahead, ahead + 60), ahead + 60)
    forecaster.follow(event(EventType.START, "Work", MONDAY), MONDAY)
    (forecast,) = forecaster.tick(MONDAY)
    assert all(math.isfinite(p) for horizon in forecast.horizons for p in horizon.p.values())


def test_a_new_camera_has_shown_unknown_only_since_now(diary: Diary) -> None:
    forecaster = new_forecaster(diary)
    forecaster.follow_health(health(HealthState.LIVE, MONDAY), MONDAY)
    (first,) = forecaster.tick(MONDAY)
    (later,) = forecaster.tick(MONDAY + 70)
    assert first.dwell_s == 0
    assert later.dwell_s <= 70


def test_a_camera_whose_events_are_missing_has_shown_its_activity_only_since_it_was_seen(diary: Diary) -> None:
    fill(diary, 20)
    forecaster, last = new_forecaster(diary), None
    for second in range(120):
        now = MONDAY + 9 * HOUR + second
        forecaster.observe(observation(now, "Shower"), now)
        last = next(iter(forecaster.tick(now)), last)
    assert last is not None
    assert last.activity == "Shower"
    assert last.dwell_s < 120


def test_a_clock_that_is_a_year_ahead_for_a_moment_loses_nothing_that_was_measured(diary: Diary) -> None:
    fill(diary, 3)
    diary.add_losses([Loss("hall", MONDAY - DAY, "next", "published", 0.5)], keep_since=0)
    forecaster = new_forecaster(diary)
    for now in (MONDAY, MONDAY + YEAR, MONDAY + YEAR + 60, MONDAY + 120):
        forecaster.observe(observation(now, "Work"), now)
        forecaster.tick(now)
    assert diary.losses(0)[0].time == MONDAY - DAY
