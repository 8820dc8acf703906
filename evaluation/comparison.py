"""Shows the figures of several reports, or of several models on the same clips, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from harstream.evaluation.metrics import rounded
from harstream.evaluation.number_format import percent
from harstream.evaluation.report_json import write_report
from harstream.stream.recognition.views.settings import ViewKind

SCHEMA = "harstream.comparison/1"


@dataclass(frozen=True)
class Figure:
    """One column of a comparison."""

    name: str
    """Key in the JSON file."""
    title: str
    path: tuple[str, ...]
    """Keys that lead to the figure in the metrics of a report."""

    def of(self, metrics: Mapping[str, Any]) -> float:
        """Return the share, between 0 and 1, or nan if the metrics do not have it."""
        value: Any = metrics
        for key in self.path:
            value = value.get(key) if value else None
        return float("nan") if value is None else float(value)


MAIN_FIGURES = (
    Figure("windows_right", "windows right", ("top1",)),
    Figure("clips_right", "clips right", ("clips", "accuracy")),
    Figure("f1_macro", "macro F1", ("windows", "f1_macro")),
)
ALL_FIGURES = (
    *MAIN_FIGURES,
    Figure("windows_right_among_activities", "among activities", ("among_activities", "top1")),
    Figure("clips_right_among_activities", "of clips", ("among_activities", "clips", "accuracy")),
    Figure("calibration_error", "calibration error", ("calibration_error",)),
)


@dataclass(frozen=True)
class ComparedModel:
    """A model with its size, time for a window and metrics."""

    model: str
    """Name or path, as given on the command line."""
    sha256: str
    provider: str
    """Execution provider of ONNX Runtime."""
    size: int
    """Bytes of the files that a stream loads."""
    milliseconds: float
    """Time for a whole window."""
    view: ViewKind
    """What the model saw of the clips."""
    metrics: Mapping[str, Any]
    """As `Metrics.to_dict` gives them."""


def report_table(reports: Mapping[str, Mapping[str, Any]]) -> Table:
    """Show the metrics of each report in a row. Several reports also get their mean and sample standard deviation."""
    table = Table("report")
    _add_right_aligned(table, [figure.title for figure in ALL_FIGURES])
    values = np.array([[figure.of(metrics) for figure in ALL_FIGURES] for metrics in reports.values()])
    for name, row in zip(reports, values, strict=True):
        table.add_row(Text(name), *map(percent, row))
    if len(reports) > 1:
        table.add_section()
        table.add_row("mean", *map(percent, values.mean(axis=0)))
        table.add_row("standard deviation", *map(percent, values.std(axis=0, ddof=1)))
    return table


def model_table(models: Sequence[ComparedModel]) -> Table:
    table = Table("model", "runs on", "view", title="Models on the same clips")
    _add_right_aligned(table, ["kB", "ms per window", *(figure.title for figure in MAIN_FIGURES)])
    for each in models:
        shares = [percent(figure.of(each.metrics)) for figure in MAIN_FIGURES]
        # Text, because rich would read a model called "[red]" as markup.
        table.add_row(
            Text(each.model), each.provider, each.view, f"{each.size / 1000:.0f}", f"{each.milliseconds:.2f}", *shares
        )
    return table


def write_comparison(path: Path, models: Sequence[ComparedModel], provenance: Mapping[str, str]) -> None:
    """Write the models as JSON; the folder exists. A figure that is undefined is null."""
    write_report(path, SCHEMA, provenance, {"models": [_plain(each) for each in models]})


def _plain(each: ComparedModel) -> dict[str, object]:
    shares = {figure.name: figure.of(each.metrics) for figure in MAIN_FIGURES}
    defined = {name: None if np.isnan(share) else share for name, share in shares.items()}
    return {
        "model": each.model,
        "sha256": each.sha256,
        "runs_on": each.provider,
        "bytes": each.size,
        "view": each.view,
        **rounded({"milliseconds_a_window": each.milliseconds, **defined}, digits=4),
    }


def _add_right_aligned(table: Table, titles: Sequence[str]) -> None:
    for title in titles:
        table.add_column(title, justify="right")
