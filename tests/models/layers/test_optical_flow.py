"""The layer computes differences and optical flow between two frames."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

pytestmark = pytest.mark.training


def landscape(dx: float = 0.0, dy: float = 0.0) -> NDArray[np.uint8]:
    """Returns soft hills (64, 64, 3), moved by (dx, dy) pixels."""
    y, x = np.mgrid[:64, :64].astype(np.float64)
    x, y = x - dx, y - dy
    hills = np.sin(x / 3) + np.cos(y / 3.5) + np.sin((x + y) / 4)
    return np.repeat((128 + 40 * hills).astype(np.uint8)[..., None], 3, axis=-1)


def walked(dx: float, dy: float, *, camera: tuple[float, float] = (0, 0)) -> NDArray[np.uint8]:
    """Returns a landscape moved by `camera`, whose middle moves by (dx, dy)."""
    picture = landscape(*camera)
    picture[20:44, 20:44] = landscape(dx, dy)[20:44, 20:44]
    return picture


def flow(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns (64, 64, 9): the difference of 3 channels; u, v at full, half, quarter size; u, v of the camera."""
    from harstream.models.layers.optical_flow import OpticalFlow

    return np.asarray(OpticalFlow()(np.stack([before, after])[None]))[0]


@pytest.fixture
def without_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Computes flow as Lucas and Kanade did, with nothing added for weak edges."""
    from harstream.models.layers import optical_flow

    monkeypatch.setattr(optical_flow, "NOISE", 1e-6)


def pixels(seen: NDArray[np.float32], channel: int) -> float:
    """Returns the middle of the picture, converted from tanh(x / 2) to pixels."""
    return float(2 * np.arctanh(np.median(seen[26:38, 26:38, channel])))


def camera(seen: NDArray[np.float32]) -> list[float]:
    """Returns the flow of the camera, converted from tanh(x / 4) to pixels."""
    assert np.ptp(seen[..., 7:], axis=(0, 1)).max() == 0  # equal in the whole picture
    return (4 * np.arctanh(seen[0, 0, 7:])).tolist()


def test_equal_frames_have_no_flow() -> None:
    # Some processors round the two pictures differently in one product of matrices.
    np.testing.assert_allclose(flow(landscape(), landscape()), 0, atol=1e-6)


@pytest.mark.usefixtures("without_noise")
@pytest.mark.parametrize(("dx", "dy"), [(1, 0), (0, 1), (-1, 0), (0.5, -0.5)])
def test_flow_is_the_distance_of_a_movement(dx: float, dy: float) -> None:
    seen = flow(landscape(), walked(dx, dy))
    assert [pixels(seen, 1), pixels(seen, 2)] == pytest.approx([dx, dy], abs=0.15)
    assert camera(seen) == pytest.approx([0, 0], abs=0.15)


@pytest.mark.usefixtures("without_noise")
def test_coarser_flow_has_the_unit_of_its_own_pixels() -> None:
    seen = flow(landscape(), walked(2, -2))
    assert [pixels(seen, channel) for channel in (3, 4)] == pytest.approx([1, -1], abs=0.25)
    assert [pixels(seen, channel) for channel in (5, 6)] == pytest.approx([0.5, -0.5], abs=0.25)


@pytest.mark.parametrize("moved", [(1, 0), (-0.5, 2.5), (4, -5)])
def test_movement_of_the_camera_is_measured_and_subtracted(moved: tuple[float, float]) -> None:
    seen = flow(landscape(), landscape(*moved))
    assert camera(seen) == pytest.approx(moved, abs=0.1)
    assert np.abs(seen[8:-8, 8:-8, :7]).max() < 0.15


@pytest.mark.usefixtures("without_noise")
def test_flow_is_unchanged_for_a_still_camera() -> None:
    seen = flow(landscape(), walked(3, -1, camera=(2, -2)))
    assert camera(seen) == pytest.approx([2, -2], abs=0.2)
    assert [pixels(seen, 1), pixels(seen, 2)] == pytest.approx([1, 1], abs=0.2)


def test_areas_in_only_one_of_the_frames_have_no_flow() -> None:
    seen = flow(
        landscape(), landscape(-5, 3)
    )  # the camera turns right and up, so the left and lower edges leave the picture
    assert not seen[:, :4, :7].any()
    assert not seen[-2:, :, :7].any()
    assert seen[4:-4, 8:, :7].any()


def test_flow_tends_to_0_at_weak_edges() -> None:
    seen = flow(landscape(), walked(1, 0))
    faint = flow(landscape() // 8, walked(1, 0) // 8)
    assert 0 <= pixels(faint, 1) < 0.2 < pixels(seen, 1) < 1


def test_flat_picture_that_becomes_lighter_has_a_difference_and_no_flow() -> None:
    grey = np.full((64, 64, 3), 100, dtype=np.uint8)
    seen = flow(grey, grey + np.uint8(51))
    assert seen[..., 0] == pytest.approx(0.6)
    assert np.abs(seen[..., 1:]).max() < 1e-4


@pytest.mark.usefixtures("without_noise")
def test_flow_equals_that_of_opencv_at_edges() -> None:
    before, after = landscape(), walked(0.8, 0.4)
    points = np.array([[[float(x), float(y)]] for x in range(24, 41, 2) for y in range(24, 41, 2)], dtype=np.float32)
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        before[..., 0], after[..., 0], points, np.empty_like(points), winSize=(5, 5), maxLevel=0
    )
    seen = 2 * np.arctanh(flow(before, after)[..., 1:3])
    ours = np.array([seen[int(y), int(x)] for (x, y) in points[:, 0]])
    difference = np.abs(ours - (moved - points)[:, 0])[found[:, 0] == 1]
    assert np.median(difference) < 0.1


def test_difference_is_each_frame_minus_the_previous_one() -> None:
    from harstream.models.layers.optical_flow import FrameDifference

    frames = np.stack([landscape(), landscape(), landscape(1, 0)])[None]
    difference = np.asarray(FrameDifference()(frames))
    assert difference.shape == (1, 2, 64, 64, 3)
    assert not difference[:, 0].any()
    assert difference[0, 1] == pytest.approx((frames[0, 2].astype(float) - frames[0, 1]) / 255, abs=1e-6)
