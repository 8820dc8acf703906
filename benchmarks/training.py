"""Compares a training step of Keras's own layers with ours: TimeDistributed, ConvLSTM2D and BatchNormalization."""

from __future__ import annotations

import numpy as np

from benchmarks.interleaved import seconds_in_turns
from benchmarks.paper_models import as_in_papers
from benchmarks.tables import Table, milliseconds, ratio
from harstream.models import architectures

ARCHITECTURES = ("lrcn", "lrcn_large", "convlstm", "convlstm_large", "flow_tcn")
SHORT = ("lrcn", "convlstm")
BATCH, CLASSES = 4, 4


def measure(*, short: bool) -> Table:
    chosen = SHORT if short else ARCHITECTURES
    return Table(
        "training",
        "A training step",
        ("architecture", "Keras's layers", "ours", "Keras's / ours"),
        [_row(name, rounds=1 if short else 10) for name in chosen],
        f"Milliseconds, median, in turns; a batch of {BATCH} windows, TensorFlow's default threads. Keras's layers are "
        "TimeDistributed for lrcn, ConvLSTM2D for convlstm and BatchNormalization for lrcn_large and flow_tcn. Before "
        "the first step, both have the same weights and give the same scores.",
    )


def _row(name: str, rounds: int) -> list[str]:
    ours = architectures.build(name, frames=20, height=64, width=64, classes=CLASSES)
    theirs = as_in_papers(ours)
    random = np.random.default_rng(1)
    windows = random.integers(0, 256, (BATCH, 20, 64, 64, 3), dtype=np.uint8)
    truth = np.eye(CLASSES, dtype=np.float32)[np.arange(BATCH) % CLASSES]
    if not np.allclose(ours.predict(windows, verbose=0), theirs.predict(windows, verbose=0), atol=1e-5):
        raise RuntimeError(f"{name}: the two forms differ")
    for model in (ours, theirs):
        model.compile("adam", "categorical_crossentropy")
    took = seconds_in_turns(
        {
            "theirs": lambda: theirs.train_on_batch(windows, truth),
            "ours": lambda: ours.train_on_batch(windows, truth),
        },
        rounds,
    )
    return [
        name,
        milliseconds(took["theirs"]),
        milliseconds(took["ours"]),
        ratio(took["theirs"] / took["ours"]),
    ]
