"""A running service records examples from the pictures that it reads anyway."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from harstream.clips.video import pictures
from harstream.models.transform import BgrPicture
from harstream.stream.teaching.recorder import MOST_WAITING, ExampleRecorder
from harstream.stream.teaching.recording import Phase, RecordingPlan
from harstream.wire.errors import ControlError, SinkError
from harstream.wire.values import CameraState, Frame, Step
from tests.support.values import NOON, MakeNotice
from tests.support.waiting import DEADLINE, Eventually

PLAN = RecordingPlan(number=2, seconds=1.0, pause=0.5)
"""From the first picture on: 0.5 to 1.5, and 2.1 to 3.1."""


class ShowPictures(Protocol):
    """`show(0, 10)` shows one second of pictures, from tick 0 on. A tick is 0.1 s."""

    def __call__(self, first: int, last: int, camera: str = "hall") -> None: ...


@pytest.fixture
def recorder() -> Iterator[ExampleRecorder]:
    recorder = ExampleRecorder()
    yield recorder
    recorder.close()


@pytest.fixture
def show(recorder: ExampleRecorder, make_notice: MakeNotice) -> ShowPictures:

    def pictures_of(first: int, last: int, camera: str = "hall") -> None:
        for tick in range(first, last):
            time = NOON + tick / 10
            frame = Frame(camera, time, BgrPicture(np.full((24, 32, 3), tick % 256, np.uint8)))
            recorder.show(Step(make_notice(camera=camera, time=time), frame))

    return pictures_of


def test_examples_are_recorded_from_shown_pictures(
    recorder: ExampleRecorder, show: ShowPictures, eventually: Eventually
) -> None:
    frames: list[int] = []
    show(0, 5)  # nothing is recorded yet
    recorder.record("hall", PLAN, lambda file: frames.append(len([*pictures(file)])))
    assert recorder.is_watching("hall")
    show(10, 20, "garden")  # another camera's pictures
    show(10, 42)
    eventually(lambda: recorder.progress is None, "the end of the recording")
    assert frames == [11, 11]  # 10 pictures a second, with the first and the last
    assert (recorder.failure, recorder.is_watching("hall")) == ("", False)


def test_the_progress_says_what_happens(recorder: ExampleRecorder, show: ShowPictures, eventually: Eventually) -> None:
    recorder.record("hall", PLAN, lambda _: None)
    assert recorder.progress is not None
    assert (recorder.progress.phase, recorder.progress.done) == (Phase.WAITING, 0)
    show(10, 12)
    eventually(lambda: recorder.progress and recorder.progress.phase is Phase.PAUSE, "the pause")
    show(12, 28)
    eventually(lambda: recorder.progress and recorder.progress.done == 1, "the second example")


def test_an_example_begins_again_after_the_camera_was_away(
    recorder: ExampleRecorder, show: ShowPictures, make_notice: MakeNotice, eventually: Eventually
) -> None:
    times: list[str] = []
    recorder.record("hall", RecordingPlan(1, 1.0, 0.0), lambda file: times.append(file.stem[-2:]))
    show(0, 5)
    recorder.show(Step(make_notice(time=NOON + 0.5, state=CameraState.OFFLINE), None))
    eventually(lambda: recorder.progress and recorder.progress.phase is Phase.WAITING, "the camera's absence")
    show(30, 42)
    eventually(lambda: recorder.progress is None, "the end of the recording")
    assert times == ["23"]  # NOON is at second 20


def test_whole_examples_are_kept_when_the_recording_is_stopped(
    recorder: ExampleRecorder, show: ShowPictures, eventually: Eventually
) -> None:
    kept: list[Path] = []
    recorder.record("hall", PLAN, kept.append)
    show(0, 25)
    eventually(lambda: recorder.progress and recorder.progress.done == 1, "the second example")
    recorder.stop()
    eventually(lambda: recorder.progress is None, "the end of the recording")
    assert (len(kept), recorder.failure) == (1, "")
    assert not kept[0].parent.exists()


def test_only_one_activity_is_recorded_at_a_time(recorder: ExampleRecorder) -> None:
    recorder.record("hall", PLAN, lambda _: None)
    with pytest.raises(ControlError, match="one activity at a time"):
        recorder.record("garden", PLAN, lambda _: None)


def test_a_full_disk_ends_the_recording_with_one_line(
    recorder: ExampleRecorder, show: ShowPictures, eventually: Eventually
) -> None:

    def full(_: Path) -> None:
        raise SinkError("the disk is full")

    recorder.record("hall", PLAN, full)
    show(0, 20)
    eventually(lambda: recorder.progress is None, "the end of the recording")
    assert recorder.failure == "the disk is full"
    recorder.record("hall", PLAN, lambda _: None)
    assert recorder.failure == ""


def test_a_disk_that_hangs_does_not_hold_up_recognition(
    recorder: ExampleRecorder, show: ShowPictures, eventually: Eventually
) -> None:
    hangs, works = threading.Event(), threading.Event()

    def keep(_: Path) -> None:
        hangs.set()
        works.wait()

    recorder.record("hall", RecordingPlan(1, 0.5, 0.0), keep)
    show(0, 7)
    assert hangs.wait(DEADLINE)
    show(7, 10 * MOST_WAITING)
    works.set()
