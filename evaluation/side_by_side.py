"""Several exported models on the same clips: what each costs and how right it is, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from harstream.evaluation.metrics import Metrics, rounded
from harstream.evaluation.report import percent
from harstream.evaluation.write import as_json
from harstream.resilience.whole_file import write_whole

SCHEMA = "harstream.comparison/1"


@dataclass(frozen=True)
class Compared:
    model: str
    """As it was asked for."""
    sha256: str
    provider: str
    """What ran it."""
    size: int
    """Bytes of the files that a stream loads."""
    milliseconds: float
    """Of a whole window."""
    metrics: Metrics


def comparison_table(models: Sequence[Compared]) -> Table:
    table = Table(title="Models, on the same clips")
    table.add_column("model")
    table.add_column("runs on")
    for column in ("kB", "ms a window", "windows right", "clips right", "macro F1"):
        table.add_column(column, justify="right")
    for each in models:
        table.add_row(
            Text(each.model),
            each.provider,
            f"{each.size / 1000:.0f}",
            f"{each.milliseconds:.2f}",
            *(percent(value) for value in _accuracy(each.metrics).values()),
        )
    return table


def write_comparison(path: Path, models: Sequence[Compared], provenance: dict[str, str]) -> None:
    """The folder exists."""
    content = {
        "schema": SCHEMA,
        "provenance": provenance,
        "models": [
            {
                "model": each.model,
                "sha256": each.sha256,
                "runs_on": each.provider,
                "bytes": each.size,
                **rounded({"milliseconds_a_window": each.milliseconds, **_accuracy(each.metrics)}, digits=4),
            }
            for each in models
        ],
    }
    write_whole(path, as_json(content))


def _accuracy(metrics: Metrics) -> dict[str, float | None]:
    """As the shipped models are told: windows counted so that each clip counts the same."""
    return {
        "windows_right": metrics.top1,
        "clips_right": metrics.clips.accuracy,
        "f1_macro": metrics.windows.f1_macro,
    }
