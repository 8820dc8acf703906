"""The view state keeps what viewers see, without a server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harstream.models.box import WHOLE
from harstream.models.contract import UNKNOWN
from harstream.stream.web.view_state import EVENTS_KEPT, STUCK_AFTER, ViewState
from harstream.wire.errors import SinkError
from harstream.wire.health import HealthState
from harstream.wire.values import CameraState, EventType, Step
from tests.support.values import LEFT, NOON, RIGHT, MakeEvent, MakeHealth, MakeNotice, subject


def test_a_new_camera_comes_last_and_a_removed_one_leaves(make_notice: MakeNotice) -> None:
    view = ViewState(["hall"])
    view.show(Step(make_notice(camera="yard"), None))
    assert [(camera.index, camera.name) for camera in view.views()] == [(0, "hall"), (1, "yard")]
    view.show(Step(make_notice(camera="hall", state=CameraState.REMOVED), None))
    assert [camera.name for camera in view.views()] == ["yard"]


def test_fresh_events_are_taken_once_and_only_the_newest_of_each(
    make_notice: MakeNotice, make_event: MakeEvent
) -> None:
    view = ViewState(["hall"])
    view.show(Step(make_notice(make_event(seq=1), make_event(EventType.UPDATE, seq=2)), None))
    assert [event.seq for event in view.take_new_events()] == [2]
    assert view.take_new_events() == ()
    assert [event.seq for event in view.events()] == [2]


def test_only_the_last_activities_are_kept(make_notice: MakeNotice, make_event: MakeEvent) -> None:
    view = ViewState(["hall"])
    for number in range(EVENTS_KEPT + 3):
        view.show(Step(make_notice(make_event(id=f"{number}")), None))
    assert len(view.events()) == EVENTS_KEPT
    assert view.events()[0].id == "3"


def test_the_listener_is_called_only_for_news(make_notice: MakeNotice, make_health: MakeHealth) -> None:
    view, wakes = ViewState(["hall"]), []
    view.report(make_health(state=HealthState.LIVE))
    view.listen(lambda: wakes.append(1))
    view.report(make_health(state=HealthState.LIVE))
    assert wakes == []
    view.report(make_health(state=HealthState.DARK, reason="its picture is black"))
    assert len(wakes) == 1
    assert (view.views()[0].blind, view.views()[0].hint) == (HealthState.DARK, "its picture is black")


def test_recognition_hangs_when_no_health_comes(make_health: MakeHealth) -> None:
    now = [0.0]
    view = ViewState(["hall"], clock=lambda: now[0])
    now[0] = STUCK_AFTER + 1
    assert view.is_stuck
    view.report(make_health())
    assert not view.is_stuck


def test_the_servers_failure_is_raised_on_the_next_step(make_notice: MakeNotice) -> None:
    view = ViewState(["hall"])
    view.fail(RuntimeError("no memory"))
    with pytest.raises(SinkError, match="no memory"):
        view.show(Step(make_notice(), None))


def test_a_title_is_shown_and_changes_while_the_service_runs(make_notice: MakeNotice) -> None:
    view = ViewState(["hall"], titles={"hall": "Flur", "yard": "Hof"})
    view.show(Step(make_notice(camera="yard"), None))
    assert [camera.facts()["title"] for camera in view.views()] == ["Flur", "Hof"]
    calls: list[None] = []
    view.listen(lambda: calls.append(None))
    view.set_titles({"yard": "Garten"})
    assert [camera.facts()["title"] for camera in view.views()] == ["hall", "Garten"]
    assert calls


def test_people_have_boxes_and_the_whole_picture_has_none(make_notice: MakeNotice) -> None:
    view = ViewState(["hall"])
    view.show(Step(make_notice(subjects=[subject(None, UNKNOWN, box=WHOLE)]), None))
    assert view.views()[0].facts()["subjects"] == []

    view.show(Step(make_notice(subjects=[subject(2, "Lunges", NOON, 0.93456), subject(1, UNKNOWN, box=RIGHT)]), None))

    assert view.views()[0].facts()["subjects"] == [
        {"person": 1, "box": [0.6, 0.2, 0.9, 0.8], "activity": "unknown", "confidence": 0.9, "since": NOON},
        {"person": 2, "box": [0.1, 0.2, 0.4, 0.8], "activity": "Lunges", "confidence": 0.935, "since": NOON},
    ]


def test_what_moves_has_a_box_if_it_is_less_than_what_is_watched(make_notice: MakeNotice) -> None:
    moving = make_notice(subjects=[subject(None, UNKNOWN, box=LEFT)])
    assert [each.box for each in moving.boxed] == [LEFT]
    assert replace(moving, watched=LEFT).boxed == ()
