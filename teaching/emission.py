"""Extends what a model's report says of its errors by the taught activities, for forecasts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harstream.models.contract import ModelContract
from harstream.teaching.replay import ScoredVideo

REPORT = "report.json"


def read_emission(folder: Path, contract: ModelContract) -> Mapping[str, Any] | None:
    """Return the part `emission` of the report beside a model. None if there is none that fits the model."""
    try:
        emission = json.loads((folder / REPORT).read_text())["emission"]
        return emission if tuple(emission["labels"]) == contract.labels and emission["sure"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def with_taught_rows(
    shipped: Mapping[str, Any], examples: Sequence[ScoredVideo], contract: ModelContract
) -> dict[str, Any]:
    """Return P(recognized | true) of shipped and taught labels. `contract`: that of the taught model.

    Rows of shipped labels stay as they were: what else is taken for a taught activity was not measured. Rows of taught
    ones are from windows that were held out, with 1 added to every count, as `harstream evaluate` does.
    """
    S = len(contract.labels)
    K = S - len(contract.taught)
    sure = np.zeros((S, 2 * S))
    for half, begin in enumerate((0, K)):
        sure[:K, half * S : half * S + K] = np.array(shipped["sure"])[:, begin : begin + K]
    for row, label in enumerate(contract.taught, start=K):
        sure[row] = _row([video.values for video in examples if video.label == label], contract.unknown_threshold)
    prior = np.concatenate([np.array(shipped["prior"]) * K, np.ones(S - K)]) / S
    return {
        "labels": list(contract.labels),
        "matrix": (sure[:, :S] + sure[:, S:]).tolist(),
        "prior": (prior / prior.sum()).tolist(),
        "sure": sure.tolist(),
        "lasting": shipped.get("lasting"),
    }


def _row(values: Sequence[NDArray[np.float32]], threshold: float) -> NDArray[np.float64]:
    """Return (2 S,): P(recognized and sure) of each label, and P(recognized and not sure)."""
    windows = np.concatenate(values)
    S = windows.shape[1]
    is_unsure = windows.max(axis=1) < np.float32(threshold)
    counts = np.bincount(windows.argmax(axis=1) + S * is_unsure, minlength=2 * S) + 0.5
    return np.asarray(counts / counts.sum())
