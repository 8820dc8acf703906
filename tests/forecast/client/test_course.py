"""The course of a place follows its cameras: one activity at a time, and nothing while it cannot be known."""

from __future__ import annotations

import numpy as np
import pytest

from harstream.forecast.client.course import Course
from harstream.forecast.learning.episodes import Away, Episode
from harstream.forecast.model.states import States
from harstream.wire.messages.event import EventMessage
from harstream.wire.values import EndReason, EventType
from tests.forecast.client.household import LABELS, MONDAY, event

BREAKFAST, SHOWER, SLEEP, WORK = range(4)


@pytest.fixture
def course() -> Course:
    return Course(States(LABELS[:4]), MONDAY)


def begins(activity: str, camera: str, minute: float, person: int | None = None) -> EventMessage:
    return event(EventType.START, activity, MONDAY + 60 * minute, camera=camera, person=person)


def continues(activity: str, camera: str, start: float, minute: float, person: int | None) -> EventMessage:
    return event(EventType.UPDATE, activity, MONDAY + 60 * start, MONDAY + 60 * minute, camera=camera, person=person)


def ends(
    activity: str,
    camera: str,
    start: float,
    end: float,
    reason: EndReason = EndReason.LOW_CONFIDENCE,
    person: int | None = None,
) -> EventMessage:
    times = MONDAY + 60 * start, MONDAY + 60 * end
    return event(EventType.END, activity, *times, camera=camera, reason=reason, person=person)


def test_the_outer_activity_resumes_after_the_inner_one(course: Course) -> None:
    course.begin(begins("Sleep", "bedroom", 0))
    course.begin(begins("Shower", "bath", 40))
    assert (course.current, course.previous, course.camera) == (SHOWER, SLEEP, "bath")

    course.end(ends("Shower", "bath", 40, 50))

    assert (course.current, course.previous, course.camera) == (SLEEP, SHOWER, "bedroom")
    assert course.since == MONDAY + 60 * 50


@pytest.mark.parametrize("is_end_first", [True, False])
def test_a_person_who_goes_to_another_room_gives_one_change(course: Course, is_end_first: bool) -> None:
    """The end of the first activity comes late, because it is decided some seconds later."""
    course.begin(begins("Breakfast", "kitchen", 0))
    end, start = ends("Breakfast", "kitchen", 0, 30), begins("Work", "study", 29.9)
    for message in (end, start) if is_end_first else (start, end):
        (course.end if message is end else course.begin)(message)

    assert (course.current, course.activity, course.previous) == (WORK, WORK, BREAKFAST)
    assert course.ended[BREAKFAST] == MONDAY + 60 * 30


def test_two_cameras_that_see_the_same_activity_see_one(course: Course) -> None:
    course.begin(begins("Breakfast", "kitchen", 0))
    course.begin(begins("Breakfast", "door", 1))
    course.end(ends("Breakfast", "kitchen", 0, 5))

    assert (course.current, course.previous, course.since) == (BREAKFAST, None, MONDAY)


def test_the_activity_of_one_person_resumes_after_that_of_another_in_front_of_the_same_camera(course: Course) -> None:
    course.begin(begins("Work", "study", 0, person=1))
    course.begin(begins("Breakfast", "study", 10, person=2))
    assert course.seen_by("study") == (BREAKFAST, MONDAY + 600)

    course.end(ends("Breakfast", "study", 10, 20, EndReason.PERSON_LEFT, person=2))

    assert (course.current, course.previous, course.since) == (WORK, BREAKFAST, MONDAY + 60 * 20)
    assert course.seen_by("study") == (WORK, MONDAY)
    course.end(ends("Work", "study", 0, 30, person=1))
    assert (course.current, course.seen_by("study"), course.unknown_since) == (None, None, MONDAY + 60 * 30)


def test_an_end_whose_person_has_done_something_else_since_ends_nothing_else(course: Course) -> None:
    course.begin(begins("Work", "study", 0, person=1))
    course.begin(begins("Breakfast", "study", 10, person=1))
    assert course.end(ends("Work", "study", 0, 10, person=1)) is not None
    assert course.current == BREAKFAST


def test_an_activity_whose_end_was_lost_ends_when_its_person_does_something_else(course: Course) -> None:
    course.begin(begins("Sleep", "study", 0, person=1))
    course.begin(begins("Work", "study", 10, person=1))
    course.end(ends("Work", "study", 10, 20, person=1))
    assert course.current is None


def test_an_activity_that_began_before_its_person_was_found_goes_on(course: Course) -> None:
    course.begin(begins("Work", "study", 0))
    course.begin(begins("Breakfast", "study", 10, person=2))
    course.begin(continues("Work", "study", 0, 11, person=1))
    course.end(ends("Breakfast", "study", 10, 20, person=2))
    assert course.current == WORK
    course.end(ends("Work", "study", 0, 30, person=1))
    assert course.current is None


def test_while_a_camera_is_away_the_absence_of_activities_means_nothing(course: Course) -> None:
    course.begin(begins("Breakfast", "kitchen", 0))
    course.go_away("kitchen", MONDAY + 600)
    assert not course.is_known

    course.begin(begins("Work", "study", 20))
    assert course.is_known
    assert (course.current, course.previous) == (WORK, None)  # something else may lie between

    course.end(ends("Work", "study", 20, 30))
    assert not course.is_known
    assert course.come_back("kitchen", MONDAY + 3600) == Away(MONDAY + 600, MONDAY + 3600)
    assert course.is_known
    assert (course.activity, course.watched_since) == (None, MONDAY + 3600)


def test_a_camera_that_is_away_and_then_removed_no_longer_matters(course: Course) -> None:
    course.begin(begins("Breakfast", "kitchen", 0))
    course.go_away("kitchen", MONDAY + 600)

    assert course.leave("kitchen", MONDAY + 900) == Away(MONDAY + 600, MONDAY + 900)

    assert course.is_known
    assert course.current is None


def test_a_camera_that_is_removed_takes_its_activity_along(course: Course) -> None:
    course.begin(begins("Sleep", "bedroom", 0))
    course.begin(begins("Shower", "bath", 40))

    assert course.leave("bath", MONDAY + 60 * 45) is None

    assert course.current == SLEEP


def test_the_past_of_earlier_runs_is_known(course: Course) -> None:
    course.resume([("bedroom", Episode("Sleep", 0, 100)), ("kitchen", Episode("Breakfast", 200, 300))])

    assert (course.activity, course.previous, course.camera, course.current) == (BREAKFAST, SLEEP, "kitchen", None)
    assert course.is_reporting("bedroom")


def test_what_ended_before_the_last_activity_began(course: Course) -> None:
    """The work goes on after an interruption, so that its own end lies before the shower."""
    course.begin(begins("Work", "study", 0))
    course.end(ends("Work", "study", 0, 10))
    course.begin(begins("Shower", "bath", 20))
    course.end(ends("Shower", "bath", 20, 25))
    course.begin(begins("Work", "study", 30))
    course.end(ends("Work", "study", 30, 40))
    course.begin(begins("Work", "study", 50))

    ended = course.ended_before(MONDAY + 3600)

    assert course.since == MONDAY + 60 * 30
    np.testing.assert_array_equal(ended - MONDAY, [-np.inf, 60 * 25, -np.inf, 60 * 10])
