"""Forecasts of 100 cameras: a step of the filter, and the work for 800 observations a second."""

from __future__ import annotations

from time import process_time

import numpy as np

from benchmarks.tables import Table, milliseconds
from harstream.forecast.client.beliefs import TICK, Beliefs
from harstream.forecast.client.evidence import LASTING, Observations, Symbols
from harstream.forecast.evaluation.household import draw_household
from harstream.forecast.learning.semi_markov_fit import PHASES
from harstream.forecast.model.horizons import look_ahead
from harstream.forecast.model.semi_markov import Floats
from harstream.models.contract import ModelContract
from harstream.wire.context import Context
from harstream.wire.messages.camera import ObservationMessage

CAMERAS, HORIZONS = 100, 10
RATE = 8.0
"""Observations of a camera in a second."""
SIZES = (12, 50)
"""Activities."""


def measure(*, short: bool) -> Table:
    rows = []
    for activities in SIZES:
        home = _Home(activities)
        steps, seconds = (3, 0.2) if short else (200, 5.0)
        advance, correct, ahead = home.step_seconds(steps)
        whole = milliseconds(advance + correct + ahead)
        rows.append(
            [str(activities), milliseconds(advance), milliseconds(correct), milliseconds(ahead), whole,
             f"{home.observation_share(seconds):.1%}"]
        )  # fmt: skip
    return Table(
        "forecast",
        "Forecasts",
        ("activities", "advance, ms", "correct, ms", f"{HORIZONS} horizons, ms", "together, ms", "800 observations/s"),
        rows,
        f"{CAMERAS} cameras on one core, CPU time. A step comes once a second: all beliefs advance with their looks, "
        "each camera shows one symbol, and tables that were computed before give the horizons. The last column is the "
        "share of a core that reading and checking the observations of all cameras takes.",
    )


class _Home:
    def __init__(self, activities: int) -> None:
        labels = (*(f"activity {number}" for number in range(activities)), "nothing")
        self._contract = ModelContract("bench", "1", labels, ("nothing",), unknown_threshold=0.6)
        self._random = np.random.default_rng(1)
        household = draw_household(self._random, activities)
        self._states, self._model = household.states, household.daily.plain
        self._symbols = Symbols(self._states, labels, 0.6)
        start = np.full((self._states.count, PHASES), 1 / (self._states.count * PHASES))
        self._beliefs = Beliefs(self._symbols.emission(None), LASTING, lambda time: start)
        self._names = [f"camera{number}" for number in range(CAMERAS)]
        for name in self._names:
            self._beliefs.add(name, 0.0)
        self._beliefs.advance(0.0, lambda time: self._model)

    def step_seconds(self, steps: int) -> tuple[float, float, float]:
        """Return the mean CPU seconds of advancing, correcting and looking ahead."""
        tables = [self._random.random((self._states.count, PHASES, self._states.unknown + 1)) for _ in range(HORIZONS)]
        spent = np.zeros(3)
        for step in range(1, steps + 1):
            seen = {name: int(self._random.integers(self._symbols.count)) for name in self._names}
            times = [process_time()]
            self._beliefs.advance(step * TICK, lambda time: self._model)
            times.append(process_time())
            self._beliefs.correct(seen)
            times.append(process_time())
            self._look(tables)
            times.append(process_time())
            spent += np.diff(times)
        advance, correct, ahead = (spent / steps).tolist()
        return advance, correct, ahead

    def _look(self, tables: list[Floats]) -> None:
        belief = np.stack([self._beliefs.of(name) for name in self._names])
        for table in tables:
            look_ahead(belief, table)

    def observation_share(self, seconds: float) -> float:
        """Return the share of a core that the observations of all cameras take."""
        payloads = self._payloads(seconds)
        observations = Observations(self._context.labels_sha, len(self._contract.labels))
        start = process_time()
        for payload in payloads:
            probabilities = observations.take(ObservationMessage.model_validate_json(payload), now=1e9)
            if probabilities is not None:
                self._symbols.of(probabilities)
        return (process_time() - start) / seconds

    @property
    def _context(self) -> Context:
        return Context("home", {}, self._contract, "ab", "1")

    def _payloads(self, seconds: float) -> list[bytes]:
        context, labels = self._context, self._contract.labels
        found = []
        for number in range(int(seconds * RATE)):
            scores = self._random.dirichlet(np.full(len(labels), 0.1)).round(4)
            scores[0] += 1 - scores.sum()
            for name in self._names:
                message = ObservationMessage(
                    schema="harstream.observation/1", node="home", camera=name, area=None, seq=number + 1,
                    t=1e6 + number / RATE, dt=1 / RATE, symbol=labels[0], p=np.abs(scores).tolist(),
                    labels_sha=context.labels_sha, valid=True, reason=None, dwell_s=1.0, stride_s=1 / RATE, span_s=2.4,
                    model=context.model,
                )  # fmt: skip
                found.append(message.model_dump_json(by_alias=True).encode())
        return found
