from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harstream.models.contract import UNKNOWN
from harstream.models.transform import BgrPicture
from harstream.stream.sinks.annotate import annotate
from harstream.wire.values import Activity, CameraChange, CameraState, Frame, LabelScore, Notice, Step, Warming
from tests.support.values import LEFT, RIGHT, subject

BEST = (LabelScore("PushUps", 0.9), LabelScore("JumpRope", 0.06), LabelScore("Punch", 0.03))


def step(
    width: int,
    height: int,
    *,
    activity: str = "PushUps",
    confidence: float = 0.9,
    warming: tuple[int, int] = (20, 20),
    camera: str = "hall",
) -> Step:
    picture = np.full((height, width, 3), 120, np.uint8)
    notice = Notice(camera, 50.0, Activity(activity, 8.0, confidence), Warming(*warming), best=BEST)
    return Step(notice, Frame(camera, 50.0, BgrPicture(picture)))


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (160, 120, (480, 640, 3)),
        (320, 240, (480, 640, 3)),
        (1280, 720, (720, 1280, 3)),
        (1920, 1080, (1080, 1920, 3)),
        (480, 854, (854, 480, 3)),
    ],
)
def test_small_pictures_are_scaled_up_and_others_keep_their_size(
    width: int, height: int, expected: tuple[int, int, int]
) -> None:
    assert annotate(step(width, height)).shape == expected


@pytest.mark.parametrize("size", [(160, 120), (640, 480)])
def test_the_frames_own_picture_stays_unchanged(size: tuple[int, int]) -> None:
    drawn_on = step(*size)
    annotate(drawn_on)
    assert drawn_on.frame is not None
    assert (drawn_on.frame.picture.bgr() == 120).all()


def test_nothing_is_drawn_over_the_person() -> None:
    picture = annotate(step(1280, 720))
    assert (picture[80:490] == 120).all()
    assert (picture[500:] != 120).any()


def test_each_person_has_a_box_in_the_colour_of_the_activity() -> None:
    """The boxes are 384 pixels wide and begin at 128 and at 768. Labels lie above them, at 144."""
    people = subject(1, "PushUps", box=LEFT), subject(2, UNKNOWN, box=RIGHT)
    drawn_on = step(1280, 720)
    picture = annotate(replace(drawn_on, notice=replace(drawn_on.notice, subjects=people)))
    row = picture[350]
    assert [tuple(row[column]) for column in (128, 511, 768, 1151)] == [(153, 211, 52)] * 2 + [(205, 205, 205)] * 2
    assert (row[140:500] == 120).all()
    labels = [(picture[100:140, start : start + 384] != 120).any(axis=(0, 2)).sum() for start in (128, 768)]
    assert labels[0] > labels[1] > 0


def test_what_moves_has_a_box_without_a_label() -> None:
    drawn_on = step(1280, 720)
    picture = annotate(replace(drawn_on, notice=replace(drawn_on.notice, subjects=(subject(None, UNKNOWN, box=LEFT),))))
    assert tuple(picture[350, 128]) == (205, 205, 205)
    assert (picture[80:140] == 120).all()


def test_the_confidence_bar_grows_with_the_confidence() -> None:
    def green(confidence: float) -> int:
        picture = annotate(step(1280, 720, confidence=confidence))
        return int((picture[:, :750] == (153, 211, 52)).all(axis=2).any(axis=0).sum())

    assert green(0.25) < green(0.5) < green(1.0)
    # The whole bar is 0.56 of the width less the left margin of 4 units (7.2 pixels): 688 pixels, less the tick.
    assert 680 <= green(1.0) <= 688


def test_unknown_has_no_confidence_bar() -> None:
    picture = annotate(step(1280, 720, activity=UNKNOWN))
    assert not (picture[:, :750] == (153, 211, 52)).all(axis=2).any()


def test_warming_is_drawn_in_another_colour_than_live() -> None:
    amber = (36, 191, 251)
    warming = annotate(step(1280, 720, activity=UNKNOWN, warming=(7, 20)))
    live = annotate(step(1280, 720, activity=UNKNOWN))
    assert (warming[:80, 900:] == amber).all(axis=2).any()
    assert not (live[:80, 900:] == amber).all(axis=2).any()


def test_long_names_stay_inside_the_smallest_picture() -> None:
    named = step(160, 120, activity="A" * 80, camera="ü" * 120)
    assert annotate(named).shape == (480, 640, 3)


def test_a_step_without_a_frame_is_refused() -> None:
    change = CameraChange("hall", 1.0, CameraState.OFFLINE)
    notice = Notice("hall", 1.0, Activity(UNKNOWN, 1.0, 0.0), Warming(0, 20), change=change)
    with pytest.raises(ValueError, match="only a step with a frame"):
        annotate(Step(notice, None))
