"""Coloured convex shapes are painted into a picture."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest

from harstream.scene.patch import LIGHT, Bone, Patch, box, capsule, ellipse, hull, limb, limbs, paint, shaded, solid
from harstream.scene.pose import points

RED, BLUE = (0.0, 0.0, 255.0), (255.0, 0.0, 0.0)


def test_a_patch_colours_its_pixels_and_no_others() -> None:
    picture = np.zeros((10, 20, 3), np.uint8)
    paint(picture, [Patch(0, box(4, 2, 8, 6), RED)])
    assert picture[4, 6].tolist() == [0, 0, 255]
    assert picture[4, 2].tolist() == picture[8, 6].tolist() == picture[4, 12].tolist() == [0, 0, 0]


def test_nothing_is_painted_without_patches() -> None:
    picture = np.full((4, 4, 3), 7, np.uint8)
    paint(picture, [])
    assert (picture == 7).all()


def test_the_nearer_patch_covers_the_farther_one() -> None:
    for order in (1, -1):
        picture = np.zeros((10, 10, 3), np.uint8)
        paint(picture, [Patch(1, box(1, 1, 8, 8), RED), Patch(2, box(1, 1, 8, 8), BLUE)][::order])
        assert picture[4, 4].tolist() == [255, 0, 0]


def test_the_later_of_two_patches_at_the_same_depth_covers_the_earlier_one() -> None:
    picture = np.zeros((10, 10, 3), np.uint8)
    paint(picture, [Patch(1, box(1, 1, 8, 8), BLUE), Patch(1, box(1, 1, 8, 8), RED)])
    assert picture[4, 4].tolist() == [0, 0, 255]


def test_a_shape_moves_by_less_than_a_pixel() -> None:
    still, moved = (np.zeros((10, 10, 3), np.uint8) for _ in range(2))
    paint(still, [Patch(0, box(3, 3, 6, 6), RED)])
    paint(moved, [Patch(0, box(3.25, 3, 6.25, 6), RED)])
    assert (still != moved).any()


def test_a_factor_below_1_darkens_and_one_above_1_goes_towards_white() -> None:
    assert shaded((100, 200, 50), 0.5) == (50, 100, 25)
    assert shaded((100, 200, 50), 1.0) == (100, 200, 50)
    assert shaded((55, 155, 255), 1.1) == pytest.approx((75, 165, 255))  # a tenth of the way to 255
    assert shaded((55, 155, 255), 2.0) == pytest.approx((255, 255, 255))


def test_a_capsule_has_round_ends_around_both_points() -> None:
    outline = capsule(points((0, 0)), points((10, 0)), 2, 1)
    first, last = outline[: len(outline) // 2], outline[len(outline) // 2 :]
    assert np.linalg.norm(first, axis=1) == pytest.approx(np.full(len(first), 2.0))
    assert np.linalg.norm(last - (10, 0), axis=1) == pytest.approx(np.full(len(last), 1.0))
    assert [outline[:, 0].min(), outline[:, 0].max()] == pytest.approx([-2, 11])


def test_a_capsule_of_no_length_is_a_circle() -> None:
    outline = capsule(points((5, 5)), points((5, 5)), 2, 2)
    assert np.linalg.norm(outline - 5, axis=1) == pytest.approx(np.full(len(outline), 2.0))


def test_an_ellipse_has_its_half_axes_and_turns() -> None:
    level, turned = ellipse(points((1, 2)), 4, 3), ellipse(points((1, 2)), 4, 3, pi / 2)
    assert np.ptp(level[:, 0]) == pytest.approx(8)
    assert np.ptp(turned[:, 1]) == pytest.approx(8)
    assert level.mean(axis=0) == pytest.approx([1, 2])


def test_a_hull_surrounds_all_outlines() -> None:
    corners = hull([box(0, 0, 2, 2), box(4, 0, 6, 2)])
    assert sorted(map(tuple, corners.tolist())) == [(0, 0), (0, 2), (6, 0), (6, 2)]


def test_a_solid_has_a_dark_edge_and_a_light_side_towards_the_light() -> None:
    edge, middle, lit = solid(3, box(0, 0, 10, 10), (100, 100, 100), round_by=4)
    assert edge.colour[0] < middle.colour[0] < lit.colour[0]
    assert {edge.depth, middle.depth, lit.depth} == {3}
    assert (lit.outline.mean(axis=0) - edge.outline.mean(axis=0)) @ LIGHT > 0
    assert np.ptp(lit.outline[:, 0]) < np.ptp(middle.outline[:, 0]) < np.ptp(edge.outline[:, 0])


def test_the_edges_of_joined_limbs_are_painted_before_their_sides() -> None:
    elbow = points((10, 0))
    upper = Bone(points((0, 0)), elbow, 3, 2, (100, 100, 100))
    lower = Bone(elbow, points((20, 0)), 2, 1, (100, 100, 100))
    tones = [patch.colour[0] for patch in limbs(1, [upper, lower])]
    assert tones == sorted(tones)
    assert len(tones) == 6
    assert len(limb(1, upper.start, upper.end, 3, 2, upper.colour)) == 3
