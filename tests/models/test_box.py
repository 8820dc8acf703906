"""A box is a rectangle in shares of a picture."""

from __future__ import annotations

import numpy as np
import pytest

from harstream.models.box import WHOLE, Box, box_around_movement
from harstream.models.transform import to_model_frame


def test_box_outside_is_shifted_inside_and_keeps_its_size() -> None:
    assert Box(-0.25, 0.5, 0.25, 1.25).moved_into(WHOLE) == Box(0.0, 0.25, 0.5, 1.0)


def test_box_larger_than_the_picture_becomes_the_whole_picture() -> None:
    assert Box(-1.0, -0.5, 2.0, 1.75).moved_into(WHOLE) == WHOLE


def test_box_of_a_region_becomes_a_box_of_the_picture() -> None:
    assert Box(0.5, 0.0, 1.0, 0.5).in_picture(Box(0.5, 0.0, 1.0, 0.5)) == Box(0.75, 0.0, 1.0, 0.25)


def test_box_around_movement_leaves_out_its_last_shares() -> None:
    counts = np.zeros((10, 20), np.int64)
    counts[4:6, 5:15] = 10  # 200 in rows 4 and 5, columns 5 to 14
    counts[9, 19] = 2  # one percent of the movement, in the corner
    assert box_around_movement(counts) == Box(5 / 20, 4 / 10, 15 / 20, 6 / 10)


def test_boxes_apart_have_no_overlap() -> None:
    assert Box(0.0, 0.0, 0.25, 1.0).overlap(Box(0.5, 0.0, 1.0, 1.0)).width == -0.25


@pytest.mark.parametrize("box", [Box(0.9999, 0.9999, 1.0, 1.0), Box(0.5, 0.5, 0.5, 0.5), Box(2.0, 2.0, 3.0, 3.0)])
def test_smallest_box_has_a_pixel(box: Box) -> None:
    rows, columns = box.pixels(120, 160)
    assert np.zeros((120, 160))[rows, columns].shape == (1, 1)


def test_model_frame_of_a_box_shows_only_what_is_inside() -> None:
    picture = np.zeros((120, 160, 3), np.uint8)
    picture[30:60, 80:120] = 200  # rows 1/4 to 1/2, columns 1/2 to 3/4
    assert np.unique(to_model_frame(picture, 64, 64, Box(0.5, 0.25, 0.75, 0.5))).tolist() == [200]
    assert np.unique(to_model_frame(picture, 64, 64, Box(0.0, 0.0, 0.5, 1.0))).tolist() == [0]
