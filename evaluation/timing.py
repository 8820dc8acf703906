"""Measures how long models take for a window."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

import numpy as np

from harstream.stream.recognition.protocols import Recognizer
from harstream.stream.recognition.row_parts import window_rows

ROUNDS = 30
"""Windows that are timed for each model, after three that are not counted."""


def milliseconds_per_window(recognizers: Sequence[Recognizer]) -> list[float]:
    """Return each model's median time for a whole window. The models take turns, so that load affects all equally."""
    random = np.random.default_rng(1)
    times: list[list[float]] = [[] for _ in recognizers]
    for _ in range(ROUNDS + 3):
        for recognizer, spent in zip(recognizers, times, strict=True):
            contract = recognizer.contract
            frames = random.integers(0, 256, (contract.frames, contract.height, contract.width, 3), dtype=np.uint8)
            start = perf_counter()
            recognizer.score(window_rows(recognizer, list(frames))[None])
            spent.append(perf_counter() - start)
    return [1000 * float(np.median(spent[3:])) for spent in times]
