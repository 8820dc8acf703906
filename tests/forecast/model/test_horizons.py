"""What lies ahead agrees with the dense transition matrix and with simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from harstream.forecast.model.horizons import (
    Chains,
    Stretch,
    beginning,
    chain_of,
    going_on,
    leaving,
    look_ahead,
    next_activity,
    surviving,
)
from harstream.forecast.model.semi_markov import Floats, SemiMarkov
from harstream.forecast.model.states import States
from tests.forecast.model.test_semi_markov import duration_probabilities, random_model, transitions

TWO = States(("Eat", "Sleep"))


def home_model(seed: int = 8) -> SemiMarkov:
    """Return a model of two activities and their unknown states."""
    random = np.random.default_rng(seed)
    follow = random.random((5, 5)) * TWO.can_follow
    hazard = random.uniform(0.1, 0.5, (5, 2))
    return SemiMarkov(hazard, np.array([0.4, 0.0]), follow / follow.sum(axis=1, keepdims=True), TWO.shows)


def test_going_on_equals_a_power_of_the_transition_matrix() -> None:
    model = random_model()
    belief = np.array([[0.2, 0.1], [0.3, 0.0], [0.1, 0.3]])

    ahead = look_ahead(belief, going_on([Stretch(7, model)]))

    later = belief.ravel() @ np.linalg.matrix_power(transitions(model), 7)
    np.testing.assert_allclose(ahead, later.reshape(3, 2).sum(axis=1), atol=1e-12)


def test_the_nearest_stretch_comes_first() -> None:
    near, far = random_model(seed=1), random_model(seed=2)

    ahead = going_on([Stretch(2, near), Stretch(3, far)])

    matrix = np.linalg.matrix_power(transitions(near), 2) @ np.linalg.matrix_power(transitions(far), 3)
    np.testing.assert_allclose(ahead.reshape(6, 3), matrix.reshape(6, 3, 2).sum(axis=2), atol=1e-12)


def test_beginning_equals_the_first_entry_of_a_simulation() -> None:
    model = home_model()
    table = beginning([Stretch(6, model)])
    matrix = transitions(model)

    shares = simulated_entries(matrix, start=0, ticks=6, activities=2)

    np.testing.assert_allclose(table[0, 0], shares, atol=0.01)


def simulated_entries(matrix: Floats, start: int, ticks: int, activities: int, walks: int = 40_000) -> Floats:
    """Return the share of walks in which each activity begins: its first phase is entered from another state."""
    random = np.random.default_rng(9)
    places, began = np.full(walks, start), np.zeros((walks, activities), dtype=bool)
    cumulative = matrix.cumsum(axis=1)
    for _ in range(ticks):
        later = (random.random(walks)[:, None] > cumulative[places]).sum(axis=1)
        for activity in range(activities):
            began[:, activity] |= (later == 2 * activity) & (places // 2 != activity)
        places = later
    return np.asarray(began.mean(axis=0))


def test_beginning_grows_with_the_horizon() -> None:
    model = home_model()
    tables = [beginning([Stretch(ticks, model)]) for ticks in (1, 5, 20, 80)]

    for near, far in itertools.pairwise(tables):
        assert (far >= near).all()
    assert tables[-1].min() > 0.99


def test_the_next_activity_looks_through_unknown() -> None:
    """Eat is followed by Sleep in 0.3, by unknown in 0.7; after unknown, Eat goes on in 0.6 and Sleep begins in 0.4."""
    follow = np.zeros((5, 5))
    follow[0, 1], follow[0, 2] = 0.3, 0.7
    follow[2, 0], follow[2, 1] = 0.6, 0.4
    follow[1, 0] = follow[3, 0] = 1.0
    follow[4, 0], follow[4, 1] = 0.9, 0.1

    following = next_activity(follow)

    np.testing.assert_allclose(following[0], [0.0, 1.0])  # the only other activity
    np.testing.assert_allclose(following[2], [0.6, 0.4])  # it is unknown now, so Eat may be next
    np.testing.assert_allclose(following[4], [0.9, 0.1])


def test_an_interruption_is_tried_again_until_another_activity_begins() -> None:
    """Of three activities: from A directly to B in 0.5, or to unknown, from there back to A in 0.5 or to C in 0.5."""
    follow = np.zeros((7, 7))
    follow[0, 1], follow[0, 3] = 0.5, 0.5
    follow[3, 0], follow[3, 2] = 0.5, 0.5
    follow[[1, 2, 4, 5, 6], 0] = 1.0

    # B: 0.5 + 0.25 * 0.5 + ... = 2/3; C: 0.25 + 0.25 * 0.25 + ... = 1/3
    np.testing.assert_allclose(next_activity(follow)[0], [0.0, 2 / 3, 1 / 3])


def test_a_single_activity_is_the_next_one_itself() -> None:
    assert next_activity(np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])).tolist() == [[1.0]] * 3


def test_leaving_equals_the_cumulative_duration() -> None:
    hazard, pace = np.array([[0.05, 0.01], [0.2, 0.2]]), np.array([0.1, 0.0])
    model = SemiMarkov(hazard, pace, np.array([[0.0, 1.0], [1.0, 0.0]]), np.arange(2))
    cumulative = np.cumsum(duration_probabilities(model, 0, 2000))
    ticks = [0, 1, 1, 29, 30, 31, 500, 1999]

    left = leaving(np.array([[1.0, 0.0]]), [0], [Stretch(30, model), Stretch(1970, model)], ticks, Chains())

    np.testing.assert_allclose(left, [0.0, *(cumulative[tick - 1] for tick in ticks[1:])], atol=1e-9)


def test_chain_of_a_state_loses_what_ends() -> None:
    model = random_model()

    np.testing.assert_allclose(1 - chain_of(model, [1]).sum(axis=1), model.hazard[1])


def test_chain_of_all_states_is_the_transition_matrix() -> None:
    model = random_model()

    np.testing.assert_allclose(chain_of(model, [0, 1, 2]), transitions(model), atol=1e-15)


def test_surviving_is_what_has_not_ended() -> None:
    model = random_model()
    cumulative = np.cumsum(duration_probabilities(model, 1, 6))

    assert surviving(1, [Stretch(2, model), Stretch(4, model)]) == pytest.approx(1 - cumulative[-1])
    assert surviving(1, []) == 1.0


@pytest.mark.parametrize("activities", [1, 2, 12])
def test_states_name_an_unknown_state_per_activity(activities: int) -> None:
    states = States(tuple(f"a{number}" for number in range(activities)))

    assert states.count == len(states.shows) == 2 * activities + 1
    assert states.can_follow[states.at_start, :activities].all()
    assert not states.can_follow[:, states.at_start].any()
    for activity in range(activities):
        assert states.can_follow[activity, states.after(activity)]
        assert states.can_follow[states.after(activity), activity]
        assert not states.can_follow[activity, activity]
