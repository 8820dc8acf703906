"""What goes on, begins and follows within a horizon, for every state at once, by the backward equation.

Source: first passage of a Markov chain, J. Norris, "Markov Chains" (1997), theorem 1.3.2, for a finite horizon.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from harstream.forecast.model.semi_markov import Floats, SemiMarkov

NOBODY = 1e-9
"""What is alive with a lower probability is gone."""
MOST_CHAINS = 1200
"""Chains that are remembered, each with some kilobytes."""


@dataclass(frozen=True, eq=False)
class Stretch:
    """A part of the future with one model, because the rhythm of the day changes hazards and followers."""

    ticks: int
    model: SemiMarkov


def going_on(stretches: Sequence[Stretch]) -> Floats:
    """Return (S, B, K + 1): the probability of what each state now shows after all stretches, the nearest first."""
    shows = stretches[0].model.shows
    S, B = stretches[0].model.hazard.shape
    value = np.zeros((S, B, shows.max() + 1))
    value[np.arange(S), :, shows] = 1.0
    for stretch in reversed(stretches):
        value = _earlier(value, stretch, lambda first: first)
    return value


def beginning(stretches: Sequence[Stretch]) -> Floats:
    """Return (S, B, K): the probability that each activity begins within the stretches, the nearest first.

    An activity that goes on now counts when it begins again. A longer future never has a lower probability.
    """
    shows = stretches[0].model.shows
    S, B = stretches[0].model.hazard.shape
    K = int(shows.max())
    own = np.eye(S, K)  # the states of activities come first, in their order
    value = np.zeros((S, B, K))
    for stretch in reversed(stretches):
        value = _earlier(value, stretch, lambda first: np.maximum(first, own))  # an activity that begins has begun
    return value


def _earlier(value: Floats, stretch: Stretch, first: Callable[[Floats], Floats]) -> Floats:
    """Return the value (S, B, A) before a stretch. `first` gives the value of a state that begins, from (S, A).

    Each tick is a product for each state: of (B, B + 1), where its phases lead, and (B + 1, A), their values and
    that of what follows when it ends.
    """
    model = stretch.model
    S, B, A = value.shape
    leads = np.zeros((S, B, B + 1))
    leads[:, :, :B] = [_phases_of(model, state) for state in range(S)]
    leads[:, :, B] = model.hazard
    now, before = np.zeros((2, S, B + 1, A))
    now[:, :B] = value
    for _ in range(stretch.ticks):
        np.matmul(model.follow, first(now[:, 0]), out=now[:, B])
        np.matmul(leads, now, out=before[:, :B])
        now, before = before, now
    return np.asarray(now[:, :B])


def look_ahead(belief: Floats, table: Floats) -> Floats:
    """Return the probabilities (..., A) for a belief (..., S, B), from a table (S, B, A)."""
    S, B, A = table.shape
    return np.asarray(belief.reshape(*belief.shape[:-2], S * B) @ table.reshape(S * B, A))


def next_activity(follow: Floats) -> Floats:
    """Return (S, K): the probability of the next other activity after each state, whatever unknown lies between.

    `follow` (S, S): as `SemiMarkov.follow`, with the states of `States`. An activity may go on after an unknown
    interruption: then it is not the next one. After unknown, the next activity may be the one before it.
    A single activity is the next one itself.
    """
    K = (len(follow) - 1) // 2
    if K == 1:
        return np.ones((len(follow), 1))
    direct, through, resumed = follow[:, :K], follow[:K, K : 2 * K], follow[K : 2 * K, :K]
    to_unknown, back = np.diagonal(through), np.diagonal(resumed)
    others = resumed * (1 - np.eye(K))
    after = direct[:K] + to_unknown[:, None] * others
    after /= np.maximum(1 - to_unknown * back, 1e-12)[:, None]  # each return to the activity tries again
    following = np.concatenate([after, direct[K:]])
    return np.asarray(following / following.sum(axis=1, keepdims=True))


class Chains:
    """Remembers chains and their powers, because a forecast asks for the same ones every minute."""

    def __init__(self) -> None:
        self._found: dict[tuple[SemiMarkov, tuple[int, ...]], list[Floats]] = {}

    def powers(self, model: SemiMarkov, inside: Sequence[int], ticks: int) -> list[Floats]:
        """Return the chain of 1, 2, 4 ... ticks, at least up to `ticks`, as `chain_of`."""
        key = model, tuple(inside)
        if key not in self._found:
            if len(self._found) >= MOST_CHAINS:
                del self._found[next(iter(self._found))]
            self._found[key] = [chain_of(model, inside)]
        powers = self._found[key]
        while 2 ** len(powers) <= ticks:
            powers.append(powers[-1] @ powers[-1])
        return powers


def leaving(
    phases: Floats, inside: Sequence[int], stretches: Iterable[Stretch], ticks: Sequence[int], chains: Chains
) -> Floats:
    """Return (T,): the probability that the states `inside` are left within each number of ticks.

    `phases` (n, B): the probability of each phase of these n states now. `ticks`: never decreasing.
    All stretches together must last as long as the last number of ticks.
    """
    alive, passed, end, found = phases.ravel() / phases.sum(), 0, 0, []
    future, powers = iter(stretches), list[Floats]()
    for wanted in ticks:
        while wanted > end and alive.sum() > NOBODY:
            alive, passed = _passed(alive, powers, end - passed), end
            stretch = next(future)
            powers, end = chains.powers(stretch.model, inside, stretch.ticks), end + stretch.ticks
        if wanted <= end:
            alive, passed = _passed(alive, powers, wanted - passed), wanted
        found.append(1 - alive.sum())
    return np.clip(np.maximum.accumulate(found), 0.0, 1.0)


def surviving(state: int, stretches: Iterable[Stretch]) -> float:
    """Return the probability that a state which begins now goes on through all stretches."""
    alive: Floats | None = None
    for stretch in stretches:
        if alive is None:
            alive = np.eye(1, len(stretch.model.pace))[0]
        alive = alive @ np.linalg.matrix_power(chain_of(stretch.model, [state]), stretch.ticks)
    return 1.0 if alive is None else float(alive.sum())


def chain_of(model: SemiMarkov, inside: Sequence[int]) -> Floats:
    """Return (n * B, n * B): the probability of each phase of these n states one tick later, without leaving them."""
    n, B = len(inside), len(model.pace)
    chain = np.zeros((n, B, n, B))
    for row, state in enumerate(inside):
        chain[row, :, row] = _phases_of(model, state)
        chain[row, :, :, 0] += model.hazard[state][:, None] * model.follow[state, list(inside)]
    return chain.reshape(n * B, n * B)


def _phases_of(model: SemiMarkov, state: int) -> Floats:
    """Return (B, B): the probability of each phase of a state one tick later, without the end of the state."""
    staying = 1 - model.hazard[state]
    return np.diag(staying * (1 - model.pace)) + np.diag((staying * model.pace)[:-1], 1)


def _passed(alive: Floats, powers: Sequence[Floats], ticks: int) -> Floats:
    """Return what is alive some ticks later. `powers`: of the chain."""
    for exponent, power in enumerate(powers):
        if ticks >> exponent & 1:
            alive = alive @ power
    return alive
