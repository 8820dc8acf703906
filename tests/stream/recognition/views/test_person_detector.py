"""People are found once each, in shares of the whole picture, whatever part of it the detector looks at."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from harstream.models.box import WHOLE, Box
from harstream.models.catalogue import TRAINED
from harstream.models.picture import Pixels
from harstream.models.transform import BgrPicture
from harstream.scene.film import frames
from harstream.scene.script import single
from harstream.stream.recognition.views.person_detector import (
    PersonDetector,
    load_person_detector,
    padded,
    people,
    reduced,
)
from harstream.wire.errors import ModelError

NOSE, LEFT_SHOULDER, RIGHT_ANKLE = 0, 5, 16
LOWER_RIGHT = Box(0.5, 0.25, 1.0, 1.0)
"""The right half and the lower three quarters of a picture."""
QUARTER = Box(0.0, 0.0, 0.5, 0.5)


def row(top: float, left: float, bottom: float, right: float, score: float) -> NDArray[np.float32]:
    """Returns what the network gives for a person whose joints all lie at x 0.5, y 0.25, with the confidence 0.75."""
    return np.array([0.25, 0.5, 0.75] * 17 + [top, left, bottom, right, score], np.float32)


def output(*rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.stack([*rows, *[row(0, 0, 0, 0, 0)] * (6 - len(rows))])


def sides(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom


def drawn(activity: str | None = None, seed: int = 1000) -> Pixels:
    """Returns a drawn person in a room, 320x240 BGR, after half a second."""
    (_, _), (_, picture) = frames(single(activity, 0, 1.0), seed, rate=2.0)
    return picture


@pytest.fixture(scope="module")
def detector() -> PersonDetector:
    return load_person_detector("cpu")


def test_a_row_of_the_output_is_a_person() -> None:
    (person,) = people(output(row(top=0.1, left=0.2, bottom=0.9, right=0.4, score=0.5)), WHOLE, WHOLE)
    assert sides(person.box) == pytest.approx((0.2, 0.1, 0.4, 0.9))
    assert person.score == 0.5
    assert person.keypoints.shape == (17, 3)
    assert person.keypoints.dtype == np.float32
    assert person.keypoints[NOSE].tolist() == [0.5, 0.25, 0.75]


def test_each_joint_has_its_own_place() -> None:
    numbers = row(0, 0, 1, 1, score=0.9)
    numbers[3 * LEFT_SHOULDER : 3 * LEFT_SHOULDER + 3] = 0.125, 0.625, 0.25
    numbers[3 * RIGHT_ANKLE : 3 * RIGHT_ANKLE + 3] = 0.875, 0.375, 1.0
    (person,) = people(output(numbers), WHOLE, WHOLE)
    assert person.keypoints[LEFT_SHOULDER].tolist() == [0.625, 0.125, 0.25]
    assert person.keypoints[RIGHT_ANKLE].tolist() == [0.375, 0.875, 1.0]


def test_places_in_a_region_are_places_in_the_picture() -> None:
    (person,) = people(output(row(0.5, 0.0, 1.0, 0.5, score=0.5)), LOWER_RIGHT, LOWER_RIGHT)
    assert sides(person.box) == pytest.approx((0.5, 0.625, 0.75, 1.0))
    assert person.keypoints[NOSE].tolist() == [0.75, 0.4375, 0.75]


def test_a_box_ends_where_the_region_ends() -> None:
    (person,) = people(output(row(-0.5, 0.25, 1.5, 0.75, score=0.5)), QUARTER, QUARTER)
    assert sides(person.box) == pytest.approx((0.125, 0.0, 0.375, 0.5))


def test_a_box_outside_of_the_region_is_nobody() -> None:
    assert people(output(row(0.0, 1.1, 1.0, 1.3, score=0.9)), WHOLE, WHOLE) == []


def test_the_most_certain_comes_first_and_the_uncertain_not_at_all() -> None:
    far_apart = row(0, 0.0, 1, 0.2, 0.3), row(0, 0.4, 1, 0.6, 0.19), row(0, 0.8, 1, 1.0, 0.4)
    assert [person.score for person in people(output(*far_apart), WHOLE, WHOLE)] == pytest.approx([0.4, 0.3])


@pytest.mark.parametrize(
    ("left", "found"),
    [
        (0.0, 1),  # the same box
        (0.1, 1),  # 0.3 of 0.5 is common: 60 %
        (0.15, 2),  # 0.25 of 0.55 is common: 45 %
        (0.6, 2),  # nothing is common
    ],
)
def test_two_boxes_of_one_person_are_one_person(left: float, found: int) -> None:
    weaker, stronger = row(0, left, 1, left + 0.4, score=0.3), row(0, 0.0, 1, 0.4, score=0.6)
    result = people(output(weaker, stronger), WHOLE, WHOLE)
    assert len(result) == found
    assert result[0].score == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("height", "width", "longest", "size", "with_padding"),
    [
        (240, 320, 256, (192, 256), (192, 256)),
        (1080, 1920, 256, (144, 256), (160, 256)),
        (320, 240, 256, (256, 192), (256, 192)),
        (480, 640, 384, (288, 384), (288, 384)),
        (1000, 10, 256, (256, 3), (256, 32)),
    ],
)
def test_the_network_sees_multiples_of_32_pixels_in_the_pictures_proportions(
    height: int, width: int, longest: int, size: tuple[int, int], with_padding: tuple[int, int]
) -> None:
    assert reduced(height, width, longest) == size
    assert padded(np.ones((*size, 3), np.uint8)).shape == (*with_padding, 3)


def test_padding_is_black_and_below() -> None:
    frame = padded(np.ones((144, 256, 3), np.uint8))
    assert frame[:144].min() == 1
    assert frame[144:].max() == 0


def test_padding_takes_no_place_in_the_picture() -> None:
    # 144 rows of 160 show the picture, so that 0.9 of what the network saw is the bottom of the picture.
    seen = Box(0.0, 0.0, 1.0, 160 / 144)
    (person,) = people(output(row(0.45, 0.2, 0.95, 0.4, score=0.5)), seen, WHOLE)
    assert sides(person.box) == pytest.approx((0.2, 0.5, 0.4, 1.0))
    assert person.keypoints[NOSE].tolist() == pytest.approx([0.5, 0.25 * 160 / 144, 0.75])


@pytest.mark.parametrize("activity", [None, "JumpingJack", "Lunges", "PushUps"])
def test_a_drawn_person_is_found_where_the_person_is(detector: PersonDetector, activity: str | None) -> None:
    (person,) = detector.detect(BgrPicture(drawn(activity)), WHOLE)
    assert person.score >= 0.2
    visible = person.keypoints[person.keypoints[:, 2] > 0.3]
    x, y = person.box.centre
    assert abs(visible[:, 0].mean() - x) < 0.1
    assert abs(visible[:, 1].mean() - y) < 0.15


def test_the_head_of_who_stands_is_over_the_feet(detector: PersonDetector) -> None:
    (person,) = detector.detect(BgrPicture(drawn()), WHOLE)
    left_ankle, right_ankle = person.keypoints[15, 1], person.keypoints[16, 1]
    assert person.keypoints[NOSE, 1] < person.keypoints[LEFT_SHOULDER, 1] < min(left_ankle, right_ankle)
    assert 0.4 < person.box.height < 0.8  # a person is drawn with half to two thirds of the picture's height


def test_two_drawn_people_are_two(detector: PersonDetector) -> None:
    both = np.hstack([drawn(seed=1000), drawn("JumpingJack", seed=1005)])
    found = detector.detect(BgrPicture(both), WHOLE)
    left, right = sorted(found, key=lambda person: person.box.left)
    assert left.box.right < 0.5 < right.box.left


def test_a_region_finds_only_who_is_in_it_and_at_the_same_place(detector: PersonDetector) -> None:
    both = BgrPicture(np.hstack([drawn(seed=1000), drawn("JumpingJack", seed=1005)]))
    (person,) = detector.detect(both, Box(0.5, 0.0, 1.0, 1.0))
    in_whole = max(detector.detect(both, WHOLE), key=lambda found: found.box.left)
    assert sides(person.box) == pytest.approx(sides(in_whole.box), abs=0.03)


def test_a_wide_picture_has_the_person_at_the_same_place(detector: PersonDetector) -> None:
    wide = cv2.copyMakeBorder(drawn(), 0, 0, 54, 53, cv2.BORDER_REPLICATE).astype(np.uint8)  # 427x240 is 16:9
    (one,), (other,) = (detector.detect(BgrPicture(picture), WHOLE) for picture in (drawn(), wide))
    left, top, right, bottom = sides(one.box)
    expected = (54 + 320 * left) / 427, top, (54 + 320 * right) / 427, bottom
    assert sides(other.box) == pytest.approx(expected, abs=0.03)


def test_nobody_is_in_a_grey_picture(detector: PersonDetector) -> None:
    assert detector.detect(BgrPicture(np.full((120, 160, 3), 128, np.uint8)), WHOLE) == []


def test_a_person_in_a_large_picture_has_the_same_place(detector: PersonDetector) -> None:
    small = drawn()
    large = cv2.resize(small, (1280, 960), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    (one,), (other,) = (detector.detect(BgrPicture(picture), WHOLE) for picture in (small, large))
    assert sides(one.box) == pytest.approx(sides(other.box), abs=0.03)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"found no file: .* `make backbones`"):
        load_person_detector("cpu", tmp_path / "none.onnx")


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "cut.onnx"
    file.write_bytes(b"\x08\x08\x3a\xff")
    with pytest.raises(ModelError, match="cut off or is no ONNX model"):
        load_person_detector("cpu", file)


def test_another_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="takes one picture in uint8"):
        load_person_detector("cpu", TRAINED / "flow_tcn" / "head.onnx")
    picture = helper.make_tensor_value_info("picture", TensorProto.UINT8, [1, None, None, 3])
    same = helper.make_tensor_value_info("same", TensorProto.UINT8, [1, None, None, 3])
    graph = helper.make_graph([helper.make_node("Identity", ["picture"], ["same"])], "same", [picture], [same])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(tmp_path / "a"))
    with pytest.raises(ModelError, match="expected 56 numbers for a person"):
        load_person_detector("cpu", tmp_path / "a")


def test_a_failure_of_the_network_is_one_line() -> None:
    class FullMemory:
        def get_inputs(self) -> list[object]:
            return [type("Input", (), {"name": "picture"})]

        def run(self, *_: object) -> object:
            raise RuntimeError("CUDA failure 2: out of memory")

    failing = PersonDetector(FullMemory())
    with pytest.raises(ModelError, match="the network that finds people failed while it ran: CUDA failure 2"):
        failing.detect(BgrPicture(np.zeros((48, 64, 3), np.uint8)))
