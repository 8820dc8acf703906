"""`harstream forecast evaluate`: measures the predictors on files of past activities."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from harstream.forecast.app.options import (
    FormatOption,
    PathsArgument,
    StructureOption,
    ZoneOption,
    structure_of,
    zone_of,
)
from harstream.stream.app.terminal import one_line_errors
from harstream.wire.errors import ConfigError

TABLE_WIDTH = 110
"""Columns of the widest table with short names."""


def evaluate(
    paths: PathsArgument,
    by: Annotated[
        Literal["day", "prequential"],
        typer.Option(help="Predict each day from all others, or from the days before it, from the fourth one on."),
    ] = "day",
    form: FormatOption = "auto",
    structure: StructureOption = None,
    zone: ZoneOption = None,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report to this file, one HTML page.")] = None,
) -> None:
    """Measure the predictors on past activities, against the baseline. Each PATH is one home."""
    with one_line_errors():
        from harstream.forecast.evaluation.evaluate import evaluate_home, evaluation_of
        from harstream.forecast.evaluation.folds import Folding
        from harstream.forecast.evaluation.table import tables
        from harstream.forecast.past.read import format_of, read_home

        _check_extra()
        for file in filter(None, (json, html)):
            if not file.parent.is_dir() or file.is_dir():
                raise ConfigError(f"expected a file in a folder that exists, got {file}")
        home_zone, shape = zone_of(zone), format_of(form)
        records = [read_home(path, shape, home_zone) for path in paths]
        names = [path.stem for path in paths]
        tables_of_dbn = structure_of(structure)
        asked = [
            evaluate_home(*each, Folding(by), home_zone, tables_of_dbn) for each in zip(names, records, strict=True)
        ]
        evaluation = evaluation_of(by, asked)
        console = Console(highlight=False)
        console.width = max(console.width, TABLE_WIDTH)  # figures that are cut off would be worthless
        console.print(tables(evaluation))
        if json or html:
            from harstream.forecast.evaluation.report import write_html, write_json

            if json:
                write_json(json, evaluation)
            if html:
                write_html(html, evaluation)


def _check_extra() -> None:
    """Raises ConfigError without the extra `evaluation`, before the evaluation takes its time."""
    from importlib.util import find_spec

    if any(find_spec(name) is None for name in ("jinja2", "matplotlib")):
        raise ConfigError("the extra `evaluation` is not installed: pip install 'harstream[evaluation]'")
