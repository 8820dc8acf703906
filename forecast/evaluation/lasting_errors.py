"""Compares three ways to filter a recognizer's symbols, in five worlds that differ in how long errors last.

    python -m harstream.forecast.evaluation.lasting_errors [MODEL ...]

Prints the mean log-loss, in nats, of the activity now and in ten minutes. The households are simulated. All filters
know their true model, so only the treatment of the evidence differs. The emission and its `lasting` are those of the
model's report. The probabilities of a window are calibrated, so that p / prior is proportional to P(symbol | state).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harstream.forecast.client.evidence import LASTING, Symbols
from harstream.forecast.evaluation.household import Life, symbols_of
from harstream.forecast.model.looks import Emission, Looks
from harstream.forecast.model.semi_markov import Floats, SemiMarkov, correct
from harstream.forecast.model.states import States
from harstream.models.catalogue import TRAINED
from harstream.models.contract import ModelContract
from harstream.wire.context import Context
from harstream.wire.messages.emission import RENEWAL, EmissionMessage

TICK = 10.0
"""Seconds from one window to the next."""
AHEAD = 60
"""Ticks of the forecast: ten minutes."""
SMALLEST = 1e-4
"""The probability that a log-loss counts at least."""
HOUSEHOLDS, TICKS = 3, 6000


@dataclass(frozen=True)
class World:
    """How the looks of people behave."""

    name: str
    lasting: float
    """The share of windows that repeat the look."""
    renewed: float
    """The probability of a new look in a tick."""


WORLDS = (
    World("independent", 0.0, 0.0),
    World("80 % repeat the look of the activity", 0.8, 0.0),
    World("95 % repeat the look of the activity", 0.95, 0.0),
    World("a look lasts 60 s", 1.0, TICK / 60),
    World("a look lasts 10 min", 1.0, TICK / 600),
)


@dataclass(frozen=True, eq=False)
class Recognizer:
    """A model, and the household in front of it."""

    model: SemiMarkov
    """One phase per state."""
    emission: Floats
    """(S, J) P(symbol | state)."""
    lasting: float | None
    """None where it was not measured."""


@dataclass(frozen=True, eq=False)
class Days:
    """What happened in n households, tick by tick."""

    states: NDArray[np.intp]
    """(T, n)"""
    symbols: NDArray[np.intp]
    """(T, n)"""


Filter = Callable[[Recognizer, NDArray[np.intp]], Floats]
"""Returns the beliefs (T, n, S) from the symbols (T, n)."""


def shipped_recognizer(name: str) -> Recognizer:
    """Read the report of a shipped model, and make a household of its labels."""
    report = json.loads((TRAINED / name / "report.json").read_text())
    contract = ModelContract(**report["contract"])
    states = States(tuple(label for label in contract.labels if label not in contract.background))
    message = EmissionMessage.of(report["emission"], Context("home", {}, contract, "", ""))
    symbols = Symbols(states, contract.labels, contract.unknown_threshold)
    return Recognizer(household(states), symbols.emission(message), message.lasting)


def household(states: States) -> SemiMarkov:
    """Return a household whose activities last 3 minutes to 3 hours, and whose unknown times last 10 minutes.

    Durations are geometric. Three of ten activities are followed by unknown.
    """
    random, K = np.random.default_rng(7), len(states.activities)
    seconds = np.concatenate([np.geomspace(180, 10800, K), np.full(K + 1, 600.0)])
    follow = np.where(states.can_follow, random.gamma(0.5, size=(states.count, states.count)), 0.0) + 1e-9
    follow *= states.can_follow
    follow[np.arange(K), K + np.arange(K)] = 0.0
    follow /= np.maximum(follow.sum(axis=1, keepdims=True), 1e-300)  # a single activity has no other one
    share = np.where(follow[:K].sum(axis=1) > 0, 0.3, 1.0)
    follow[:K] *= (1 - share)[:, None]
    follow[np.arange(K), K + np.arange(K)] = share
    return SemiMarkov((TICK / seconds)[:, None], np.zeros(1), follow, states.shows)


def simulate(recognizer: Recognizer, world: World, *, ticks: int, households: int, seed: int) -> Days:
    """Draw states and symbols."""
    random = np.random.default_rng(seed)
    states, symbols = np.empty((2, ticks, households), dtype=np.intp)
    for house in range(households):
        life = Life(_lived(recognizer.model, ticks, random), np.ones(ticks, dtype=np.bool_))
        states[:, house] = life.states
        symbols[:, house] = symbols_of(life, recognizer.emission, world.lasting, world.renewed, random)
    return Days(states, symbols)


def _lived(model: SemiMarkov, ticks: int, random: np.random.Generator) -> NDArray[np.intp]:
    """Draw the states of a model with one phase per state. The last one is the first that it is in."""
    lived = [len(model.hazard) - 1]
    cumulated, chances = model.follow.cumsum(axis=1), random.random((ticks, 2))
    for ends, follows in chances[1:]:
        row = cumulated[lived[-1]]
        is_over = ends < model.hazard[lived[-1], 0]
        lived.append(int(np.searchsorted(row, follows * row[-1], side="right")) if is_over else lived[-1])
    return np.array(lived, dtype=np.intp)


def taken_as_state(recognizer: Recognizer, symbols: NDArray[np.intp]) -> Floats:
    """Filter as if the recognized label were right with the model's accuracy, and every other label equally likely."""
    shown = recognizer.emission.shape[1] // 2
    rows = recognizer.emission[:, :shown] + recognizer.emission[:, shown:]
    right = float(rows[np.arange(len(rows)), recognizer.model.shows].mean())
    assumed = np.full(rows.shape, (1 - right) / (shown - 1))
    assumed[np.arange(len(rows)), recognizer.model.shows] = right
    return _filtered(recognizer.model, lambda seen: assumed[:, seen % shown].T, symbols)


def independent(recognizer: Recognizer, symbols: NDArray[np.intp]) -> Floats:
    """Filter as if the windows were independent: p / prior, with a weight of 1."""
    return _filtered(recognizer.model, lambda seen: recognizer.emission[:, seen].T, symbols)


def with_looks(lasting: float) -> Filter:
    """Return the filter of the forecaster, which knows that errors last."""

    def filtered(recognizer: Recognizer, symbols: NDArray[np.intp]) -> Floats:
        cameras = np.arange(symbols.shape[1])
        matrix = np.repeat(recognizer.emission[None], len(cameras), axis=0)
        looks = Looks(Emission(matrix, lasting, TICK / RENEWAL))
        return _filtered(recognizer.model, lambda seen: looks.correct(cameras, seen), symbols, looks)

    return filtered


def _filtered(
    model: SemiMarkov,
    evidence: Callable[[NDArray[np.intp]], Floats],
    symbols: NDArray[np.intp],
    looks: Looks | None = None,
) -> Floats:
    """Return the beliefs (T, n, S). `evidence` turns the symbols (n,) of a tick into (n, S)."""
    S = len(model.hazard)
    belief, beliefs = np.full((symbols.shape[1], S, 1), 1 / S), np.empty((*symbols.shape, S))
    for tick, seen in enumerate(symbols):
        if tick:
            later = model.advance(belief)
            if looks:
                looks.advance(belief, later, model)
            belief = later
        belief, _ = correct(belief, evidence(seen))
        beliefs[tick] = belief[..., 0]
    return beliefs


def log_losses(model: SemiMarkov, beliefs: Floats, states: NDArray[np.intp]) -> tuple[float, float]:
    """Return the mean log-loss of the shown activity now and AHEAD ticks later, in nats."""
    S = len(model.hazard)
    step = model.advance(np.eye(S)[..., None])[..., 0]
    later = beliefs[:-AHEAD] @ np.linalg.matrix_power(step, AHEAD)
    return _log_loss(model, beliefs, states), _log_loss(model, later, states[AHEAD:])


def _log_loss(model: SemiMarkov, beliefs: Floats, states: NDArray[np.intp]) -> float:
    shown = beliefs @ np.eye(model.shows.max() + 1)[model.shows]
    of_truth = np.take_along_axis(shown, model.shows[states][..., None], axis=-1)
    return float(-np.log(np.maximum(of_truth, SMALLEST)).mean())


def compare(name: str) -> None:
    """Print a table for a shipped model."""
    recognizer = shipped_recognizer(name)
    filters = {
        "arg max, taken as the state": taken_as_state,
        "p / prior, independent": independent,
        f"looks, {LASTING:g} (not measured)": with_looks(LASTING),
    }
    if recognizer.lasting is not None:
        filters[f"looks, {recognizer.lasting:g} (measured)"] = with_looks(recognizer.lasting)
    print(f"{name}: log-loss now / in 10 minutes, in nats")
    for world in WORLDS:
        days = simulate(recognizer, world, ticks=TICKS, households=HOUSEHOLDS, seed=1)
        print(f"  {world.name}")
        for filter_name, filtered in filters.items():
            now, later = log_losses(recognizer.model, filtered(recognizer, days.symbols), days.states)
            print(f"    {filter_name:32} {now:.3f} / {later:.3f}")


if __name__ == "__main__":
    for each in sys.argv[1:] or ["flow_tcn"]:
        compare(each)
