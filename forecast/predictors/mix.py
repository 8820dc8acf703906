"""`mix`: the weighted mean of all predictors. Each weight follows from how well the predictor did so far.

Source: Bayesian model averaging by prequential likelihood, A. Dawid, "Present position and potential developments",
J. R. Stat. Soc. A 147 (1984), with discounted losses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harstream.forecast.learning.counts import count
from harstream.forecast.learning.semi_markov_fit import WIDTHS
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.predictors.baseline import Baseline
from harstream.forecast.predictors.dbn import Dbn
from harstream.forecast.predictors.hmm import Hmm
from harstream.forecast.predictors.protocol import Past, Predictor, Situation

LOSS_HALF_LIFE = 7 * 86400.0
"""Seconds after which a loss counts half."""
SMALLEST_WEIGHT = 0.02
SMALLEST = 1e-4
"""The smallest probability that a loss is computed from."""
NEXT = "next"
"""The question about the next activity. The others are horizons in seconds, as text."""
PRIOR = {"hmm": 0.475, "dbn": 0.475, "baseline": 0.05}
"""The weights before anything has happened. The baseline is there for homes where nothing else helps."""
NAMES = tuple(PRIOR)


@dataclass(frozen=True, eq=False)
class Predictors:
    """All predictors, fitted to the same past."""

    hmm: Hmm
    dbn: Dbn
    baseline: Baseline

    @classmethod
    def fit(cls, past: Past, horizons: Sequence[float], tick: float = 1.0) -> Predictors:
        """`horizons`: seconds for which `going_on` may be asked. `tick`: seconds of a tick of the filter."""
        counts = count(past.course, past.states.count, WIDTHS, past.zone, past.weight)
        return cls(Hmm(past, counts, tick), Dbn(past, horizons), Baseline(past, counts))

    def by_name(self) -> dict[str, Predictor]:
        return {"hmm": self.hmm, "dbn": self.dbn, "baseline": self.baseline}


class Mix:
    """A Predictor that averages others."""

    def __init__(self, predictors: Mapping[str, Predictor], weights: Mapping[str, Mapping[str, float]]) -> None:
        """`weights`: of each predictor, by question. A question without weights has those of `PRIOR`."""
        self._predictors, self._weights = predictors, weights

    def next(self, situation: Situation) -> Floats:
        weights = self._weights_for(NEXT)
        return np.asarray(sum(weights[name] * each.next(situation) for name, each in self._predictors.items()))

    def going_on(self, situation: Situation, horizons: Sequence[float]) -> Floats:
        weights = [self._weights_for(question(horizon)) for horizon in horizons]
        return np.asarray(
            sum(
                np.array([[weight[name]] for weight in weights]) * each.going_on(situation, horizons)
                for name, each in self._predictors.items()
            )
        )

    def _weights_for(self, asked: str) -> Mapping[str, float]:
        return self._weights.get(asked) or _weights(dict.fromkeys(self._predictors, 0.0))


def question(horizon: float) -> str:
    return f"{horizon:g}"


def loss_of(probability: float) -> float:
    """Return -ln of a probability, in nats."""
    return float(-np.log(max(probability, SMALLEST)))


def weights_after(
    losses: Iterable[tuple[str, str, float, float]], names: Sequence[str], now: float
) -> dict[str, dict[str, float]]:
    """Return the weights of the named predictors by question, which sum to 1.

    `losses`: (question, predictor, time, loss).
    """
    sums: dict[str, dict[str, float]] = {}
    for asked, predictor, time, loss in losses:
        if predictor in names:
            of_question = sums.setdefault(asked, dict.fromkeys(names, 0.0))
            of_question[predictor] += loss * float(0.5 ** (max(now - time, 0.0) / LOSS_HALF_LIFE))
    return {asked: _weights(of_question) for asked, of_question in sums.items()}


def _weights(sums: Mapping[str, float]) -> dict[str, float]:
    best = min(sums.values())
    raw = {name: PRIOR[name] * float(np.exp(best - total)) for name, total in sums.items()}
    whole = sum(raw.values())
    kept = {name: max(weight / whole, SMALLEST_WEIGHT) for name, weight in raw.items()}
    whole = sum(kept.values())
    return {name: weight / whole for name, weight in kept.items()}
