"""Measures the cost of a new frame in a stream, depending on the work between two frames."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.drawn_video import drawn_video
from benchmarks.interleaved import seconds_in_turns
from benchmarks.paper_models import as_in_papers
from benchmarks.tables import Table, milliseconds, ratio
from benchmarks.windows import CLASSES, Way, new_frame
from harstream.clips.video import pictures
from harstream.export.keras_to_onnx import convert
from harstream.export.verify import TOLERANCE, onnx_runner
from harstream.models import architectures
from harstream.models.picture import Picture

ARCHITECTURES = ("lrcn", "lrcn_large")
PAUSE = 0.04
DECODED = 3
"""Pictures from one frame on the time grid to the next: 25 Hz of a camera over 10 Hz of a model, rounded up."""


def measure(folder: Path, *, short: bool) -> Table:
    chosen = ARCHITECTURES[:1] if short else ARCHITECTURES
    meanwhile = _meanwhile(drawn_video(folder, 320, 240, seconds=4))
    return Table(
        "frames",
        "A new frame",
        ("architecture", "between two frames", "tf2onnx, TimeDistributed", "tf2onnx, folded", "a new frame",
         "a new frame / TimeDistributed", "a new frame / folded"),
        [row for name in chosen for row in _rows(name, meanwhile, rounds=2 if short else 30)],
        "Milliseconds, median, in turns, the second of two calls, one thread of ONNX Runtime. The first two compute "
        "the whole window in tf2onnx's graph: the model as in the papers, and with time folded into the batch. A new "
        "frame: only this frame is encoded, and the head runs over the rows of the last twenty. Between two frames of "
        f"10 Hz, a stream decodes {DECODED} pictures of its camera, here of 320x240. With a single camera, the "
        "processor then does other work, and its caches lose their content. That costs every call of ONNX Runtime at "
        "least a tenth of a millisecond, which matters for a small model. A service with many cameras hardly pauses, "
        "and computes frames in batches.",
    )  # fmt: skip


def _rows(name: str, meanwhile: dict[str, Callable[[], object]], rounds: int) -> Iterator[list[str]]:
    ways = _ways(name)
    for what, between in meanwhile.items():
        took = seconds_in_turns(ways, rounds, between=between)
        distributed, folded, new = took.values()
        yield [name, what, *map(milliseconds, took.values()), ratio(new / distributed), ratio(new / folded)]


def _ways(name: str) -> dict[str, Way]:
    model = architectures.build(name, frames=20, height=64, width=64, classes=CLASSES)
    window = np.random.default_rng(1).integers(0, 256, (1, 20, 64, 64, 3), dtype=np.uint8)
    graphs = convert(model)
    assert graphs.parts is not None
    distributed, folded = onnx_runner(convert(as_in_papers(model)).plain), onnx_runner(graphs.plain)
    ways: dict[str, Way] = {
        "distributed": lambda: distributed(window),
        "folded": lambda: folded(window),
        "new": new_frame(*graphs.parts, window),
    }
    scores = [run() for run in ways.values()]
    if not np.allclose(scores, scores[0], atol=TOLERANCE):
        raise RuntimeError(f"{name}: the ways differ: {scores}")
    return ways


def _meanwhile(file: Path) -> dict[str, Callable[[], object]]:
    coming = _for_ever(file)

    def decode() -> None:
        for picture in islice(coming, DECODED):
            picture.model_frame(64, 64)

    def decode_and_pause() -> None:
        decode()
        time.sleep(PAUSE)

    return {
        "nothing": lambda: None,
        f"{DECODED} pictures decoded": decode,
        f"{DECODED} pictures decoded, {1000 * PAUSE:.0f} ms of pause": decode_and_pause,
    }


def _for_ever(file: Path) -> Iterator[Picture]:
    while True:
        for _, picture in pictures(file):
            yield picture
