"""`harstream compare`: reports of `evaluate --json` side by side, such as those of the folds of a cross-validation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

FIGURES = {
    "windows right": ("top1",),
    "clips right": ("clips", "accuracy"),
    "macro F1": ("windows", "f1_macro"),
    "among activities": ("among_activities", "top1"),
    "of clips": ("among_activities", "clips", "accuracy"),
    "calibration error": ("calibration_error",),
}
"""Column and where its figure stands in `metrics`."""

app = typer.Typer()


@app.command()
def compare(
    reports: Annotated[list[Path], typer.Argument(help="Files that `harstream evaluate --json` wrote.")],
) -> None:
    """Put the figures of several reports side by side, with their mean and standard deviation."""
    try:
        rows = {str(file): _figures(file) for file in reports}
    except (OSError, ValueError, KeyError, TypeError) as error:
        Console(stderr=True, soft_wrap=True).print(
            f"harstream compare: expected reports of `harstream evaluate --json`, of clips: {error}",
            style="red",
            markup=False,
        )
        raise typer.Exit(2) from None
    Console().print(_table(rows))


def _figures(file: Path) -> list[float]:
    """In the order of FIGURES; nan where the report has none."""
    metrics = json.loads(file.read_text(encoding="utf-8"))["metrics"]
    if "top1" not in metrics:
        raise ValueError(f"{file} is of something else")
    return [_at(metrics, path) for path in FIGURES.values()]


def _at(values: Any, path: tuple[str, ...]) -> float:
    for key in path:
        values = values.get(key) if values else None
    return float("nan") if values is None else float(values)


def _table(rows: dict[str, list[float]]) -> Table:
    table = Table("report")
    for figure in FIGURES:
        table.add_column(figure, justify="right")
    for name, figures in rows.items():
        table.add_row(Text(name), *(_percent(figure) for figure in figures))
    if len(rows) > 1:
        values = np.array(list(rows.values()))
        table.add_section()
        means, spreads = values.mean(axis=0), values.std(axis=0, ddof=1)
        table.add_row("mean", *(_percent(mean) for mean in means))
        table.add_row("standard deviation", *(_percent(spread) for spread in spreads))
    return table


def _percent(share: float) -> str:
    return "" if np.isnan(share) else f"{100 * share:.1f} %"
