"""A forecaster follows a household, learns its habits, and says only what it has proved."""

from __future__ import annotations

import pytest

from harstream.forecast.client.diary import Diary
from harstream.forecast.client.forecaster import Forecaster
from harstream.forecast.client.learned import ForecasterSettings, Scope, learn
from harstream.wire.health import REMOVED_REASON, HealthState
from harstream.wire.messages.forecast import ForecastMessage
from harstream.wire.values import EndReason, EventType
from tests.forecast.client.household import (
    MONDAY,
    ZONE,
    event,
    fill,
    health,
    new_forecaster,
    observation,
)


def watch(forecaster: Forecaster, label: str, start: float, end: float, step: float = 5.0) -> ForecastMessage | None:
    """Observe a label from `start` to `end`, and return the last forecast."""
    last, time = None, start
    while time < end:
        forecaster.observe(observation(time, label), time)
        for message in forecaster.tick(time):
            last = message
        time += step
    return last


ROUND = ("Shower", "Breakfast", "Work")


def live(forecaster: Forecaster, rounds: int, begins: float = MONDAY) -> ForecastMessage | None:
    """Do the three activities of a round in turn, five minutes each. Return the last forecast."""
    last = None
    for number in range(rounds * len(ROUND)):
        name, began = ROUND[number % len(ROUND)], begins + 300 * number
        forecaster.follow(event(EventType.START, name, began), began)
        last = watch(forecaster, name, began, began + 290, 30.0) or last
        forecaster.follow(event(EventType.END, name, began, began + 290), began + 290)
    return last


def test_it_believes_what_is_observed(diary: Diary) -> None:
    fill(diary, 20)
    forecaster = new_forecaster(diary)

    message = watch(forecaster, "Shower", MONDAY + 7.1 * 3600, MONDAY + 7.1 * 3600 + 30)

    assert message is not None
    assert message.activity == "Shower"
    assert message.p_now is not None
    assert message.p_now["Shower"] > 0.7  # not 0.99: six windows may share one error


def test_breakfast_is_expected_after_the_shower(diary: Diary) -> None:
    fill(diary, 20)
    forecaster = new_forecaster(diary)
    began = MONDAY + 7.1 * 3600
    forecaster.follow(event(EventType.START, "Shower", began), began)

    message = watch(forecaster, "Shower", began, began + 60)

    assert message is not None
    quarter = next(horizon for horizon in message.horizons if horizon.horizon_s == 900)
    hour = next(horizon for horizon in message.horizons if horizon.horizon_s == 3600)
    assert quarter.begins is not None
    assert hour.begins is not None
    assert max(quarter.begins, key=lambda name: quarter.begins[name]) == "Breakfast"  # type: ignore[index]
    assert hour.begins["Breakfast"] > 0.45  # it may be an error that lasts: six windows show the shower
    assert message.remaining_s is not None
    assert message.remaining_s.p10 < 11 * 60 < message.remaining_s.p90


def test_the_next_activity_is_said_only_after_thirty_changes(diary: Diary) -> None:
    message = live(new_forecaster(diary), 3)

    assert message is not None
    assert message.next is None
    assert message.next_reason == "8 of 30 changes of activity seen"


def test_the_next_activity_is_said_when_it_was_better_than_the_baseline(diary: Diary) -> None:
    """The baseline knows the hour alone, which says nothing here."""
    live(new_forecaster(diary), 4)
    forecaster = new_forecaster(diary, now=MONDAY + 3600)

    message = live(forecaster, 11, MONDAY + 3600)

    assert message is not None
    assert message.skill is not None
    assert message.skill.value > 0.2
    assert message.next is not None
    assert (message.activity, message.next.activity) == ("Work", "Shower")
    assert 0 < message.next.expected_at - message.made_at < 1500

    # Events wait until recognition is sure. Until then, the last event is that of the earlier activity.
    began = MONDAY + 3600 + 11 * 900
    message = watch(forecaster, "Shower", began, began + 30)
    assert message is not None
    assert message.next is not None
    assert (message.activity, message.next.activity) == ("Shower", "Breakfast")
    assert message.dwell_s < 30


def test_it_learns_from_the_first_activities_within_minutes(diary: Diary) -> None:
    message = live(new_forecaster(diary), rounds=5)

    assert message is not None
    assert message.predictor.trained_until is not None


def test_what_it_learned_survives_a_restart(diary: Diary) -> None:
    live(new_forecaster(diary), 2)
    assert len(diary.episodes("hall")) == 6

    again = new_forecaster(diary, now=MONDAY + 3600)
    again.follow(event(EventType.END, "Shower", MONDAY, MONDAY + 290), MONDAY + 3600)

    assert len(diary.episodes("hall")) == 6  # an event that arrives again is learned once


def test_an_outage_widens_the_belief(diary: Diary) -> None:
    fill(diary, 20)
    forecaster = new_forecaster(diary)
    start = MONDAY + 9 * 3600
    before = watch(forecaster, "Work", start, start + 60)
    forecaster.follow_health(health(HealthState.OFFLINE, start + 60), start + 60)

    after = forecaster.tick(start + 4 * 3600)[-1]

    assert before is not None
    assert before.p_now is not None
    assert after.p_now is not None
    assert 0.3 < after.p_now["Work"] < before.p_now["Work"]  # most likely it still goes on


def test_a_camera_that_left_the_config_has_no_forecast_until_it_is_back(diary: Diary) -> None:
    forecaster = new_forecaster(diary)
    forecaster.follow_health(health(HealthState.LIVE, MONDAY), MONDAY)
    assert [message.camera for message in forecaster.tick(MONDAY)] == ["hall"]

    gone = health(HealthState.OFFLINE, MONDAY + 60).model_copy(update={"reason": REMOVED_REASON})
    forecaster.follow_health(gone, MONDAY + 60)
    assert (forecaster.tick(MONDAY + 120), forecaster.places) == ([], [])

    forecaster.follow_health(health(HealthState.LIVE, MONDAY + 180), MONDAY + 180)
    assert [message.camera for message in forecaster.tick(MONDAY + 180)] == ["hall"]


def test_an_end_by_an_outage_is_not_learned_as_an_end(diary: Diary) -> None:
    forecaster = new_forecaster(diary)
    forecaster.follow(event(EventType.START, "Work", MONDAY), MONDAY)
    forecaster.follow(event(EventType.END, "Work", MONDAY, MONDAY + 60, reason=EndReason.CAMERA_OFFLINE), MONDAY + 60)
    forecaster.follow_health(health(HealthState.OFFLINE, MONDAY + 60), MONDAY + 60)
    forecaster.follow_health(health(HealthState.LIVE, MONDAY + 600), MONDAY + 600)

    assert [episode.is_end_seen for episode in diary.episodes("hall")] == [False]
    assert [(away.start, away.end) for away in diary.away("hall")] == [(MONDAY + 60, MONDAY + 600)]


def test_without_observations_events_are_the_evidence(diary: Diary) -> None:
    fill(diary, 20)
    forecaster = new_forecaster(diary)
    began = MONDAY + 9 * 3600
    forecaster.follow(event(EventType.START, "Work", began), began)

    messages = [message for second in range(0, 60, 5) for message in forecaster.tick(began + second)]

    assert messages[-1].activity == "Work"


def test_a_forecast_is_said_once_a_minute_and_when_the_activity_changes(diary: Diary) -> None:
    fill(diary, 20)
    forecaster = new_forecaster(diary)
    start, said = MONDAY + 9 * 3600, []
    for second in range(150):
        forecaster.observe(observation(start + second, "Work"), start + second)
        said += [start + second for message in forecaster.tick(start + second)]

    assert 3 <= len(said) <= 5
    assert len(watch_labels(forecaster, "Breakfast", start + 150, 60)) >= 1


def watch_labels(forecaster: Forecaster, label: str, start: float, seconds: int) -> list[str]:
    found = []
    for second in range(seconds):
        forecaster.observe(observation(start + second, label), start + second)
        found += [message.activity for message in forecaster.tick(start + second)]
    return found


@pytest.mark.parametrize("predictor", ["mix", "hmm", "dbn", "baseline"])
def test_every_predictor_gives_probabilities(predictor: str, diary: Diary) -> None:
    fill(diary, 5)
    forecaster = new_forecaster(diary, predictor)

    message = watch(forecaster, "Sleep", MONDAY + 3600, MONDAY + 3660)

    assert message is not None
    assert message.predictor.name == predictor
    for horizon in message.horizons:
        assert sum(horizon.p.values()) == pytest.approx(1, abs=0.001)


def test_a_shower_of_two_hours_is_unusual(diary: Diary) -> None:
    fill(diary, 30)
    forecaster = new_forecaster(diary)
    began = MONDAY + 7.1 * 3600
    forecaster.follow(event(EventType.START, "Shower", began), began)
    soon = watch(forecaster, "Shower", began, began + 600, 60.0)
    late = watch(forecaster, "Shower", began + 600, began + 2 * 3600, 60.0)

    assert soon is not None
    assert soon.unusual is None
    assert late is not None
    assert late.unusual is not None
    assert (late.unusual.kind, late.unusual.activity, late.unusual.since) == ("lasts_long", "Shower", began)


def test_a_breakfast_that_has_not_begun_is_unusual(diary: Diary) -> None:
    """On thirty days it began before 7:30. Nobody was seen since the evening before."""
    fill(diary, 30)
    forecaster = new_forecaster(diary, now=MONDAY - 3600)
    forecaster.observe(observation(MONDAY - 3600, "Nothing"), MONDAY - 3600)

    early = watch(forecaster, "Nothing", MONDAY + 5 * 3600, MONDAY + 5 * 3600 + 60, 60.0)
    late = watch(forecaster, "Nothing", MONDAY + 8.2 * 3600, MONDAY + 8.2 * 3600 + 60, 60.0)

    assert early is not None
    assert early.unusual is None
    assert late is not None
    assert late.unusual is not None
    assert late.unusual.kind == "not_begun"
    assert late.unusual.activity in ("Shower", "Breakfast")
    assert MONDAY + 7 * 3600 < late.unusual.since < MONDAY + 7.6 * 3600


def test_it_says_once_that_only_events_come(diary: Diary, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    forecaster = new_forecaster(diary)
    forecaster.follow(event(EventType.START, "Work", MONDAY), MONDAY)
    for second in range(5):
        forecaster.tick(MONDAY + second)

    assert sum("its events are the evidence" in record.message for record in caplog.records) == 1


def test_it_says_how_many_observations_could_not_be_used(diary: Diary, caplog: pytest.LogCaptureFixture) -> None:
    forecaster = new_forecaster(diary)
    for second in range(20):
        wrong = observation(MONDAY + second, "Work").model_copy(update={"labels_sha": "00"})
        forecaster.observe(wrong, MONDAY + second)
        forecaster.tick(MONDAY + second)

    assert [record.message for record in caplog.records] == ["observations that could not be used: 1 of another model"]


def test_of_two_people_in_front_of_a_camera_the_one_who_began_last_is_learned_and_the_other_resumes(
    diary: Diary,
) -> None:
    """Two hours of work and ten minutes of breakfast beside it. What is learned has no overlap."""
    forecaster = new_forecaster(diary)
    hour = 3600.0
    work, breakfast = (MONDAY, MONDAY + 2 * hour), (MONDAY + hour, MONDAY + hour + 600)
    forecaster.follow(event(EventType.START, "Work", work[0], person=1), work[0])
    forecaster.follow(event(EventType.START, "Breakfast", breakfast[0], person=2), breakfast[0])
    assert diary.going_on("hall") == "Breakfast"
    forecaster.follow(event(EventType.END, "Breakfast", *breakfast, person=2), breakfast[1])
    assert diary.going_on("hall") == "Work"
    forecaster.follow(event(EventType.END, "Work", *work, person=1), work[1])

    learned = learn(diary, forecaster.states, ForecasterSettings("home", Scope.CAMERA, "mix", ZONE), work[1])

    names = forecaster.states.activities
    course = [(each.state, each.start - MONDAY, each.end - MONDAY) for each in learned.past.course]
    assert [(names[state], start, end) for state, start, end in course if state < len(names)] == [
        ("Work", 0, hour), ("Breakfast", hour, hour + 600), ("Work", hour + 600, 2 * hour)
    ]  # fmt: skip


def test_the_diary_knows_what_goes_on(diary: Diary) -> None:
    forecaster = new_forecaster(diary)
    forecaster.follow(event(EventType.START, "Work", MONDAY), MONDAY)
    assert diary.going_on("hall") == "Work"

    forecaster.follow(event(EventType.END, "Work", MONDAY, MONDAY + 60), MONDAY + 60)
    assert diary.going_on("hall") is None
