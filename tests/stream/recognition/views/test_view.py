"""The view decides what the model sees: all of the picture, the box of what moves, or a box around each person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.models.box import WHOLE, Box
from harstream.models.contract import ModelContract
from harstream.models.picture import Picture
from harstream.models.transform import BgrPicture
from harstream.stream.recognition.pipeline import Pipeline
from harstream.stream.recognition.protocols import DetectedPerson
from harstream.stream.recognition.smoothing import ExponentialMean
from harstream.stream.recognition.tracker import Tracker
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.stream.recognition.views.motion import Motion
from harstream.stream.recognition.views.person_view import PersonView, new_view
from harstream.stream.recognition.views.settings import ViewSettings
from harstream.stream.recognition.views.view import MotionView, PictureView, View, fitted
from harstream.wire.values import CameraChange, CameraState, EndReason, Event, EventType, Frame, Notice

SIZE = (48, 64)
"""Height and width of the pictures: 4:3."""
JUMP, WALK, IDLE = 200, 100, 30
"""Grey levels of people who do these."""
RATE = 10.0
LEFT, RIGHT = Box(0.1, 0.4, 0.2, 0.7), Box(0.8, 0.4, 0.9, 0.7)


class BrightestRecognizer:
    """A Recognizer that takes the brightest spot for what goes on."""

    lookback = 1
    row_shape: tuple[int, ...] = (1,)
    row_dtype: np.dtype[np.generic] = np.dtype(np.float32)
    parts = ()
    contract = ModelContract("grey", "1", ("Jump", "Walk", "Idle"), ("Idle",), frames=3, height=16, width=16, rate=RATE)

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        return frames[:, 1].max(axis=(1, 2, 3))[:, None].astype(np.float32)

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        return np.array([self._scores(float(window[-1, 0])) for window in windows], np.float32)

    def _scores(self, level: float) -> list[float]:
        if level > (JUMP + WALK) / 2:
            return [0.95, 0.0, 0.05]
        return [0.0, 0.9, 0.1] if level > (WALK + IDLE) / 2 else [0.0, 0.0, 1.0]


class KnowingDetector:
    """A Detector that is told where people are, and counts how often it is asked."""

    def __init__(self) -> None:
        self.people: Sequence[Box] = ()
        self.asked = 0

    def detect(self, picture: Picture, region: Box) -> list[DetectedPerson]:
        self.asked += 1
        return [DetectedPerson(box, 0.9, np.zeros((17, 3), np.float32)) for box in self.people]


def scene(levels: Mapping[Box, int], moving: bool = True, number: int = 0) -> BgrPicture:
    """Returns a dark room with people of these grey levels. A spot on each of them blinks if they move."""
    pixels = np.full((*SIZE, 3), 10, np.uint8)
    for box, level in levels.items():
        rows, columns = box.pixels(*SIZE)
        pixels[rows, columns] = level - (30 if moving and number % 2 else 0)
    return BgrPicture(pixels)


class Camera:
    """A camera with a pipeline that looks at people."""

    def __init__(
        self, view: ViewSettings = ViewSettings("person"), recognizer: BrightestRecognizer | None = None
    ) -> None:
        self.detector, self.number = KnowingDetector(), 0
        settings = TrackerSettings(start_above=0.8, end_below=0.5, hold=0.3, gone=0.2, merge=0.3)
        recognizer = recognizer or BrightestRecognizer()
        self.pipeline = Pipeline(
            recognizer,
            tracker=lambda camera: Tracker(camera, recognizer.contract, settings),
            smoothing=lambda: ExponentialMean(0.0),
            view=view,
            new_view=lambda settings: new_view(settings, lambda: self.detector),
        )

    def film(self, levels: Mapping[Box, int], seconds: float, people: Sequence[Box] | None = None) -> list[Notice]:
        """Returns the notices of a film of these people. The detector sees them all, unless `people` says whom."""
        self.detector.people = list(levels) if people is None else people
        frames = []
        for _ in range(round(seconds * RATE)):
            frames.append(Frame("hall", self.number / RATE, scene(levels, number=self.number)))
            self.number += 1
        return [step.notice for step in self._steps(frames)]

    def _steps(self, frames: Sequence[Frame]):  # type: ignore[no-untyped-def]
        generator = self.pipeline.steps([frame] for frame in frames)
        return [next(generator) for _ in frames]  # not to the end, which would finish the activities


def events(notices: Sequence[Notice]) -> list[Event]:
    return [event for notice in notices for event in notice.events]


def test_each_of_two_people_has_an_activity() -> None:
    notices = Camera().film({LEFT: JUMP, RIGHT: WALK}, 8)
    started = {(event.person, event.activity) for event in events(notices)}
    assert {activity for _, activity in started} == {"Jump", "Walk"}
    last = notices[-1]
    assert {(who.person, who.activity.name) for who in last.subjects} == {(1, "Jump"), (2, "Walk")}
    assert [(who.scores.person, who.scores.time) for who in last.subjects if who.scores] == [
        (1, last.time),
        (2, last.time),
    ]
    assert not any(who.scores for who in notices[0].subjects)  # its window is not complete
    # The activity of the camera is the most certain one: Jump has 0.95, Walk has 0.9.
    assert (last.person, last.activity.name) == (1, "Jump")


def test_a_bystander_does_not_hide_the_activity_of_another() -> None:
    notices = Camera().film({LEFT: IDLE, RIGHT: WALK}, 8)
    assert {event.activity for event in events(notices)} == {"Walk"}
    assert notices[-1].activity.name == "Walk"
    assert notices[-1].activity.name != notices[-1].subjects[0].activity.name


class FlickeringRecognizer(BrightestRecognizer):
    """Is now more, now less certain of Jump than of Walk, which has 0.9."""

    def _scores(self, level: float) -> list[float]:
        return [0.95, 0.0, 0.05] if level > JUMP - 15 else [0.85, 0.0, 0.15] if level > 150 else super()._scores(level)


def test_camera_does_not_change_with_each_window_between_people_who_are_about_as_certain() -> None:
    notices = Camera(recognizer=FlickeringRecognizer()).film({LEFT: JUMP, RIGHT: WALK}, 8)
    both = [each for each in notices if len({who.activity.name for who in each.people.values()} - {"unknown"}) == 2]
    assert len(both) > 20
    assert len({each.person for each in both}) == len({each.activity.since for each in both}) == 1


def test_camera_shows_the_other_person_once_the_first_does_nothing_more() -> None:
    camera = Camera()
    assert camera.film({LEFT: JUMP, RIGHT: WALK}, 6)[-1].activity.name == "Jump"
    assert camera.film({LEFT: IDLE, RIGHT: WALK}, 4)[-1].activity.name == "Walk"


def test_activities_of_two_people_at_the_same_time_have_different_ids() -> None:
    found = events(Camera().film({LEFT: JUMP, RIGHT: JUMP}, 8))
    starts = [event for event in found if event.type is EventType.START]
    assert len({event.id for event in starts}) == len(starts) == 2


def test_activity_goes_on_when_its_person_is_found_and_when_the_last_person_is_lost() -> None:
    camera = Camera()
    before = camera.film({LEFT: JUMP}, 4, people=[])
    found = camera.film({LEFT: JUMP}, 4)
    lost = camera.film({LEFT: JUMP}, 8, people=[])
    (start,) = [event for event in events([*before, *found, *lost]) if event.type is not EventType.UPDATE]
    assert (start.type, start.activity, start.person) == (EventType.START, "Jump", None)
    assert [notice.person for notice in (before[-1], found[-1], lost[-1])] == [None, 1, None]


def test_activity_of_a_person_who_leaves_others_ends_with_the_reason() -> None:
    camera = Camera()
    camera.film({LEFT: JUMP, RIGHT: WALK}, 8)
    found = events(camera.film({LEFT: JUMP, RIGHT: WALK}, 5, people=[RIGHT]))
    (end,) = [event for event in found if event.type is EventType.END]
    assert (end.activity, end.person, end.end_reason) == ("Jump", 1, EndReason.PERSON_LEFT)


def test_a_box_that_flickers_starts_nothing_anew() -> None:
    camera = Camera()
    notices = camera.film({LEFT: JUMP, RIGHT: WALK}, 6)
    for second in range(6):
        notices += camera.film({LEFT: JUMP, RIGHT: WALK}, 1, people=[LEFT, RIGHT] if second % 2 else [LEFT])
    starts = [event for event in events(notices) if event.type is EventType.START]
    assert len(starts) == 2


def test_the_detector_is_asked_once_a_second_and_rarely_while_nothing_moves() -> None:
    camera = Camera()
    camera.film({LEFT: JUMP}, 10)
    assert camera.detector.asked == pytest.approx(10, abs=1)
    still = [Frame("hall", 10 + number / RATE, scene({LEFT: JUMP}, moving=False)) for number in range(300)]
    before = camera.detector.asked
    list(camera.pipeline.steps([frame] for frame in still))
    assert camera.detector.asked - before <= 4


def test_a_short_gap_loses_nobody() -> None:
    camera = Camera()
    camera.film({LEFT: JUMP, RIGHT: WALK}, 8)
    camera.number += 2  # two pictures are lost, which empties the windows
    notices = camera.film({LEFT: JUMP, RIGHT: WALK}, 3)
    assert {who.person for notice in notices for who in notice.subjects} == {1, 2}
    assert [event for event in events(notices) if event.type is not EventType.UPDATE] == []


def test_after_a_gap_people_are_found_anew() -> None:
    camera = Camera()
    camera.film({LEFT: JUMP, RIGHT: WALK}, 6)
    camera.number += 100
    assert all(who.person is None for who in camera.film({LEFT: JUMP, RIGHT: WALK}, 0.5)[-1].subjects)


def test_nobody_is_followed_in_front_of_a_camera_that_is_away() -> None:
    camera = Camera()
    assert len(camera.film({LEFT: JUMP, RIGHT: WALK}, 6)[-1].people) == 2
    notice = next(camera.pipeline.steps([[CameraChange("hall", 6.0, CameraState.OFFLINE)]])).notice
    assert (notice.people, notice.person) == ({}, None)
    assert {event.person for event in notice.events} == {1, 2}


def test_a_new_view_is_used_from_the_next_frame_on() -> None:
    camera = Camera(ViewSettings("picture"))
    assert camera.film({LEFT: JUMP}, 1)[-1].subjects[0].box == WHOLE
    camera.pipeline.set_view("hall", ViewSettings("motion", Box(0.0, 0.0, 0.5, 1.0)))
    box = camera.film({LEFT: JUMP}, 1)[-1].subjects[0].box
    assert box.right <= 0.5
    assert box != Box(0.0, 0.0, 0.5, 1.0)


@pytest.mark.parametrize("view", [PictureView, MotionView, lambda region: PersonView(KnowingDetector(), region)])
def test_nothing_outside_the_region_is_seen(view: type[PictureView]) -> None:
    region = Box(0.5, 0.5, 1.0, 1.0)
    shown: View = view(region)
    for number in range(20):
        picture, motion = scene({RIGHT: JUMP}, number=number), Motion(20)
        for sight in shown.update(picture, motion, number / RATE):
            assert sight.box.moved_into(region) == sight.box


def test_box_is_grown_to_four_by_three_in_pixels_and_kept_inside() -> None:
    # A person 0.1 wide and 0.5 high in 1600 x 900 pixels: 160 x 450. 4:3 needs 600 pixels, 0.375 of the width.
    box = fitted(Box(0.4, 0.2, 0.5, 0.7), 1.0, (900, 1600), WHOLE)
    assert (box.width, box.height) == (pytest.approx(0.375), pytest.approx(0.5))
    assert box.centre == (pytest.approx(0.45), pytest.approx(0.45))
    assert fitted(Box(0.0, 0.2, 0.1, 0.7), 1.0, (900, 1600), WHOLE).left == 0.0


def test_box_of_a_hand_is_not_smaller_than_a_quarter_of_the_picture() -> None:
    assert fitted(Box(0.5, 0.5, 0.52, 0.52), 1.0, (480, 640), WHOLE).height == pytest.approx(0.25)


def test_a_view_of_people_needs_a_detector() -> None:
    from harstream.stream.recognition.views.view import view_without_network

    with pytest.raises(ValueError, match="needs no network, got person"):
        view_without_network(ViewSettings("person"))
