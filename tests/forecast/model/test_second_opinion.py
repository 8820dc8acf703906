"""Another library agrees with the filter, and no past makes it give up a law of probability."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hmmlearn.hmm import CategoricalHMM
from hypothesis import given, settings
from hypothesis import strategies as st

from harstream.forecast.model.horizons import Stretch, beginning, going_on, look_ahead
from harstream.forecast.model.looks import Emission, Looks
from harstream.forecast.model.semi_markov import Floats, SemiMarkov, correct
from harstream.forecast.model.states import States

STATES = States(("Eat", "Sleep", "Wash"))
S, J, B = STATES.count, 4, 3
ONLY = np.array([0])


def model_of(seed: int, phases: int) -> SemiMarkov:
    random = np.random.default_rng(seed)
    follow = random.gamma(0.3, size=(S, S)) * STATES.can_follow + 1e-9 * STATES.can_follow
    pace = np.append(random.uniform(0.01, 0.9, phases - 1), 0.0)
    hazard = random.uniform(0.001, 0.9, (S, phases))
    return SemiMarkov(hazard, pace, follow / follow.sum(axis=1, keepdims=True), STATES.shows)


def emission_of(seed: int) -> Floats:
    return np.random.default_rng(seed).dirichlet(np.full(J, 0.3), S)


def filtered(model: SemiMarkov, emission: Floats, symbols: list[int | None], lasting: float) -> tuple[Floats, float]:
    """Return the belief (S, B) after symbols, of which None stands for a missing one, and their log-probability."""
    belief = np.zeros((1, *model.hazard.shape))
    belief[0, :, 0] = 1 / S
    looks, total = Looks(Emission(emission[None], lasting, 0.1)), 0.0
    for tick, symbol in enumerate(symbols):
        if tick:
            later = model.advance(belief)
            looks.advance(belief, later, model)
            belief = later
        if symbol is not None:
            belief, log_probability = correct(belief, looks.correct(ONLY, np.array([symbol])))
            total += float(log_probability[0])
    return belief[0], total


def test_hmmlearn_gives_the_same_belief_and_likelihood() -> None:
    """With one phase and without looks, the model is a hidden Markov model."""
    model, emission = model_of(1, 1), emission_of(2)
    other = CategoricalHMM(n_components=S, n_features=J)
    other.startprob_ = np.full(S, 1 / S)
    other.transmat_ = np.diag(1 - model.hazard[:, 0]) + model.hazard * model.follow
    other.emissionprob_ = emission
    symbols = [int(each) for each in np.random.default_rng(3).integers(0, J, 200)]
    likelihood, beliefs = other.score_samples(np.array(symbols)[:, None])

    belief, total = filtered(model, emission, list(symbols), lasting=0.0)

    # The last smoothed belief is the filtered one, because nothing comes after it.
    np.testing.assert_allclose(belief[:, 0], beliefs[-1], atol=1e-10)
    np.testing.assert_allclose(total, likelihood, rtol=1e-10)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    symbols=st.lists(st.one_of(st.none(), st.integers(0, J - 1)), min_size=1, max_size=40),
    lasting=st.floats(0, 0.999),
    ticks=st.lists(st.integers(1, 60), min_size=2, max_size=4),
)
def test_beliefs_sum_to_one_and_a_longer_horizon_never_lowers_a_begin(
    seed: int, symbols: list[int | None], lasting: float, ticks: list[int]
) -> None:
    model = model_of(seed, B)
    belief, _ = filtered(model, emission_of(seed), symbols, lasting)
    assert belief.min() >= 0
    np.testing.assert_allclose(belief.sum(), 1, atol=1e-9)
    begins = [look_ahead(belief, beginning([Stretch(each, model)])) for each in sorted(ticks)]
    for nearer, later in pairwise(begins):
        assert (later >= nearer - 1e-12).all()
    assert (begins[-1] <= 1 + 1e-9).all()
    np.testing.assert_allclose(look_ahead(belief, going_on([Stretch(ticks[0], model)])).sum(), 1, atol=1e-9)
