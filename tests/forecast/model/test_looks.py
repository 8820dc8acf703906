"""Looks agree with the sum over all paths of states and looks, and survive errors that last."""

from __future__ import annotations

import itertools

import numpy as np

from harstream.forecast.model.looks import Emission, Looks
from harstream.forecast.model.semi_markov import Floats, SemiMarkov, correct

ONLY = np.array([0])


def model_of_three() -> SemiMarkov:
    random = np.random.default_rng(5)
    follow = random.random((3, 3)) * (1 - np.eye(3))
    return SemiMarkov(
        random.uniform(0.1, 0.6, (3, 1)), np.zeros(1), follow / follow.sum(axis=1, keepdims=True), np.arange(3)
    )


def emission_of_three(lasting: float, renewal: float) -> Emission:
    matrix = np.random.default_rng(6).random((3, 3))
    return Emission((matrix / matrix.sum(axis=1, keepdims=True))[None], lasting, renewal)


def belief_after(symbols: list[int], model: SemiMarkov, emission: Emission, start: Floats) -> tuple[Floats, float]:
    """Return the belief (S,) and the logarithm of the probability of the symbols."""
    looks, belief, likelihood = Looks(emission), start[None, :, None].copy(), 0.0
    for tick, symbol in enumerate(symbols):
        if tick:
            later = model.advance(belief)
            looks.advance(belief, later, model)
            belief = later
        belief, log_probability = correct(belief, looks.correct(ONLY, np.array([symbol])))
        likelihood += float(log_probability[0])
    return belief[0, :, 0], likelihood


def test_looks_equal_the_sum_over_all_paths_of_states_and_looks() -> None:
    lasting, renewal = 0.8, 0.15
    model, emission = model_of_three(), emission_of_three(lasting, renewal)
    start, symbols = np.array([0.5, 0.3, 0.2]), [2, 0, 0, 1]
    after, drawn = np.zeros(3), emission.matrix[0]
    for path in itertools.product(range(3), repeat=4):
        for looks in itertools.product(range(3), repeat=4):
            weight = 1.0
            for tick, (state, look, symbol) in enumerate(zip(path, looks, symbols, strict=True)):
                hazard = model.hazard[state, 0]
                if tick == 0:
                    weight *= start[state] * drawn[state, look]
                elif state != path[tick - 1]:
                    before = path[tick - 1]
                    weight *= model.hazard[before, 0] * model.follow[before, state] * drawn[state, look]
                else:
                    weight *= 1 - hazard
                    weight *= (1 - renewal) * (look == looks[tick - 1]) + renewal * drawn[state, look]
                weight *= (1 - lasting) * drawn[state, symbol] + lasting * (look == symbol)
            after[path[-1]] += weight

    belief, likelihood = belief_after(symbols, model, emission, start)

    np.testing.assert_allclose(belief, after / after.sum(), atol=1e-12)
    np.testing.assert_allclose(likelihood, np.log(after.sum()), atol=1e-12)


def test_probabilities_stay_exact_over_a_long_time() -> None:
    """The factors of a row shrink below what a float holds; a plain matrix update is the truth."""
    model, emission = model_of_three(), emission_of_three(0.97, 1 / 60)
    looks, belief = Looks(emission), np.full((1, 3, 1), 1 / 3)
    plain = emission.matrix[0].copy()
    random = np.random.default_rng(7)
    for _ in range(3000):
        later = model.advance(belief)
        began = model.entering(belief)[0] / later[0, :, 0]
        looks.advance(belief, later, model)
        share = (1 - (1 - began) * (1 - emission.renewal))[:, None]
        plain = (1 - share) * plain + share * emission.matrix[0]
        symbol = int(random.integers(3))
        evidence = looks.correct(ONLY, np.array([symbol]))
        factor = np.full((3, 3), 0.03) * emission.matrix[0][:, [symbol]]
        factor[:, symbol] += 0.97
        plain *= factor
        plain /= plain.sum(axis=1, keepdims=True)
        belief, _ = correct(later, evidence)

    np.testing.assert_allclose(looks.probabilities()[0], plain, atol=1e-10)


def test_a_window_that_is_repeated_for_a_minute_counts_little_more_than_once() -> None:
    """A person who looks like another activity keeps that look, so the hundredth error is no news."""
    lazy = SemiMarkov(np.full((2, 1), 0.001), np.zeros(1), np.array([[0.0, 1.0], [1.0, 0.0]]), np.arange(2))
    emission = Emission(np.array([[[0.8, 0.2], [0.3, 0.7]]]), lasting=0.97, renewal=1 / 60)

    once, _ = belief_after([1], lazy, emission, np.array([0.7, 0.3]))
    often, _ = belief_after([1] * 10, lazy, emission, np.array([0.7, 0.3]))

    assert once[1] == np.float64(0.3 * 0.7) / (0.3 * 0.7 + 0.7 * 0.2)
    assert once[1] < often[1] < 0.72  # as independent windows, ten of them would give more than 0.9999


def test_cameras_do_not_mix() -> None:
    model, emission = model_of_three(), emission_of_three(0.9, 0.1)
    two = Emission(emission.matrix.repeat(2, axis=0), 0.9, 0.1)
    looks, belief = Looks(two), np.full((2, 3, 1), 1 / 3)
    later = model.advance(belief)
    looks.advance(belief, later, model)
    looks.correct(np.array([1]), np.array([0]))

    alone = Looks(emission)
    alone.advance(belief[:1], later[:1], model)

    np.testing.assert_allclose(looks.probabilities()[0], alone.probabilities()[0], atol=1e-15)
    assert np.abs(looks.probabilities()[1] - alone.probabilities()[0]).max() > 0.01
