"""Shows and writes the figures of a model on changed pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.table import Table
from rich.text import Text

from harstream.evaluation.corruptions.measure import KindFigures, Share
from harstream.evaluation.metrics import rounded
from harstream.evaluation.number_format import UNDEFINED, percent
from harstream.evaluation.report_json import write_report
from harstream.stream.recognition.views.settings import ViewKind

SCHEMA = "harstream.corruptions/1"


def corruption_table(model: str, view: ViewKind, figures: Sequence[KindFigures], threshold: float) -> Table:
    table = Table(
        title=Text(f"{model} on changed pictures, view {view}"),
        caption="mean over clips, with intervals of 95 % over clusters",
        caption_justify="left",
    )
    table.add_column("pictures")
    for title in ("windows right", f"right and at least {threshold:g}", "background taken for an activity"):
        table.add_column(title, justify="right")
    for each in figures:
        table.add_row(each.kind, *map(_cell, (each.right, each.sure, each.false)))
    return table


def write_corruptions(
    path: Path, figures: Sequence[KindFigures], threshold: float, provenance: Mapping[str, str]
) -> None:
    """Write the figures as JSON; the folder exists."""
    kinds = [rounded(asdict(each), digits=4) for each in figures]
    write_report(path, SCHEMA, provenance, {"threshold": threshold, "kinds": kinds})


def _cell(share: Share | None) -> str:
    return f"{percent(share.value)} ({100 * share.low:.0f} to {100 * share.high:.0f})" if share else UNDEFINED
