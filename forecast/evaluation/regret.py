"""How much worse learned forecasts are than the best possible ones, in a simulated household."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from datetime import UTC

import numpy as np
from scipy.stats import t

from harstream.forecast.client.evidence import LASTING
from harstream.forecast.evaluation.household import (
    TICK,
    TICKS_A_DAY,
    TICKS_A_SLOT,
    Household,
    Life,
    draw_household,
    live,
    model_at,
    past_of,
    symbols_of,
)
from harstream.forecast.learning.counts import SLOTS, count
from harstream.forecast.learning.episodes import intervals
from harstream.forecast.learning.semi_markov_fit import PHASES, WIDTHS, DailyModel, fit
from harstream.forecast.model.horizons import Stretch, going_on, look_ahead
from harstream.forecast.model.looks import Emission, Looks
from harstream.forecast.model.semi_markov import Floats, correct
from harstream.forecast.model.states import States
from harstream.wire.messages.emission import RENEWAL

LEARNED_DAYS = 14
LASTINGS = (0.0, 0.8, 0.95)
"""Shares of windows that repeat an error."""
RIGHT = 0.85
"""How often the simulated recognizer is right."""
AHEAD = 600.0
"""Seconds."""
IN_A_TICK = 1 - (1 - 1 / RENEWAL) ** TICK
"""The probability of a new look in a tick."""
SMALLEST = 1e-4


@dataclass(frozen=True)
class Regret:
    """Losses in nats in a world whose errors last."""

    lasting: float
    """The share of windows that repeat the look, in the world."""
    assumed: float
    """The same, as the learned filter takes it."""
    best_now: float
    """The mean loss of what goes on now, of the exact filter with the true parameters."""
    best_later: float
    """The same of what goes on ten minutes later."""
    now: float
    """By how much the learned forecast is worse."""
    later: float


@dataclass(frozen=True)
class MeanRegret:
    """The mean of several households in the same kind of world."""

    mean: Regret
    now_error: float
    """Half of the 95 % interval of the mean `now`. Infinite for a single household."""
    later_error: float


def mean_regrets(households: Sequence[Sequence[Regret]]) -> list[MeanRegret]:
    """Return the mean of each row. `households`: the regrets of each, in the same order.

    Source: Student's t, because households are few.
    """
    found = []
    for rows in zip(*households, strict=True):
        values = np.array([astuple(row) for row in rows])
        n = len(values)
        errors = (
            t.ppf(0.975, n - 1) * values.std(axis=0, ddof=1) / n**0.5 if n > 1 else np.full(values.shape[1], np.inf)
        )
        *_, now_error, later_error = errors.tolist()
        found.append(MeanRegret(Regret(*values.mean(axis=0).tolist()), now_error, later_error))
    return found


def simulate(
    days: int,
    seed: int,
    activities: int = 8,
    *,
    lastings: Sequence[float] = LASTINGS,
    assumed: float | None = LASTING,
) -> list[Regret]:
    """Learn from 14 days of a household, and measure on the others. `days`: more than 14.

    The learned filter knows how the errors last, and once more takes them to last as `assumed`, if that is given.
    """
    random = np.random.default_rng(seed)
    household = draw_household(random, activities)
    life = live(household, days, random)
    cut = LEARNED_DAYS * TICKS_A_DAY
    learned = _learn(household.states, Life(life.states[:cut], life.is_seen[:cut]))
    lived = Life(life.states[cut:], life.is_seen[cut:])
    emission = _emission(household.states)
    regrets = []
    for lasting in lastings:
        symbols = symbols_of(lived, emission, lasting, IN_A_TICK, random)
        best = _losses(household, lived, symbols, Emission(emission[None], lasting, IN_A_TICK))
        for taken in dict.fromkeys((lasting, lasting if assumed is None else assumed)):
            own = replace(household, daily=learned)
            found = _losses(own, lived, symbols, Emission(emission[None], taken, IN_A_TICK))
            regrets.append(Regret(lasting, taken, *best, *(np.array(found) - best).tolist()))
    return regrets


def _learn(states: States, life: Life) -> DailyModel:
    course = intervals(*past_of(life, states), states)
    return fit(count(course, states.count, WIDTHS, UTC, lambda time: 1.0), states, TICK)


def _emission(states: States) -> Floats:
    """Return (S, K + 1): the probability of each symbol in each state."""
    shown = states.unknown + 1
    rows = np.full((shown, shown), (1 - RIGHT) / (shown - 1))
    np.fill_diagonal(rows, RIGHT)
    return np.asarray(rows[states.shows])


def _losses(household: Household, life: Life, symbols: Sequence[int], emission: Emission) -> tuple[float, float]:
    """Return the mean loss now, at each tick, and ten minutes later, asked three times in half an hour."""
    states, looks, only = household.states, Looks(emission), np.array([0])
    belief = np.full((1, states.count, PHASES), 1 / (states.count * PHASES))
    ahead = int(AHEAD / TICK)
    tables = [going_on([Stretch(ahead, household.daily.at(slot * 24 / SLOTS))]) for slot in range(SLOTS)]
    shown = states.shows[life.states]
    now, later = [], []
    for tick, symbol in enumerate(symbols):
        if tick:
            model = model_at(household.daily, tick - 1)
            after = model.advance(belief)
            looks.advance(belief, after, model)
            belief = after
        if life.is_seen[tick]:
            belief, _ = correct(belief, looks.correct(only, np.array([symbol])))
        now.append(belief[0, states.shows == shown[tick]].sum())
        if tick % ahead == 0 and tick + ahead < len(shown):
            later.append(look_ahead(belief[0], tables[tick // TICKS_A_SLOT % SLOTS])[shown[tick + ahead]])
    return _mean_loss(now), _mean_loss(later)


def _mean_loss(probabilities: Sequence[float]) -> float:
    return float(-np.log(np.maximum(probabilities, SMALLEST)).mean())
