"""Joins a trained network of a part to the model whose rows were recorded, as validation shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from harstream.models.contract import ModelContract
from harstream.models.layers.sum_of_classes import sum_matrix
from harstream.models.part_networks import PartNetwork
from harstream.models.part_run import PartRun
from harstream.models.recorded_rows import RecordedRows
from harstream.models.score_fusion import Fusion, Scores
from harstream.models.temperature import at_temperature
from harstream.training.calibration import fit_temperature
from harstream.training.errors import TrainingError
from harstream.training.parts.weigh import weighed

SEED = 23
"""Of the places that are exchanged."""
ELSEWHERE = 0.25
"""How much a window in another place counts where the place is weighed; in its own place it counts the rest. More of it
makes the place count less: it is right less often where clips were taken, and more often where a camera will stand."""


@dataclass(frozen=True)
class Figures:
    """Shares of validation that are right."""

    windows: float
    clips: float


@dataclass(frozen=True, eq=False)
class _Windows:
    """What validation knows of N windows."""

    base: Scores
    """(N, K), of the model whose rows were recorded."""
    seen: NDArray[np.float32]
    """(N, P, D), what the part saw."""
    truth: NDArray[np.intp]
    clips: NDArray[np.intp]
    """(N,), the number of the clip."""


def joined(
    model: keras.Model, classes: Sequence[str], rows: RecordedRows, network: PartNetwork, contract: ModelContract,
    command: str,
) -> tuple[PartRun, dict[str, Figures]]:  # fmt: skip
    """Return what joins `model` to the one whose scores were recorded, the base, and figures on validation.

    `contract`: that of the base. Temperature and weights are chosen on validation. A part that sees the place only
    ranks the activities, and is weighed in each window's own place and in another one. Raises TrainingError.
    """
    labels = contract.labels
    label_of = _labels_of(classes, rows, labels)
    windows = _validation(rows, network, labels)
    sums = sum_matrix(label_of)
    scores = np.asarray(model.predict(windows.seen, batch_size=512, verbose=0))
    temperature = fit_temperature(scores, windows.truth, sums)
    other = at_temperature(scores, temperature) @ sums
    kept = [labels.index(label) for label in contract.background] if network.part.sees_place else []
    fusion = Fusion(_prior(rows, labels), kept=tuple(kept))
    elsewhere = other[_elsewhere(windows, kept)] if network.part.sees_place else other
    fusion = _weighed_here_and_elsewhere(fusion, windows, other, elsewhere)
    run = PartRun(
        network.name, tuple(classes), tuple(labels), label_of, rows.view, temperature, fusion, command
    )  # fmt: skip
    each = {"the base": windows.base, network.name: other, "joined": fusion(windows.base, other)}
    if network.part.sees_place:
        each["joined in another place"] = fusion(windows.base, elsewhere)
    return run, {name: _figures(found, windows) for name, found in each.items()}


def _weighed_here_and_elsewhere(fusion: Fusion, windows: _Windows, other: Scores, elsewhere: Scores) -> Fusion:
    shares = 1 / np.bincount(windows.clips)[windows.clips]
    return weighed(
        fusion,
        np.concatenate([windows.base, windows.base]),
        np.concatenate([other, elsewhere]),
        np.tile(windows.truth, 2),
        np.concatenate([shares * (1 - ELSEWHERE), shares * ELSEWHERE]),
    )


def _elsewhere(windows: _Windows, background: Sequence[int]) -> NDArray[np.intp]:
    """Return, for each window, one of background, whose place has nothing to do with an activity.

    All windows of a clip have windows of the same other clip. Raises TrainingError.
    """
    random = np.random.default_rng(SEED)
    places = np.unique(windows.clips[np.isin(windows.truth, background)])
    if len(places) < 2:
        raise TrainingError("validation has no two clips of background, whose places could be exchanged")
    chosen = np.zeros(len(windows.clips), np.intp)
    for clip in np.unique(windows.clips):
        of_clip = np.flatnonzero(windows.clips == clip)
        of_place = np.flatnonzero(windows.clips == random.choice(places[places != clip]))
        chosen[of_clip] = np.resize(of_place, len(of_clip))
    return chosen


def _labels_of(classes: Sequence[str], rows: RecordedRows, labels: Sequence[str]) -> tuple[int, ...]:
    label_of = dict(zip(rows.classes, rows.labels, strict=True))
    if strange := sorted(set(rows.labels) - set(labels)):
        raise TrainingError(f"the rows have {', '.join(strange)}, but the model knows only {', '.join(labels)}")
    return tuple(labels.index(label_of[each]) for each in classes)


def _validation(rows: RecordedRows, network: PartNetwork, labels: Sequence[str]) -> _Windows:
    windows, sequence = rows.windows()
    chosen = np.array(rows.parts)[sequence] == "val"
    if not chosen.any():
        raise TrainingError("no row is of the part val: record clips with a split")
    _, clips = np.unique(np.array(rows.clips)[sequence[chosen]], return_inverse=True)
    return _Windows(
        base=rows.scores[chosen],
        seen=network.seen_in(windows[chosen]),
        truth=np.array([labels.index(rows.labels[number]) for number in sequence[chosen]]),
        clips=clips,
    )


def _prior(rows: RecordedRows, labels: Sequence[str]) -> tuple[float, ...]:
    learned = [labels.index(label) for label, part in zip(rows.labels, rows.parts, strict=True) if part == "train"]
    counts = np.bincount(learned, minlength=len(labels))
    return tuple(map(float, counts / counts.sum()))


def _figures(scores: Scores, windows: _Windows) -> Figures:
    total = np.zeros((windows.clips.max() + 1, scores.shape[1]))
    np.add.at(total, windows.clips, scores)
    of_clip = np.zeros(len(total), np.intp)
    of_clip[windows.clips] = windows.truth
    right = scores.argmax(axis=1) == windows.truth
    return Figures(float(right.mean()), float((total.argmax(axis=1) == of_clip).mean()))
