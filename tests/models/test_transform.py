"""The transform turns a camera picture into a model frame."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.models.contract import Channels, Normalisation
from harstream.models.transform import to_model_frame, to_model_input

SIZES = [(1080, 1920), (120, 160), (240, 320), (64, 64), (1920, 1080), (30, 20), (300, 40), (1, 1)]


def picture(size: tuple[int, int], bgr: tuple[int, int, int]) -> NDArray[np.uint8]:
    return np.full((*size, 3), bgr, np.uint8)


@pytest.mark.parametrize("size", SIZES)
def test_model_frame_has_the_models_shape_and_type(size: tuple[int, int]) -> None:
    frame = to_model_frame(picture(size, (1, 2, 3)), height=48, width=64)
    assert (frame.shape, frame.dtype) == ((48, 64, 3), np.uint8)


@pytest.mark.parametrize("size", SIZES)
def test_constant_picture_stays_constant_and_blue_comes_last(size: tuple[int, int]) -> None:
    frame = to_model_frame(picture(size, (10, 120, 250)), 64, 64)
    assert np.unique(frame.reshape(-1, 3), axis=0).tolist() == [[250, 120, 10]]


@pytest.mark.parametrize("size", [(1080, 1920), (120, 160), (30, 20)])
def test_nothing_is_turned_or_mirrored(size: tuple[int, int]) -> None:
    corner = picture(size, (0, 0, 0))
    corner[: size[0] // 2, : size[1] // 2] = 200
    frame = to_model_frame(corner, 64, 64)
    assert [frame[8, 8, 0], frame[8, 56, 0], frame[56, 8, 0], frame[56, 56, 0]] == [200, 0, 0, 0]


def test_fine_pattern_is_averaged_and_not_sampled() -> None:
    stripes = picture((128, 128), (0, 0, 0))
    stripes[:, ::2] = 200
    assert np.unique(to_model_frame(stripes, 64, 64)).tolist() == [100]


def test_picture_given_is_not_changed() -> None:
    given = picture((120, 160), (1, 2, 3))
    to_model_frame(given, 64, 64)
    assert np.unique(given.reshape(-1, 3), axis=0).tolist() == [[1, 2, 3]]


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((1, 4, 4, 3), np.uint8),
    ],
)
def test_an_invalid_picture_is_refused(wrong: NDArray[np.generic]) -> None:
    with pytest.raises(ValueError, match=r"a picture must be \(H, W, 3\) uint8, got"):
        to_model_frame(wrong, 64, 64)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("normalisation", "expected"),
    [("divide by 255", [0, 51, 255]), ("0 to 1", [0.0, 0.2, 1.0]), ("-1 to 1", [-1.0, -0.6, 1.0])],
)
@pytest.mark.parametrize("channels", ["RGB", "BGR"])
def test_input_has_the_levels_and_the_colour_order_of_the_contract(
    channels: Channels, normalisation: Normalisation, expected: list[float]
) -> None:
    frames = np.array([[[0, 51, 255]]], np.uint8)
    found = to_model_input(frames, channels, normalisation)
    assert found.dtype == (np.uint8 if normalisation == "divide by 255" else np.float32)
    assert found[0, 0].tolist() == pytest.approx(expected if channels == "RGB" else expected[::-1], abs=1e-6)
