"""`mix`: the weighted mean of all predictors. Each weight follows from how well the predictor did so far.

Source: Bayesian model averaging by prequential likelihood, A. Dawid, "Present position and potential developments",
J. R. Stat. Soc. A 147 (1984), with discounted losses and a learning rate below 1: P. Grünwald, T. van Ommen,
"Inconsistency of Bayesian inference for misspecified linear models", Bayesian Analysis 12 (2017).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harstream.forecast.learning.counts import count
from harstream.forecast.learning.semi_markov_fit import WIDTHS
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.predictors.baseline import Baseline
from harstream.forecast.predictors.dbn import Dbn
from harstream.forecast.predictors.hmm import Hmm
from harstream.forecast.predictors.protocol import Past, Predictor, Situation
from harstream.forecast.predictors.structure import Structure, read_structure

LOSS_HALF_LIFE = 7 * 86400.0
"""Seconds after which a loss counts half."""
LEARNING_RATE = 0.1
"""How much a loss counts. With 1, the best predictor so far soon has all the weight, and the mix is worse than each."""
SMALLEST_WEIGHT = 0.001
SMALLEST = 1e-4
"""The smallest probability that a loss is computed from."""
NEXT = "next"
"""The question about the next activity. The others are horizons in seconds, as text."""
BEGINS = "begins"
"""The question about what begins. It is not scored while the forecaster runs, so its weights stay as they are."""
HMM = "hmm"
PRIORS = {
    NEXT: {"hmm": 0.1, "dbn": 0.85, "baseline": 0.05},
    BEGINS: {"hmm": 0.5, "dbn": 0.5, "baseline": 0.0},
}
"""The weights before anything has happened. The baseline is there for homes where nothing else helps."""
NAMES = ("hmm", "dbn", "baseline")


@dataclass(frozen=True, eq=False)
class Predictors:
    """All predictors, fitted to the same past."""

    hmm: Hmm
    dbn: Dbn
    baseline: Baseline

    @classmethod
    def fit(
        cls, past: Past, horizons: Sequence[float], tick: float = 1.0, structure: Structure | None = None
    ) -> Predictors:
        """`horizons`: seconds for which `going_on` may be asked. `tick`: seconds of a tick of the filter.

        `structure`: of `dbn`. None: the shipped one.
        """
        counts = count(past.course, past.states.count, WIDTHS, past.zone, past.weight)
        hmm = Hmm(past, counts, tick)
        return cls(hmm, Dbn(past, hmm, structure or read_structure(), horizons), Baseline(past, counts))

    def by_name(self) -> dict[str, Predictor]:
        return {"hmm": self.hmm, "dbn": self.dbn, "baseline": self.baseline}


class Mix:
    """A Predictor that averages others."""

    def __init__(self, predictors: Mapping[str, Predictor], weights: Mapping[str, Mapping[str, float]]) -> None:
        """`weights`: of each predictor, by question. A question without weights has those of `prior`."""
        self._predictors, self._weights = predictors, weights

    def next(self, situation: Situation) -> Floats:
        return self._mean(NEXT, lambda each: each.next(situation))

    def going_on(self, situation: Situation, horizons: Sequence[float]) -> Floats:
        return np.stack([self._going_on(situation, horizon) for horizon in horizons])

    def beginning(self, situation: Situation, horizons: Sequence[float]) -> Floats:
        return self._mean(BEGINS, lambda each: each.beginning(situation, horizons))

    def ending(self, situation: Situation, activity: int) -> Floats:
        """Return what `hmm` expects. `dbn` asks it, too, and the baseline is far off."""
        return self._predictors[HMM].ending(situation, activity)

    def changing(self, situation: Situation) -> Floats:
        return self._predictors[HMM].changing(situation)

    def _going_on(self, situation: Situation, horizon: float) -> Floats:
        return self._mean(question(horizon), lambda each: each.going_on(situation, [horizon])[0])

    def _mean(self, asked: str, answer: Callable[[Predictor], Floats]) -> Floats:
        weights = self._weights_for(asked)
        return np.asarray(sum(weights[name] * answer(each) for name, each in self._predictors.items()))

    def _weights_for(self, asked: str) -> Mapping[str, float]:
        return self._weights.get(asked) or prior(asked)


def prior(asked: str) -> Mapping[str, float]:
    """Return the weights of a question before anything has happened.

    For horizons, `dbn` counts little at one minute, and as much as `hmm` after an hour. Leaving out one home after
    another chose it.
    """
    if asked in PRIORS:
        return PRIORS[asked]
    share = float(np.interp(np.log10(float(asked) / 60), (0.0, 1.0, 1.78), (0.05, 0.3, 0.5)))
    return {"hmm": 1 - share - SMALLEST_WEIGHT, "dbn": share, "baseline": SMALLEST_WEIGHT}


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
    return {asked: _weights(prior(asked), of_question) for asked, of_question in sums.items()}


def _weights(before: Mapping[str, float], sums: Mapping[str, float]) -> dict[str, float]:
    best = min(sums.values())
    raw = {name: before[name] * float(np.exp(LEARNING_RATE * (best - total))) for name, total in sums.items()}
    whole = sum(raw.values())
    kept = {name: max(weight / whole, SMALLEST_WEIGHT) for name, weight in raw.items()}
    whole = sum(kept.values())
    return {name: weight / whole for name, weight in kept.items()}
