"""Measures how long the errors of a model last within an activity.

It uses windows that are one span apart, because windows inside one span show the same frames. The figures are measured
for the report. Nothing is tuned on them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from harstream.evaluation.labelled_scores import LabelledScores
from harstream.evaluation.metrics import rounded
from harstream.models.contract import ModelContract
from harstream.wire.messages.emission import RENEWAL, SHORTEST_STEP

LONG = 5.0
"""Seconds from which a run counts as long."""
FEWEST = 30
"""Windows that must follow another one of their activity. Fewer, as in clips of two seconds, say nothing reliable."""
GRID = np.arange(200) * 0.005
"""The values of `lasting` that are compared: 0 to 0.995."""


@dataclass(frozen=True)
class LastingErrors:
    """Times are in seconds, shares between 0 and 1. An undefined figure is None.

    A run is a row of wrong windows within one activity. A run of n windows lasts n steps. Background counts as an
    activity.
    """

    lasting: float | None
    """The share of windows that repeat the look, by maximum likelihood. None if too few windows follow another.

    A look is a symbol: a recognized label, sure or not. It is drawn from the emission row of the true activity when
    that begins, and again each 60 s on average. The other windows are drawn from the row, too.
    """
    windows: int
    wrong: int
    """Windows whose recognized label is wrong."""
    runs: int
    run_p50: float | None
    run_p90: float | None
    run_longest: float | None
    share_in_long_runs: float | None
    """Share of the wrong windows that are in runs of 5 s and more."""
    share_in_cut_runs: float | None
    """Share of the wrong windows whose run goes on to the activity's end: nobody knows how long it would last."""

    def to_dict(self) -> dict[str, object]:
        """Return numbers and None only. Numbers have 4 places."""
        return rounded(asdict(self), digits=4)


def lasting_in_clips(windows: LabelledScores, contract: ModelContract) -> LastingErrors | None:
    """Measure it on all windows of clips, in order. Return None for a model that only works on whole clips."""
    if contract.rate is None:
        return None
    apart = max(contract.frames - 1, math.ceil(SHORTEST_STEP * contract.rate))
    chosen = [row for rows in _by_clip(windows.clips) for row in rows[::apart]]
    return measure_lasting(windows.rows(np.array(chosen)), contract, step=apart / contract.rate)


def measure_lasting(windows: LabelledScores, contract: ModelContract, *, step: float) -> LastingErrors:
    """Measure it on windows that are `step` seconds apart, in order. One clip shows one activity."""
    shown = _shown(contract)
    truth, recognized = shown[windows.truth], shown[windows.recognized]
    K = len(contract.labels)
    symbols = recognized + np.where(windows.reaches(contract.unknown_threshold), 0, K)
    sequences = _by_clip(windows.clips)
    runs = [run for rows in sequences for run in _runs(recognized[rows] != truth[rows])]
    seconds = [run.windows * step for run in runs]
    wrong = sum(run.windows for run in runs)
    in_long = sum(run.windows for run in runs if run.windows * step >= LONG)
    in_cut = sum(run.windows for run in runs if run.is_cut)
    return LastingErrors(
        lasting=most_likely_lasting(
            [symbols[rows] for rows in sequences], [int(truth[rows[0]]) for rows in sequences], 2 * K, step=step
        ),
        windows=len(symbols),
        wrong=wrong,
        runs=len(runs),
        run_p50=float(np.percentile(seconds, 50)) if runs else None,
        run_p90=float(np.percentile(seconds, 90)) if runs else None,
        run_longest=max(seconds, default=None),
        share_in_long_runs=in_long / wrong if wrong else None,
        share_in_cut_runs=in_cut / wrong if wrong else None,
    )


def most_likely_lasting(
    sequences: Sequence[NDArray[np.integer]], truth: Sequence[int], symbols: int, *, step: float
) -> float | None:
    """Return the `lasting` of GRID under which the sequences are most likely, or None if they are too few or short.

    `sequences`: the symbols of the windows of one activity each, `step` seconds apart. `truth`: that activity.
    `symbols`: J, their number. A row of the emission has (count + 0.5) / (support + J / 2).
    """
    if sum(len(sequence) - 1 for sequence in sequences) < FEWEST:
        return None
    counts = np.full((max(truth) + 1, symbols), 0.5)
    for sequence, true in zip(sequences, truth, strict=True):
        np.add.at(counts[true], sequence, 1)
    emission = counts / counts.sum(axis=1, keepdims=True)
    renewed = 1 - math.exp(-step / RENEWAL)
    total = sum(log_likelihood(each, emission[true], renewed) for each, true in zip(sequences, truth, strict=True))
    return float(GRID[np.argmax(total)])


def log_likelihood(symbols: NDArray[np.integer], emission: NDArray[np.float64], renewed: float) -> NDArray[np.float64]:
    """Return the logarithm of the probability of the symbols for each value of GRID.

    `emission`: (J,) the row of the true activity. `renewed`: the probability of a new look between two windows.
    Source: the forward algorithm with scaling, L. Rabiner, "A tutorial on hidden Markov models", Proc. IEEE 77 (1989).
    """
    looks = np.tile(emission, (len(GRID), 1))  # P(look | symbols so far), for each value of GRID
    total = np.zeros(len(GRID))
    for symbol in symbols:
        joint = looks * ((1 - GRID) * emission[symbol])[:, None]
        joint[:, symbol] += looks[:, symbol] * GRID
        likelihood = joint.sum(axis=1)
        total += np.log(likelihood)
        looks = (1 - renewed) * joint / likelihood[:, None] + renewed * emission
    return total


@dataclass(frozen=True)
class _Run:
    """A run of wrong windows."""

    windows: int
    is_cut: bool
    """Whether it goes on to the end of the activity."""


def _runs(is_wrong: NDArray[np.bool_]) -> list[_Run]:
    found, end = [], 0
    for wrong, group in groupby(is_wrong.tolist()):
        length = len(list(group))
        end += length
        if wrong:
            found.append(_Run(length, is_cut=end == len(is_wrong)))
    return found


def _by_clip(clips: Sequence[str]) -> list[list[int]]:
    """Return the rows of each clip, in order."""
    rows: dict[str, list[int]] = {}
    for row, clip in enumerate(clips):
        rows.setdefault(clip, []).append(row)
    return list(rows.values())


def _shown(contract: ModelContract) -> NDArray[np.intp]:
    """Return (K,) what each label stands for: all background labels stand for the first of them."""
    background = [contract.labels.index(label) for label in contract.background]
    return np.array([background[0] if row in background else row for row in range(len(contract.labels))])
