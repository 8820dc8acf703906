"""The command `harstream compare`. It compares reports, such as those of the folds of a cross-validation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from harstream.command_line.errors import fail
from harstream.evaluation.comparison import report_table

app = typer.Typer()


@app.command()
def compare(
    reports: Annotated[list[Path], typer.Argument(help="Files that `harstream evaluate --json` wrote.")],
) -> None:
    """Put the figures of several reports side by side, with their mean and standard deviation."""
    try:
        table = report_table({str(file): _metrics(file) for file in reports})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        fail("compare", f"expected reports of `harstream evaluate --json`, of clips: {error}")
    Console().print(table)


def _metrics(file: Path) -> dict[str, Any]:
    metrics: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["metrics"]
    if "top1" not in metrics:
        raise ValueError(f"expected a report on clips, but {file} is another report")
    return metrics
