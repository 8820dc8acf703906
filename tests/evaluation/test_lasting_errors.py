"""Errors that last are measured on few windows, so that every figure can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from harstream.evaluation.labelled_scores import LabelledScores
from harstream.evaluation.lasting_errors import (
    GRID,
    lasting_in_clips,
    log_likelihood,
    measure_lasting,
    most_likely_lasting,
)
from harstream.models.contract import ModelContract

CONTRACT = ModelContract("m", "1", ("sit", "walk", "nobody", "empty"), ("nobody", "empty"), rate=10.0)


def windows(*clips: tuple[int, list[int]], score: float = 0.7) -> LabelledScores:
    """Returns clips, each with its truth and the recognized label of each window."""
    names = tuple(f"clip{number}" for number, (_, recognized) in enumerate(clips) for _ in recognized)
    recognized = [label for _, labels in clips for label in labels]
    scores = np.full((len(recognized), 4), (1 - score) / 3, dtype=np.float32)
    scores[np.arange(len(recognized)), recognized] = score
    truth = np.array([true for true, labels in clips for _ in labels])
    return LabelledScores(CONTRACT.labels, CONTRACT.background, names, names, truth, scores)


def test_runs_are_wrong_windows_in_a_row_within_one_clip() -> None:
    found = measure_lasting(windows((0, [0, 1, 1, 0, 1]), (1, [0, 0, 0]), (1, [1, 1])), CONTRACT, step=2.0)
    # Runs of 2, 1 and 3 windows: 4, 2 and 6 seconds. The last two go on to the end of their clips.
    assert (found.windows, found.wrong, found.runs) == (10, 6, 3)
    assert (found.run_p50, found.run_longest) == (4.0, 6.0)
    assert found.run_p90 == pytest.approx(4 + 0.8 * 2)
    assert found.share_in_long_runs == pytest.approx(3 / 6)
    assert found.share_in_cut_runs == pytest.approx(4 / 6)


def test_all_background_labels_are_the_same() -> None:
    found = measure_lasting(windows((2, [3, 3, 2]), (0, [0])), CONTRACT, step=2.0)
    assert (found.wrong, found.runs, found.run_p50, found.share_in_long_runs) == (0, 0, None, None)


def test_windows_of_clips_are_one_span_apart() -> None:
    # 20 frames at 10 Hz: windows 0, 19 and 38 count, 1.9 s apart.
    recognized = [0] * 40
    recognized[18:39] = [1] * 21
    found = lasting_in_clips(windows((0, recognized)), CONTRACT)
    assert found is not None
    assert (found.windows, found.wrong, found.runs) == (3, 2, 1)
    assert found.run_longest == pytest.approx(3.8)


def test_whole_clips_have_no_windows_that_follow_each_other() -> None:
    whole = ModelContract("m", "1", CONTRACT.labels, CONTRACT.background, rate=None)
    assert lasting_in_clips(windows((0, [0, 1])), whole) is None


def test_the_probability_of_two_equal_symbols_is_that_of_their_paths() -> None:
    """With an even row, the look after a symbol is that symbol with (1 + l) / 2, so 1/2 + l² (1 - r) / 2 repeat it."""
    found = np.exp(log_likelihood(np.array([1, 1]), np.array([0.5, 0.5]), 0.25))
    np.testing.assert_allclose(found, 0.5 * (0.5 + 0.5 * GRID**2 * 0.75))


def test_the_most_likely_lasting_is_the_root_of_the_excess_of_pairs() -> None:
    """Without renewal, pairs are equal with 1/2 + l² / 2. 82 of 100 pairs are equal, so l² is 0.64."""
    pairs = [[0, 0]] * 41 + [[1, 1]] * 41 + [[0, 1]] * 9 + [[1, 0]] * 9
    assert most_likely_lasting([np.array(pair) for pair in pairs], [0] * 100, 2, step=1e-9) == pytest.approx(0.8)


def test_few_windows_that_follow_another_say_nothing() -> None:
    assert most_likely_lasting([np.array([0, 0])] * 29, [0] * 29, 2, step=1.9) is None
    assert most_likely_lasting([np.array([0, 0])] * 15 + [np.array([1, 1])] * 15, [0] * 30, 2, step=1.9) == 0.995


def test_a_sure_and_an_unsure_window_of_one_label_are_two_symbols() -> None:
    """A model that is sure in every second clip repeats its symbol; the label alone never changes."""
    sure, unsure = windows(*[(0, [0, 0])] * 20, score=0.9), windows(*[(0, [0, 0])] * 20, score=0.6)
    both = LabelledScores(
        sure.labels,
        sure.background,
        sure.clips + tuple(f"unsure {name}" for name in unsure.clips),
        sure.groups + unsure.groups,
        np.concatenate([sure.truth, unsure.truth]),
        np.concatenate([sure.scores, unsure.scores]),
    )
    contract = ModelContract("m", "1", CONTRACT.labels, CONTRACT.background, rate=10.0, unknown_threshold=0.8)
    assert measure_lasting(both, contract, step=1.9).lasting == 0.995
