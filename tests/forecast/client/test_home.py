"""A home with two cameras and one person has one belief, which is better than that of each camera."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from harstream.forecast.client.diary import Diary
from harstream.forecast.client.forecaster import Forecaster
from harstream.forecast.client.learned import ForecasterSettings, Scope, learn
from harstream.forecast.learning.episodes import Episode
from harstream.forecast.model.states import States
from harstream.wire.health import REMOVED_REASON, HealthState
from harstream.wire.messages.forecast import ForecastMessage
from harstream.wire.values import EndReason, EventType
from tests.forecast.client.household import (
    DAY,
    LABELS,
    MONDAY,
    ZONE,
    event,
    health,
    new_forecaster,
    observation,
)

CAMERAS = ("kitchen", "bedroom")
SEES = {"Breakfast": "kitchen", "Work": "kitchen", "Shower": "bedroom", "Sleep": "bedroom"}
STEP = 60
RIGHT = 0.75
"""How often the recognizer is right, minute by minute."""


def fill_home(diary: Diary, days: int = 20) -> None:
    for day in range(days):
        begins = MONDAY - (days - day) * 86400 + 60 * (day % 5)
        for name, start, end in DAY:
            episode = Episode(name, begins + 3600 * start, begins + 3600 * end)
            diary.add(SEES[name], [(f"{day}-{name}", episode)])


def at_home(diary: Diary, scope: Scope = Scope.HOME) -> Forecaster:
    forecaster = new_forecaster(diary, scope=scope, now=MONDAY + 6 * 3600)
    for camera in CAMERAS:
        forecaster.follow_health(health(HealthState.LIVE, MONDAY, camera), MONDAY + 6 * 3600)
    return forecaster


def show(forecaster: Forecaster, time: float, shown: Sequence[tuple[str, str]]) -> dict[str | None, ForecastMessage]:
    """Each of these cameras shows a label. Return the forecasts by camera."""
    for camera, label in shown:
        forecaster.observe(observation(time, label, camera=camera), time)
    return {message.camera: message for message in forecaster.tick(time)}


def show_for(forecaster: Forecaster, start: float, minutes: int, **labels: str) -> ForecastMessage:
    """The cameras show the same for some minutes. Return the last forecast of the home."""
    found: dict[str | None, ForecastMessage] = {}
    for minute in range(minutes):
        found |= show(forecaster, start + STEP * minute, list(labels.items()))
    return found[None]


def morning(seed: int) -> Iterator[tuple[float, str, list[tuple[str, str]]]]:
    """Yield time, true activity, and what each camera shows. Errors are drawn anew each minute."""
    random = np.random.default_rng(seed)
    for minute in range(390, 9 * 60 + 30):
        hour = minute / 60
        truth = next((name for name, start, end in DAY if start <= hour < end), "Nothing")
        shown = []
        for camera in CAMERAS:
            right = truth if SEES.get(truth) == camera else "Nothing"
            shown.append((camera, right if random.random() < RIGHT else str(random.choice(LABELS))))
        yield MONDAY + STEP * minute, truth, shown


def test_the_belief_of_the_home_is_better_than_that_of_each_camera(diary: Diary) -> None:
    fill_home(diary)
    home, alone = at_home(diary), at_home(diary, Scope.CAMERA)
    losses: dict[str | None, list[float]] = {None: [], **{camera: [] for camera in CAMERAS}}
    for time, truth, shown in morning(seed=1):
        forecasts = show(home, time, shown) | show(alone, time, shown)
        for camera, message in forecasts.items():
            assert message.p_now is not None
            losses[camera].append(-np.log(max(message.p_now[truth if truth != "Nothing" else "unknown"], 1e-4)))

    means = {camera: float(np.mean(each)) for camera, each in losses.items()}
    assert means[None] < 0.7 * min(means[camera] for camera in CAMERAS)


def test_the_order_of_the_cameras_does_not_matter(diary: Diary) -> None:
    fill_home(diary)
    homes = at_home(diary), at_home(diary)
    for time, _, shown in list(morning(seed=2))[:60]:
        first, second = show(homes[0], time, shown), show(homes[1], time, shown[::-1])
        assert first[None].p_now == second[None].p_now


def test_a_person_who_goes_to_the_other_room_is_followed(diary: Diary) -> None:
    fill_home(diary)
    home, began = at_home(diary), MONDAY + 7.1 * 3600
    home.follow(event(EventType.START, "Shower", began, camera="bedroom"), began)
    first = show_for(home, began, 8, kitchen="Nothing", bedroom="Shower")
    goes = began + 8 * STEP
    home.follow(event(EventType.START, "Breakfast", goes, camera="kitchen"), goes)
    home.follow(event(EventType.END, "Shower", began, goes + 2, camera="bedroom"), goes + 5)

    then = show_for(home, goes + 6, 8, kitchen="Breakfast", bedroom="Nothing")

    assert (first.activity, then.activity) == ("Shower", "Breakfast")
    assert then.dwell_s == pytest.approx(6 + 7 * STEP)
    assert (then.camera, then.scope, then.area) == (None, "home", None)
    changes = diary.losses(0, question="next")
    assert [loss.camera for loss in changes] == ["*"] * 4  # three predictors and what was published
    assert [episode.activity for episode in diary.episodes("bedroom")[-1:]] == ["Shower"]  # the diary is per camera


def test_two_cameras_at_once_confirm_each_other(diary: Diary) -> None:
    for day in range(20):  # both see the breakfast
        begins = MONDAY - (20 - day) * 86400
        for camera in CAMERAS:
            episode = Episode("Breakfast", begins + 3600 * 7.4, begins + 3600 * 7.9)
            diary.add(camera, [(f"{day}-{camera}", episode)])
    start = MONDAY + 8.5 * 3600
    one = show_for(at_home(diary), start, 1, kitchen="Breakfast")
    both = show_for(at_home(diary), start, 1, kitchen="Breakfast", bedroom="Breakfast")

    assert one.p_now is not None
    assert both.p_now is not None
    assert both.p_now["Breakfast"] > one.p_now["Breakfast"] > 0.3


def test_while_a_camera_is_away_the_other_one_does_not_say_that_nothing_happens(diary: Diary) -> None:
    fill_home(diary)
    probabilities = []
    for is_away in (True, False):
        home, began = at_home(diary), MONDAY + 9.1 * 3600
        show_for(home, began, 10, kitchen="Work", bedroom="Nothing")
        later = began + 10 * STEP
        if is_away:
            home.follow_health(health(HealthState.OFFLINE, later, "kitchen"), later)
            message = show_for(home, later, 20, bedroom="Nothing")
        else:
            message = show_for(home, later, 20, kitchen="Nothing", bedroom="Nothing")
        assert message.p_now is not None
        probabilities.append(message.p_now["Work"])
    away, present = probabilities
    assert away > 0.6
    assert present < 0.2


def test_a_camera_without_observations_does_not_spoil_the_belief(diary: Diary) -> None:
    fill_home(diary)
    start = MONDAY + 9.1 * 3600

    message = show_for(at_home(diary), start, 10, kitchen="Work")

    assert message.activity == "Work"


def test_a_camera_that_comes_later_or_is_removed_does_not_spoil_the_belief(diary: Diary) -> None:
    fill_home(diary)
    home, start = at_home(diary), MONDAY + 9.1 * 3600
    before = show_for(home, start, 10, kitchen="Work", bedroom="Nothing")
    with_garden = show_for(home, start + 10 * STEP, 10, kitchen="Work", bedroom="Nothing", garden="Nothing")
    gone = health(HealthState.OFFLINE, start + 20 * STEP, "garden").model_copy(update={"reason": REMOVED_REASON})
    home.follow_health(gone, start + 20 * STEP)
    after = show_for(home, start + 20 * STEP, 10, kitchen="Work", bedroom="Nothing")

    for message in (before, with_garden, after):
        assert message.p_now is not None
        assert message.p_now["Work"] > 0.8
    assert home.places == [None]


def test_a_home_without_cameras_has_no_forecast(diary: Diary) -> None:
    home = at_home(diary)
    assert home.places == [None]
    for camera in CAMERAS:
        gone = health(HealthState.OFFLINE, MONDAY + 7 * 3600, camera).model_copy(update={"reason": REMOVED_REASON})
        home.follow_health(gone, MONDAY + 7 * 3600)

    assert home.places == []
    assert home.tick(MONDAY + 7 * 3600) == []


def test_the_scope_can_change_because_the_diary_is_per_camera(diary: Diary) -> None:
    fill_home(diary, days=3)
    assert {message.camera for message in at_home(diary, Scope.CAMERA).tick(MONDAY + 6 * 3600)} == set(CAMERAS)
    assert {message.camera for message in at_home(diary).tick(MONDAY + 6 * 3600)} == {None}


def test_the_last_event_of_a_removed_camera_is_learned_and_the_camera_stays_away(diary: Diary) -> None:
    forecaster = at_home(diary, Scope.CAMERA)
    gone = health(HealthState.OFFLINE, MONDAY + 60, "kitchen").model_copy(update={"reason": REMOVED_REASON})
    forecaster.follow_health(gone, MONDAY + 60)
    reason = EndReason.CAMERA_OFFLINE
    forecaster.follow(event(EventType.END, "Work", MONDAY, MONDAY + 60, camera="kitchen", reason=reason), MONDAY + 61)
    forecaster.observe(observation(MONDAY + 60, "Work", camera="kitchen"), MONDAY + 61)

    assert forecaster.places == ["bedroom"]
    assert diary.episodes("kitchen") == [Episode("Work", MONDAY, MONDAY + 60, is_end_seen=False)]


@pytest.mark.parametrize("scope", list(Scope))
def test_the_rooms_of_the_past_are_the_cameras(diary: Diary, scope: Scope) -> None:
    fill_home(diary, days=3)
    settings = ForecasterSettings("home", scope, "mix", ZONE)

    learned = learn(diary, States(LABELS[:4]), settings, MONDAY)

    past = learned.past
    assert past.rooms == ("bedroom", "kitchen")
    seen_in = {
        past.states.activities[each.state]: past.rooms[each.room]
        for each in past.course
        if each.state < past.states.unknown and each.room is not None
    }
    assert seen_in == SEES
    if scope is Scope.HOME:
        shares = dict(zip(past.states.activities, learned.seen["kitchen"].tolist(), strict=True))
        assert min(shares["Breakfast"], shares["Work"]) > 0.7
        assert max(shares["Sleep"], shares["Shower"]) < 0.3
    else:
        assert not learned.seen
