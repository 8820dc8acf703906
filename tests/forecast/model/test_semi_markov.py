"""The filter agrees with published digits, and with the sum over all paths."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from harstream.forecast.model.semi_markov import Floats, SemiMarkov, correct


def random_model(states: int = 3, phases: int = 2, *, seed: int = 1) -> SemiMarkov:
    """Return a model whose states all show themselves."""
    random = np.random.default_rng(seed)
    follow = random.random((states, states)) * (1 - np.eye(states))
    pace = np.append(np.full(phases - 1, 0.4), 0.0)
    return SemiMarkov(
        random.uniform(0.1, 0.6, (states, phases)), pace, follow / follow.sum(axis=1, keepdims=True), np.arange(states)
    )


def transitions(model: SemiMarkov) -> Floats:
    """Return (S * B, S * B), written from the definition of the model instead of from its `advance`."""
    S, B = model.hazard.shape
    matrix = np.zeros((S, B, S, B))
    for state, phase in itertools.product(range(S), range(B)):
        hazard = model.hazard[state, phase]
        for following in range(S):
            matrix[state, phase, following, 0] += hazard * model.follow[state, following]
        if phase + 1 < B:
            matrix[state, phase, state, phase + 1] += (1 - hazard) * model.pace[phase]
        matrix[state, phase, state, phase] += (1 - hazard) * (1 - model.pace[phase])
    return matrix.reshape(S * B, S * B)


def filtered(model: SemiMarkov, belief: Floats, seen: Floats) -> tuple[Floats, float]:
    """Return the belief after evidence (n, S), one row per tick, and the logarithm of its probability."""
    likelihood = 0.0
    for row in seen:
        belief, log_probability = correct(model.advance(belief), row)
        likelihood += float(log_probability)
    return belief, likelihood


def test_filter_gives_the_digits_of_the_umbrella_world() -> None:
    """Source: S. Russell, P. Norvig, "Artificial intelligence", 3rd ed. (2010), section 15.2.1."""
    rain = SemiMarkov(np.full((2, 1), 0.3), np.zeros(1), np.array([[0.0, 1.0], [1.0, 0.0]]), np.arange(2))
    umbrella = np.array([0.9, 0.2])

    first, _ = filtered(rain, np.full((2, 1), 0.5), umbrella[None])
    second, _ = filtered(rain, first, umbrella[None])

    assert first[0, 0] == pytest.approx(0.818, abs=0.0005)
    assert second[0, 0] == pytest.approx(0.883, abs=0.0005)


def test_filter_gives_the_probability_of_rabiners_weather() -> None:
    """Source: L. Rabiner 1989, section II: O = (sun, sun, sun, rain, rain, sun, cloudy, sun) has 1.536e-4."""
    matrix = np.array([[0.4, 0.3, 0.3], [0.2, 0.6, 0.2], [0.1, 0.1, 0.8]])
    leaving = matrix * (1 - np.eye(3))
    weather = SemiMarkov(
        (1 - np.diag(matrix))[:, None], np.zeros(1), leaving / leaving.sum(axis=1, keepdims=True), np.arange(3)
    )
    sunny = np.array([[0.0], [0.0], [1.0]])

    _, likelihood = filtered(weather, sunny, np.eye(3)[[2, 2, 0, 0, 2, 1, 2]])

    assert np.exp(likelihood) == pytest.approx(1.536e-4, abs=1e-12)


def test_filter_equals_the_sum_over_all_paths() -> None:
    model, ticks = random_model(), 5
    random = np.random.default_rng(2)
    start = random.random((3, 2))
    start /= start.sum()
    seen = random.random((ticks, 3))
    seen[2] = 1.0  # nothing was observed
    matrix, after, total = transitions(model), np.zeros(6), 0.0
    for path in itertools.product(range(6), repeat=ticks + 1):
        weight = start.ravel()[path[0]]
        for tick, (before, now) in enumerate(itertools.pairwise(path)):
            weight *= matrix[before, now] * seen[tick, now // 2]
        after[path[-1]] += weight
        total += weight

    belief, likelihood = filtered(model, start, seen)

    np.testing.assert_allclose(belief.ravel(), after / total, atol=1e-12)
    assert likelihood == pytest.approx(np.log(total), abs=1e-11)


def test_phases_equal_explicit_durations_summed_over_all_segmentations() -> None:
    model, ticks = random_model(phases=3), 7
    random = np.random.default_rng(3)
    seen, start = random.random((ticks, 3)), np.array([0.2, 0.5, 0.3])
    lasting = np.array([duration_probabilities(model, state, ticks) for state in range(3)])
    surviving = 1 - np.cumsum(np.hstack([np.zeros((3, 1)), lasting]), axis=1)
    after = np.zeros(3)

    def extend(tick: int, state: int, weight: float) -> None:
        for length in range(1, ticks - tick + 1):
            weight *= seen[tick + length - 1, state]
            if tick + length == ticks:
                after[state] += weight * surviving[state, length - 1]
            else:
                for following in range(3):
                    if following != state:
                        step = lasting[state, length - 1] * model.follow[state, following]
                        extend(tick + length, following, weight * step)

    for state in range(3):
        extend(0, state, start[state])
    first = np.zeros((3, 3))
    first[:, 0] = start
    belief, begun = correct(first, seen[0])
    belief, likelihood = filtered(model, belief, seen[1:])

    np.testing.assert_allclose(belief.sum(axis=1), after / after.sum(), atol=1e-12)
    assert float(begun) + likelihood == pytest.approx(np.log(after.sum()), abs=1e-11)


def duration_probabilities(model: SemiMarkov, state: int, longest: int) -> Floats:
    """Return (longest,): the probability that the state lasts 1, 2, ... ticks, by a recursion of its own."""
    phases = np.zeros(len(model.pace))
    phases[0] = 1.0
    probabilities = np.zeros(longest)
    for tick in range(longest):
        probabilities[tick] = phases @ model.hazard[state]
        alive = phases * (1 - model.hazard[state])
        phases = alive * (1 - model.pace)
        phases[1:] += (alive * model.pace)[:-1]
    return probabilities


def test_belief_keeps_its_sum_without_evidence() -> None:
    model = random_model(5, 4)
    belief = np.random.default_rng(4).random((7, 5, 4))

    np.testing.assert_allclose(model.advance(belief).sum(axis=(1, 2)), belief.sum(axis=(1, 2)), rtol=1e-12)


def test_rhythm_scales_hazards_and_followers() -> None:
    model = random_model()

    scaled = model.scaled(np.array([2.0, 1.0, 1.0]), np.array([1.0, 3.0, 1.0]))

    np.testing.assert_allclose(scaled.hazard[0], np.minimum(2 * model.hazard[0], 0.999))
    np.testing.assert_allclose(scaled.follow.sum(axis=1), 1.0)
    assert scaled.follow[0, 1] / scaled.follow[0, 2] == pytest.approx(3 * model.follow[0, 1] / model.follow[0, 2])
