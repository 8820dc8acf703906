"""A simulated household, drawn from the model itself. So the best possible forecast is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from harstream.forecast.learning.counts import SLOT_HOURS, SLOTS
from harstream.forecast.learning.episodes import Away, Episode
from harstream.forecast.learning.semi_markov_fit import PHASES, WIDTHS, DailyModel
from harstream.forecast.model.rhythm import LARGEST, SMALLEST
from harstream.forecast.model.semi_markov import Floats, SemiMarkov
from harstream.forecast.model.states import States

TICK = 10.0
"""Seconds."""
TICKS_A_DAY = int(86400 / TICK)
TICKS_A_SLOT = TICKS_A_DAY // SLOTS
START = 4 * 86400.0
"""A Monday, 0:00 UTC."""
OUTAGES_A_DAY = 0.5
OUTAGE_LASTS = 3600.0
"""Mean seconds."""
SHORTEST, LONGEST = 180.0, 3 * 3600.0
"""Mean seconds of an activity."""


@dataclass(frozen=True, eq=False)
class Household:
    """The true parameters."""

    states: States
    daily: DailyModel


@dataclass(frozen=True, eq=False)
class Life:
    """What happened, tick by tick."""

    states: NDArray[np.intp]
    """(T,)"""
    is_seen: NDArray[np.bool_]
    """(T,) False while the camera is away."""


def draw_household(random: np.random.Generator, activities: int) -> Household:
    """Draw a household with durations, followers and a rhythm of its own."""
    states = States(tuple(f"activity {number}" for number in range(activities)))
    K, S = activities, states.count
    mean = np.exp(random.uniform(np.log(SHORTEST), np.log(LONGEST), S))
    age = np.concatenate([[0.0], np.cumsum(WIDTHS)[:-1]]) + WIDTHS / 2
    per_second = np.clip((age / mean[:, None]) ** 1.5, 0.02, 3.0) / mean[:, None]  # longer ones end sooner
    per_second[K:] = 1 / (mean[K:, None] / 2)
    follow = random.gamma(0.5, size=(S, S)) * states.can_follow + 1e-6 * states.can_follow
    follow /= follow.sum(axis=1, keepdims=True)
    follow[:K] *= 0.5  # every second activity is followed by unknown
    follow[np.arange(K), K + np.arange(K)] += 0.5
    follow /= follow.sum(axis=1, keepdims=True)
    ending, beginning = np.ones((SLOTS, S)), np.ones((SLOTS, S))
    for ratios, strength in ((ending, 0.5), (beginning, 1.5)):
        peak = random.uniform(0, 24, K)
        ratios[:, :K] = np.exp(strength * np.cos(2 * np.pi / 24 * (SLOT_HOURS[:, None] - peak)))
    pace = np.append(1 - np.exp(-TICK / WIDTHS[:-1]), 0.0)
    plain = SemiMarkov(1 - np.exp(-per_second * TICK), pace, follow, states.shows)
    return Household(states, DailyModel(plain, ending.clip(SMALLEST, LARGEST), beginning.clip(SMALLEST, LARGEST)))


def live(household: Household, days: int, random: np.random.Generator) -> Life:
    """Draw what happens on some days, and when the camera is away."""
    ticks, state, phase = days * TICKS_A_DAY, household.states.at_start, 0
    lived = np.empty(ticks, dtype=np.intp)
    chances = random.random((ticks, 2))
    for tick in range(ticks):
        lived[tick] = state
        model = model_at(household.daily, tick)
        if chances[tick, 0] < model.hazard[state, phase]:
            cumulated = np.cumsum(model.follow[state])
            state, phase = int(np.searchsorted(cumulated, chances[tick, 1] * cumulated[-1])), 0
        elif chances[tick, 1] < model.pace[phase]:
            phase = min(phase + 1, PHASES - 1)
    is_seen = np.ones(ticks, dtype=np.bool_)
    for begin in random.choice(ticks, random.poisson(OUTAGES_A_DAY * days), replace=False):
        is_seen[begin : begin + int(random.exponential(OUTAGE_LASTS) / TICK) + 1] = False
    return Life(lived, is_seen)


def model_at(daily: DailyModel, tick: int) -> SemiMarkov:
    """Return the model of a tick, which counts from the first midnight."""
    return daily.at(tick % TICKS_A_DAY * TICK / 3600)


def symbols_of(life: Life, emission: Floats, lasting: float, renewal: float, random: np.random.Generator) -> list[int]:
    """Draw what a recognizer says at each tick. Its errors last as `Looks` describes them.

    `emission` (S, J), `lasting`: the share of ticks that repeat the look, `renewal`: of a new look in a tick.
    """
    cumulated = emission.cumsum(axis=1)
    chances, look, before = random.random((len(life.states), 4)), -1, -1
    said: list[int] = []
    for state, chance in zip(life.states, chances, strict=True):
        row = cumulated[state]
        if state != before or chance[0] < renewal:
            look, before = int(np.searchsorted(row, chance[1] * row[-1])), int(state)
        said.append(look if chance[2] < lasting else int(np.searchsorted(row, chance[3] * row[-1])))
    return said


def past_of(life: Life, states: States) -> tuple[list[Episode], list[Away]]:
    """Return what the diary would contain: activities, cut by outages, and the outages."""
    episodes = [
        Episode(states.activities[state], START + begin * TICK, START + end * TICK, is_end_seen)
        for state, begin, end, is_end_seen in _runs(life)
        if 0 <= state < states.unknown
    ]
    away = [Away(START + begin * TICK, START + end * TICK) for state, begin, end, _ in _runs(life) if state < 0]
    return episodes, away


def _runs(life: Life) -> Iterator[tuple[int, int, int, bool]]:
    """Yield state, first tick, tick after the last one, and whether the end was seen. State -1: the camera is away."""
    shown = np.where(life.is_seen, life.states, -1)
    edges = [0, *(np.flatnonzero(np.diff(shown)) + 1).tolist(), len(shown)]
    for begin, end in pairwise(edges):
        yield int(shown[begin]), begin, end, end < len(shown) and bool(life.is_seen[end])
