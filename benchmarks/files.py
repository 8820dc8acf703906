"""Compares `harstream predict` with decoding alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from benchmarks.drawn_video import RATE, drawn_video
from benchmarks.interleaved import seconds_in_turns
from benchmarks.tables import Table, ratio
from harstream.clips.video import pictures
from harstream.stream.app.predict_files import predict_files
from harstream.stream.config.model import Config

MODELS = ("lrcn", "flow_tcn", "convlstm")


def measure(folder: Path, *, short: bool) -> Table:
    sizes = ((320, 240, 20.0),) if short else ((320, 240, 120.0), (1920, 1080, 20.0))
    models = MODELS[:1] if short else MODELS
    return Table(
        "files",
        "Files, end to end",
        ("size", "decode alone, pictures per second", *models),
        [_row(drawn_video(folder, *size), size, models, rounds=1 if short else 5) for size in sizes],
        "Picture rate of `harstream predict --events`, which loads its model each time, relative to decoding alone "
        "with the same library on one thread; measured in turns. Recognition, at each model's rate, runs parallel to "
        "the decoder, on the second core. Each model sees all of the picture; see What the model sees for the cost of "
        "another view.",
    )


def _row(file: Path, size: tuple[int, int, float], models: tuple[str, ...], rounds: int) -> list[str]:
    width, height, seconds = size

    def predict(model: str) -> Callable[[], None]:
        def run() -> None:
            with TemporaryDirectory() as folder:
                events = Path(folder) / "events.jsonl"
                config = Config(model=model, view="picture")
                for _ in predict_files(config, [file], Console(stderr=True, quiet=True), events=events):
                    pass

        return run

    ways: dict[str, Callable[[], object]] = {"decode": lambda: sum(1 for _ in pictures(file))}
    took = seconds_in_turns(ways | {model: predict(model) for model in models}, rounds)
    return [
        f"{width}x{height}", f"{seconds * RATE / took['decode']:.0f}",
        *(ratio(took["decode"] / took[model]) for model in models),
    ]  # fmt: skip
