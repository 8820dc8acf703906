"""Calibration finds a temperature and a threshold that are worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("scipy")

from harstream.models.contract import ModelContract
from harstream.models.layers.sum_of_classes import sum_matrix
from harstream.models.temperature import at_temperature
from harstream.training.calibration import calibrate, choose_threshold, fit_temperature

pytestmark = pytest.mark.training

CONTRACT = ModelContract("m", "1", ("Jump", "Walk", "Idle"), background=("Idle",))
EACH_A_LABEL = sum_matrix((0, 1))


def right_of_four(top: float) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Returns four windows of two classes with the same scores. Three of them are right."""
    return np.full((4, 2), (top, 1 - top), np.float32), np.array([0, 0, 0, 1])


def test_model_that_is_twice_too_sure_gets_temperature_2() -> None:
    # The model scores 0.9 and is right in 0.75: ln(0.9 / 0.1) / T = ln(0.75 / 0.25) gives T = ln 9 / ln 3 = 2.
    assert fit_temperature(*right_of_four(0.9), EACH_A_LABEL) == pytest.approx(2.0, abs=0.01)


def test_calibrated_model_keeps_its_scores() -> None:
    assert fit_temperature(*right_of_four(0.75), EACH_A_LABEL) == pytest.approx(1.0, abs=0.01)


def test_model_that_is_not_sure_enough_is_sharpened() -> None:
    # the odds are sqrt(3) instead of 3: T = 1/2
    assert fit_temperature(*right_of_four(np.sqrt(3) / (1 + np.sqrt(3))), EACH_A_LABEL) == pytest.approx(0.5, abs=0.01)


def test_known_temperature_is_recovered() -> None:
    chance = np.random.default_rng(1)
    logits = chance.normal(0, 2, size=(20_000, 5))
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = (honest.cumsum(axis=1) < chance.random((20_000, 1))).sum(axis=1)
    boastful = np.exp(3 * logits) / np.exp(3 * logits).sum(axis=1, keepdims=True)
    assert fit_temperature(boastful.astype(np.float32), truth, sum_matrix(range(5))) == pytest.approx(3, rel=0.05)


def test_classes_of_one_label_are_calibrated_together() -> None:
    # The label is always right; its two classes are right in half of the windows. Such a label keeps its scores.
    scores = np.full((4, 3), (0.02, 0.49, 0.49), np.float32)
    assert fit_temperature(scores, np.array([1, 1, 1, 1]), sum_matrix((0, 1, 1))) < 0.2
    honest = np.full((4, 3), (0.25, 0.5, 0.25), np.float32)
    assert fit_temperature(honest, np.array([0, 1, 1, 1]), sum_matrix((0, 1, 1))) == pytest.approx(1, abs=0.01)


def test_scores_at_temperature_2_have_the_roots_of_the_odds() -> None:
    assert at_temperature(np.array([[0.9, 0.1]], np.float32), 2)[0].tolist() == pytest.approx([0.75, 0.25])


def test_scores_of_0_stay_numbers() -> None:
    found = at_temperature(np.array([[1.0, 0.0]], np.float32), 0.5)
    assert found.tolist() == [[1.0, pytest.approx(0.0)]]


def rows(*tops: tuple[str, float]) -> NDArray[np.float32]:
    """Returns one row for each (label, score). The other labels share the rest equally."""
    found = np.empty((len(tops), 3), np.float32)
    for row, (label, score) in zip(found, tops, strict=True):
        row[:] = (1 - score) / 2
        row[CONTRACT.labels.index(label)] = score
    return found


def test_threshold_is_the_lowest_above_which_nine_of_ten_are_right() -> None:
    # The scores 0.52, 0.62 and 0.68 are wrong, 0.9 is right: from 0.70 on, all are right.
    scores = rows(("Jump", 0.52), ("Jump", 0.62), ("Walk", 0.68), ("Jump", 0.9))
    assert choose_threshold(CONTRACT, scores, np.array([1, 1, 0, 0])) == 0.7


def test_background_does_not_count_for_the_threshold() -> None:
    scores = rows(("Idle", 0.94), ("Jump", 0.6))
    assert choose_threshold(CONTRACT, scores, np.array([0, 0])) == 0.5


def test_threshold_is_the_highest_if_none_is_right_often_enough() -> None:
    assert choose_threshold(CONTRACT, rows(("Jump", 0.99)), np.array([1])) == 0.95


def test_calibrated_contract_differs_in_temperature_and_threshold_only() -> None:
    scores = np.full((4, 3), (0.9, 0.1, 0.0), np.float32)
    calibrated = calibrate(CONTRACT, scores, np.array([0, 0, 0, 1]), (0, 1, 2))
    assert calibrated.temperature == pytest.approx(2.0, abs=0.01)
    assert calibrated.unknown_threshold == 0.95  # three of four are right at best
    assert (calibrated.labels, calibrated.name, calibrated.rate) == (CONTRACT.labels, CONTRACT.name, CONTRACT.rate)
