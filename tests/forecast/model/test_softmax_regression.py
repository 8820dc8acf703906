"""The log-linear table agrees with scikit-learn's fit of the same objective."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from harstream.forecast.model.softmax_regression import SoftmaxRegression


def test_the_fit_equals_that_of_scikit_learn() -> None:
    random = np.random.default_rng(10)
    features, K = random.normal(size=(200, 5)), 4
    outcomes = (features[:, :K] + random.gumbel(size=(200, K))).argmax(axis=1)
    importance = random.uniform(0.2, 1.0, 200)

    ours = SoftmaxRegression.fit(features, outcomes, K, penalty=2.0, importance=importance)

    theirs = LogisticRegression(C=0.5, max_iter=5000, tol=1e-8).fit(features, outcomes, sample_weight=importance)
    np.testing.assert_allclose(ours.probabilities(features), theirs.predict_proba(features), atol=0.002)


def test_an_outcome_that_was_never_seen_keeps_a_probability() -> None:
    fitted = SoftmaxRegression.fit(np.ones((20, 1)), np.zeros(20, dtype=np.intp), 3, penalty=1.0)

    probabilities = fitted.probabilities(np.ones((1, 1)))[0]

    assert probabilities[0] > 0.9
    assert (probabilities > 0).all()


def test_without_rows_all_outcomes_are_equally_likely() -> None:
    fitted = SoftmaxRegression.fit(np.zeros((0, 2)), np.zeros(0, dtype=np.intp), 4, penalty=1.0)

    np.testing.assert_allclose(fitted.probabilities(np.ones((1, 2)))[0], 0.25)


def test_a_feature_with_a_larger_penalty_has_a_smaller_weight() -> None:
    random = np.random.default_rng(11)
    signal = random.integers(0, 2, 300).astype(np.float64)
    features = np.stack([signal, signal], axis=1)

    fitted = SoftmaxRegression.fit(features, signal.astype(np.intp), 2, penalty=np.array([1.0, 10.0]))

    assert np.abs(fitted.weights[0]).max() > 5 * np.abs(fitted.weights[1]).max() > 0
