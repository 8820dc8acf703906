"""An exported graph must agree with the Keras model."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.export.verify import (
    OutputsDiffer,
    Runner,
    difference_of,
    require_same_labels,
    seconds_per_window,
    seen_by_encoder,
)

WINDOWS = np.zeros((2, 4, 8, 8, 3), dtype=np.uint8)
EXPECTED = np.array([[0.7, 0.3], [0.2, 0.8]], dtype=np.float32)


def runner(scores: NDArray[np.float32]) -> Runner:
    """Returns a runner that gives `scores` for both windows together and the right ones for a single window."""
    WINDOWS[1] = 1
    return lambda windows: scores if len(windows) == 2 else EXPECTED[[int(windows[0, 0, 0, 0, 0])]]


def test_the_difference_is_the_largest_over_all_scores() -> None:
    off = EXPECTED + np.array([[0, 0], [2e-5, -5e-5]], dtype=np.float32)
    assert difference_of(runner(off), EXPECTED, WINDOWS) == pytest.approx(5e-5, rel=0.01)


def test_a_difference_in_a_batch_is_found_although_single_windows_agree() -> None:
    with pytest.raises(OutputsDiffer, match=r"differs from Keras by 1\.0e-03"):
        difference_of(runner(EXPECTED + np.float32(1e-3)), EXPECTED, WINDOWS)


def test_a_quantized_model_may_change_labels_of_one_sure_window_in_ten_and_of_any_unsure_one() -> None:
    sure = np.tile(np.array([[0.9, 0.1]], dtype=np.float32), (10, 1))
    unsure = np.array([[0.55, 0.45]], dtype=np.float32)
    changed = sure.copy()
    changed[0] = changed[0, ::-1]
    require_same_labels(np.concatenate([sure, unsure]), np.concatenate([changed, unsure[:, ::-1]]))
    changed[1] = changed[1, ::-1]
    with pytest.raises(OutputsDiffer, match="keep the label of 8 of 10 windows"):
        require_same_labels(sure, changed)


def test_an_encoder_that_looks_back_sees_each_frame_with_the_one_before_it() -> None:
    windows = np.arange(3, dtype=np.uint8).reshape(1, 3, 1, 1, 1)
    assert seen_by_encoder(windows, 3) is windows
    assert seen_by_encoder(windows, 4)[..., 0, 0, 0].tolist() == [[[0, 1], [1, 2]]]


def test_every_runner_is_timed() -> None:
    times = seconds_per_window([lambda windows: EXPECTED, lambda windows: EXPECTED], np.repeat(WINDOWS, 3, axis=0))
    assert len(times) == 2
    assert all(0 <= seconds < 1 for seconds in times)
