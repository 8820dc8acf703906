"""How much worse learned forecasts are than the best possible ones, in a simulated household."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import UTC

import numpy as np
from scipy.stats import t

from harstream.forecast.client.evidence import LASTING
from harstream.forecast.evaluation.household import (
    TICK,
    TICKS_A_DAY,
    TICKS_A_SLOT,
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
from harstream.forecast.model.semi_markov import Floats, SemiMarkov, correct
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
    filters = []
    for lasting in lastings:
        symbols = symbols_of(lived, _emission(household.states), lasting, IN_A_TICK, random)
        filters.append(_Filter(household.daily, lasting, lasting, symbols))
        shares = dict.fromkeys((lasting, lasting if assumed is None else assumed))
        filters += [_Filter(learned, lasting, taken, symbols) for taken in shares]
    regrets = []
    for each, (now, later) in zip(filters, _losses(household.states, lived, filters), strict=True):
        if each.daily is household.daily:
            best_now, best_later = now, later
        else:
            regrets.append(Regret(each.lasting, each.taken, best_now, best_later, now - best_now, later - best_later))
    return regrets


@dataclass(frozen=True, eq=False)
class _Filter:
    """A filter in a world."""

    daily: DailyModel
    lasting: float
    """The share of windows that repeat the look, in the world."""
    taken: float
    """The same, as the filter takes it."""
    symbols: Sequence[int]
    """What the recognizer says at each tick."""


def _learn(states: States, life: Life) -> DailyModel:
    course = intervals(*past_of(life, states), states)
    return fit(count(course, states.count, WIDTHS, UTC, lambda time: 1.0), states, TICK)


def _emission(states: States) -> Floats:
    """Return (S, K + 1): the probability of each symbol in each state."""
    shown = states.unknown + 1
    rows = np.full((shown, shown), (1 - RIGHT) / (shown - 1))
    np.fill_diagonal(rows, RIGHT)
    return np.asarray(rows[states.shows])


def _losses(states: States, life: Life, filters: Sequence[_Filter]) -> list[tuple[float, float]]:
    """Return the mean loss of each filter: now, at each tick, and ten minutes later, asked three times in half an hour.

    All filters advance together, each with its own model.
    """
    n, ahead, shown = len(filters), int(AHEAD / TICK), states.shows[life.states]
    emission = np.repeat(_emission(states)[None], n, axis=0)
    looks = Looks(Emission(emission, np.array([[each.taken] for each in filters]), IN_A_TICK))
    symbols, everyone = np.array([each.symbols for each in filters]), np.arange(n)
    models = [_together([model_at(each.daily, slot * TICKS_A_SLOT) for each in filters]) for slot in range(SLOTS)]
    tables = {id(each.daily): _tables(each.daily, ahead) for each in filters}
    belief = np.full((n, states.count, PHASES), 1 / (states.count * PHASES))
    now, later = [], []
    for tick in range(len(shown)):
        slot = tick // TICKS_A_SLOT % SLOTS
        if tick:
            model = models[(tick - 1) // TICKS_A_SLOT % SLOTS]
            after = model.advance(belief)
            looks.advance(belief, after, model)
            belief = after
        if life.is_seen[tick]:
            belief, _ = correct(belief, looks.correct(everyone, symbols[:, tick]))
        now.append(belief[:, states.shows == shown[tick]].sum(axis=(1, 2)))
        if tick % ahead == 0 and tick + ahead < len(shown):
            answers = [look_ahead(one, tables[id(each.daily)][slot]) for one, each in zip(belief, filters, strict=True)]
            later.append(np.array(answers)[:, shown[tick + ahead]])
    return list(zip(_mean_losses(now), _mean_losses(later), strict=True))


def _together(models: Sequence[SemiMarkov]) -> SemiMarkov:
    """Return models as one, for beliefs that advance together."""
    hazard, follow = np.array([each.hazard for each in models]), np.array([each.follow for each in models])
    return SemiMarkov(hazard, models[0].pace, follow, models[0].shows)


def _tables(daily: DailyModel, ticks: int) -> list[Floats]:
    """Return what goes on some ticks after each part of the day."""
    return [going_on([Stretch(ticks, daily.at(slot * 24 / SLOTS))]) for slot in range(SLOTS)]


def _mean_losses(probabilities: Sequence[Floats]) -> list[float]:
    """`probabilities`: (n,) of what happened, time after time."""
    means: list[float] = (-np.log(np.maximum(probabilities, SMALLEST))).mean(axis=0).tolist()
    return means
