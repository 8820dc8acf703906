"""While the machine cannot keep up, cameras are paused in turn."""

from __future__ import annotations

from harstream.stream.sources.turns import PATIENCE, TURN, Turns


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def turns_of(*cameras: str) -> tuple[Turns, Time]:
    time = Time()
    turns = Turns(time)
    for camera in cameras:
        turns.add(camera)
    return turns, time


def test_the_camera_that_was_served_longest_is_paused_and_comes_back_after_a_turn() -> None:
    turns, time = turns_of("a", "b", "c")
    assert turns.pause_longest_served() == "a"
    turns.resume_due()
    assert turns.is_paused("a")
    time.now += TURN
    turns.resume_due()
    assert not turns.is_paused("a")
    time.now += PATIENCE
    assert turns.pause_longest_served() == "b"


def test_a_pause_has_time_to_help() -> None:
    turns, time = turns_of("a", "b", "c")
    turns.pause_longest_served()
    assert turns.pause_longest_served() is None
    time.now += PATIENCE
    assert turns.pause_longest_served() == "b"


def test_the_only_camera_is_never_paused() -> None:
    turns, time = turns_of("a", "b")
    turns.pause_longest_served()
    time.now += PATIENCE
    assert turns.pause_longest_served() is None
    turns.remove("b")
    assert turns.is_paused("a")
    time.now += TURN
    turns.resume_due()
    assert not turns.is_paused("a")


def test_a_camera_that_went_away_takes_no_turn() -> None:
    turns, _ = turns_of("a", "b", "c")
    turns.remove("a")
    assert turns.pause_longest_served() == "b"
    turns.remove("b")
    turns.add("b")
    assert not turns.is_paused("b")
