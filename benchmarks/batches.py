"""Measures recognition for several cameras in one batch, on the CPU and in three ways on a GPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import count

import numpy as np

from benchmarks.gpu_usage import busy_share
from benchmarks.interleaved import seconds_in_turns
from benchmarks.tables import Table, ratio
from harstream.models.catalogue import find_model, shipped
from harstream.stream.recognition.onnx_runtime import OnnxRecognizer, RunMode
from harstream.stream.recognition.onnx_session import has_nvidia_driver
from harstream.wire.errors import ModelError

BATCHES = (1, 4, 16, 64)
ONE_THREAD = "CPU, one thread"
TWO_THREADS = "CPU, two threads"
ON_GPU = {
    "GPU, session.run": RunMode.PLAIN,
    "GPU, I/O binding": RunMode.BOUND,
    "GPU, CUDA graphs": RunMode.REPLAYED,
}


def measure(*, short: bool) -> Table:
    models = ("lrcn",) if short else shipped()
    return Table(
        "batches",
        "Recognitions in a batch",
        ("model", "cameras in the batch", ONE_THREAD, TWO_THREADS, *ON_GPU, "GPU busy", "cameras it can serve",
         "batch / one by one, one thread"),
        [row for model in models for row in rows(model, _engines(model), short=short)],
        "Windows per second, from medians, measured in turns. Each window needs its newest frame encoded and its "
        "scores computed. Two threads pay off where they double the figure, because other cameras could use the second "
        "core. GPU figures include copies from and to host memory. GPU busy is the figure of nvidia-smi in the last of "
        "these ways. Cameras it can serve: the most windows per second, divided by the model's rate, without decoding. "
        "The last column compares the time per window."
        f"{'' if has_nvidia_driver() else ' This machine has no GPU, so its columns are empty.'}",
    )  # fmt: skip


def rows(model: str, engines: Mapping[str, OnnxRecognizer], *, short: bool) -> list[list[str]]:
    """Return one row per batch size; `engines` are named after their columns."""
    rate, found, alone = engines[ONE_THREAD].contract.live_rate, [], 0.0
    for batch in BATCHES[:2] if short else BATCHES:
        ways = {name: _recognition(engine, batch) for name, engine in engines.items()}
        rounds = 3 if short else max(10, 200 // batch)
        each = {name: seconds / batch for name, seconds in seconds_in_turns(ways, rounds).items()}
        alone = alone or each[ONE_THREAD]
        on_gpu = [name for name in ON_GPU if name in each]
        busy = busy_share(ways[on_gpu[-1]]) if on_gpu else None
        found.append(
            [model, str(batch)]
            + [f"{1 / each[name]:.0f}" if name in each else "–" for name in (ONE_THREAD, TWO_THREADS, *ON_GPU)]
            + ["–" if busy is None else f"{busy:.0%}"]
            + [f"{1 / min(each[name] for name in on_gpu) / rate:.0f}" if on_gpu else "–"]
            + [ratio(each[ONE_THREAD] / alone)]
        )
    return found


def _engines(model: str) -> dict[str, OnnxRecognizer]:
    files = find_model(model)
    engines = {ONE_THREAD: OnnxRecognizer(files, "cpu"), TWO_THREADS: OnnxRecognizer(files, "cpu", threads=2)}
    if has_nvidia_driver():
        with suppress(ModelError):  # only the driver is installed, or ONNX Runtime for the CPU
            engines |= {name: OnnxRecognizer(files, "cuda", mode=mode) for name, mode in ON_GPU.items()}
    return engines


def _recognition(engine: OnnxRecognizer, batch: int) -> Callable[[], object]:
    contract, random = engine.contract, np.random.default_rng(1)
    shape = (contract.height, contract.width, 3)
    seen = (batch, 2, *shape) if engine.lookback else (batch, *shape)
    frames = random.integers(0, 256, seen, dtype=np.uint8)
    pictures = [random.integers(0, 256, (batch, *part.size, 3), dtype=np.uint8) for part in engine.parts]
    numbers = [part.see(seen) for part, seen in zip(engine.parts, pictures, strict=True)]
    rows = np.concatenate([engine.encode(frames), *numbers], axis=1) if numbers else engine.encode(frames)
    windows = np.repeat(rows[:, None], contract.frames - engine.lookback, axis=1)
    turns = count()

    def recognize() -> None:
        turn = next(turns)
        engine.encode(frames)
        for part, seen in zip(engine.parts, pictures, strict=True):
            if turn % part.every == 0:
                part.see(seen)
        engine.score(windows)

    return recognize
