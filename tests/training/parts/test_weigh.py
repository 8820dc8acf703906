"""Two models of the same labels are joined as their mistakes on validation clips show."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.models.score_fusion import Fusion
from harstream.training.parts.weigh import weighed

EVEN = Fusion((1 / 3, 1 / 3, 1 / 3))


def scores_of(random: np.random.Generator, truth: NDArray[np.intp], certainty: float) -> NDArray[np.float32]:
    """Return calibrated scores (N, 3): the true label is the best one with this probability."""
    best = np.where(random.random(len(truth)) < certainty, truth, (truth + random.integers(1, 3, len(truth))) % 3)
    scores = np.full((len(truth), 3), (1 - certainty) / 2, np.float32)
    scores[np.arange(len(truth)), best] = certainty
    return scores


def test_who_knows_nothing_changes_nothing() -> None:
    base = np.array([[0.7, 0.2, 0.1]], np.float32)
    prior = (0.5, 0.3, 0.2)
    fusion = Fusion(prior, (1.0, 0.8))
    assert fusion(base, np.array([prior], np.float32)) == pytest.approx(base, abs=1e-4)


def test_independent_evidence_is_taken_up_as_in_bayes_rule() -> None:
    base, other = np.array([[0.6, 0.3, 0.1]], np.float32), np.array([[0.5, 0.25, 0.25]], np.float32)
    product = base * other
    assert EVEN(base, other) == pytest.approx(product / product.sum(), abs=1e-4)


def test_two_who_err_independently_count_fully_and_are_more_often_right() -> None:
    random = np.random.default_rng(3)
    truth = random.integers(0, 3, 8000)
    halves = [(truth[:4000], 0.9, 0.5), (truth[4000:], 0.5, 0.9)]
    base, other = (
        np.concatenate([scores_of(random, half, certain[which]) for half, *certain in halves]) for which in (0, 1)
    )
    fusion = weighed(EVEN, base, other, truth, np.ones(len(truth)))
    assert fusion.weights == pytest.approx((1.0, 1.0), abs=0.15)
    right = [(scores.argmax(1) == truth).mean() for scores in (base, other, fusion(base, other))]
    assert right[2] > max(right[:2]) + 0.15


def test_a_copy_counts_nothing_more() -> None:
    random = np.random.default_rng(4)
    truth = random.integers(0, 3, 6000)
    base = scores_of(random, truth, 0.7)
    assert sum(weighed(EVEN, base, base, truth, np.ones(len(truth))).weights) == pytest.approx(1.0, abs=0.1)


def test_who_guesses_gets_no_weight() -> None:
    random = np.random.default_rng(5)
    truth = random.integers(0, 3, 6000)
    guess = scores_of(random, random.integers(0, 3, len(truth)), 0.9)
    assert weighed(EVEN, scores_of(random, truth, 0.7), guess, truth, np.ones(len(truth))).weights[1] <= 0.05


def test_a_window_counts_as_much_as_it_is_asked_to() -> None:
    random = np.random.default_rng(6)
    truth = random.integers(0, 3, 4000)
    other = np.concatenate([scores_of(random, truth[:2000], 0.9), scores_of(random, (truth[2000:] + 1) % 3, 0.9)])
    base = scores_of(random, truth, 0.7)
    first, last = np.arange(4000) < 2000, np.arange(4000) >= 2000
    assert weighed(EVEN, base, other, truth, first.astype(float)).weights[1] > 0.7
    assert weighed(EVEN, base, other, truth, last.astype(float)).weights[1] == 0.0


def test_a_label_that_the_other_one_never_learned_is_left_to_the_base() -> None:
    fusion = Fusion((0.5, 0.5, 0.0))
    base, other = np.array([[0.3, 0.1, 0.6]], np.float32), np.array([[0.5, 0.5, 0.0]], np.float32)
    assert fusion(base, other) == pytest.approx(base, abs=1e-3)


def test_kept_labels_keep_their_scores_and_the_others_are_ranked_anew() -> None:
    """Label 2 is kept at 0.2. The others share 0.8: 0.5 x 0.1 and 0.3 x 0.9 against their even prior, 5 to 27."""
    base, other = np.array([[0.5, 0.3, 0.2]], np.float32), np.array([[0.1, 0.9, 0.0]], np.float32)
    found = Fusion((0.5, 0.5, 0.0), kept=(2,))(base, other)
    assert found == pytest.approx(np.array([[0.8 * 5 / 32, 0.8 * 27 / 32, 0.2]]), abs=1e-4)


def test_no_evidence_makes_a_kept_label_more_or_less_likely() -> None:
    random = np.random.default_rng(7)
    base, other = (random.dirichlet([1, 1, 1], 50).astype(np.float32) for _ in range(2))
    found = Fusion((0.3, 0.3, 0.4), (0.8, 2.0), kept=(0,))(base, other)
    assert found[:, 0] == pytest.approx(base[:, 0])
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-5)
