"""What one recognition costs when those of several cameras are computed together, on one thread, on two, on a GPU."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import numpy as np

from benchmarks.tables import Table, milliseconds, ratio
from benchmarks.turns import seconds_in_turns
from models.catalogue import find_model
from stream.engine import OnnxRecognizer, has_nvidia_driver
from stream.errors import ModelError

MODELS = ("lrcn", "flow_tcn", "convlstm")
BATCHES = (1, 4, 16, 64)


def measure(*, short: bool) -> Table:
    rows = [row for model in (MODELS[:1] if short else MODELS) for row in _rows(model, short=short)]
    gpu = "" if has_nvidia_driver() else " No GPU here."
    return Table(
        "batches",
        "Recognitions together",
        (
            "model",
            "cameras at once",
            "one thread, ms",
            "two threads, ms",
            "GPU, ms",
            "together / one by one, one thread",
        ),
        rows,
        "Milliseconds of each recognition: its newest frame encoded, its window scored; medians, in turns. Two "
        "threads are worth it where they halve the time, for other cameras could use the second core. GPU: plain "
        f"`session.run` with CUDA, copies from and to host memory included.{gpu}",
    )


def _rows(model: str, *, short: bool) -> list[list[str]]:
    engines = _engines(model)
    rows, alone = [], 0.0
    for batch in BATCHES[:2] if short else BATCHES:
        ways = {name: _recognition(engine, batch) for name, engine in engines.items()}
        rounds = 3 if short else max(10, 200 // batch)
        took = {name: seconds / batch for name, seconds in seconds_in_turns(ways, rounds).items()}
        alone = alone or took["one"]
        rows.append([model, str(batch), *(milliseconds(took.get(name)) for name in ("one", "two", "cuda")),
                     ratio(took["one"] / alone)])  # fmt: skip
    return rows


def _engines(model: str) -> dict[str, OnnxRecognizer]:
    files = find_model(model)
    engines = {"one": OnnxRecognizer(files, "cpu"), "two": OnnxRecognizer(files, "cpu", threads=2)}
    if has_nvidia_driver():
        with suppress(ModelError):  # the driver alone, or the CPU's build of ONNX Runtime
            engines["cuda"] = OnnxRecognizer(files, "cuda")
    return engines


def _recognition(engine: OnnxRecognizer, batch: int) -> Callable[[], object]:
    contract, random = engine.contract, np.random.default_rng(1)
    shape = (contract.height, contract.width, 3)
    seen = (batch, 2, *shape) if engine.lookback else (batch, *shape)
    frames = random.integers(0, 256, seen, dtype=np.uint8)
    rows = engine.encode(frames)
    windows = np.repeat(rows[:, None], contract.frames - engine.lookback, axis=1)
    return lambda: (engine.encode(frames), engine.score(windows))
