"""A training step of the papers' TimeDistributed form beside ours, where time is folded into the batch."""

from __future__ import annotations

import numpy as np

from benchmarks.distributed import time_distributed
from benchmarks.tables import Table, milliseconds, ratio
from benchmarks.turns import seconds_in_turns
from models import architectures

ARCHITECTURES = ("lrcn", "lrcn_large")
BATCH, CLASSES = 4, 4


def measure(*, short: bool) -> Table:
    chosen = ARCHITECTURES[:1] if short else ARCHITECTURES
    return Table(
        "training",
        "A training step",
        ("architecture", "TimeDistributed", "folded", "TimeDistributed / folded"),
        [_row(name, rounds=1 if short else 10) for name in chosen],
        f"Milliseconds, median, in turns; a batch of {BATCH} windows, TensorFlow's default threads. Before the "
        "first step both have the same weights and give the same scores.",
    )


def _row(name: str, rounds: int) -> list[str]:
    folded = architectures.build(name, frames=20, height=64, width=64, classes=CLASSES)
    distributed = time_distributed(folded)
    random = np.random.default_rng(1)
    windows = random.integers(0, 256, (BATCH, 20, 64, 64, 3), dtype=np.uint8)
    truth = np.eye(CLASSES, dtype=np.float32)[np.arange(BATCH) % CLASSES]
    if not np.allclose(folded.predict(windows, verbose=0), distributed.predict(windows, verbose=0), atol=1e-5):
        raise RuntimeError(f"{name}: the two forms differ")
    for model in (folded, distributed):
        model.compile("adam", "categorical_crossentropy")
    took = seconds_in_turns(
        {
            "distributed": lambda: distributed.train_on_batch(windows, truth),
            "folded": lambda: folded.train_on_batch(windows, truth),
        },
        rounds,
    )
    return [
        name,
        milliseconds(took["distributed"]),
        milliseconds(took["folded"]),
        ratio(took["distributed"] / took["folded"]),
    ]
