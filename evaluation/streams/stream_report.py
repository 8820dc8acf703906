"""Reports an evaluation on long streams as JSON and as tables for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from rich.console import Group
from rich.table import Table
from rich.text import Text

from harstream.evaluation.lasting_errors import LONG, LastingErrors
from harstream.evaluation.number_format import decimal, percent, seconds
from harstream.evaluation.report_json import write_report
from harstream.evaluation.streams.stream_metrics import StreamMetrics
from harstream.models.contract import ModelContract

SCHEMA = "harstream.stream-evaluation/1"


def write_stream_json(
    path: Path,
    metrics: StreamMetrics,
    lasting: LastingErrors | None,
    contract: ModelContract,
    settings: Mapping[str, object],
    provenance: Mapping[str, str],
) -> None:
    """Write the metrics with their model and settings. The folder must exist.

    `lasting` is None if no window lies within a clip.
    """
    content = {
        "contract": asdict(contract),
        "settings": settings,
        "metrics": metrics.to_dict(),
        "lasting_errors": lasting.to_dict() if lasting else None,
    }
    write_report(path, SCHEMA, provenance, content)


def stream_tables(metrics: StreamMetrics, lasting: LastingErrors | None) -> Group:
    return Group(_activities(metrics), _figures(metrics), *([_errors(lasting)] if lasting else []))


def _activities(metrics: StreamMetrics) -> Table:
    rows = Table(title="Activities, as events in a stream")
    rows.add_column("activity")
    for column in ("true", "found", "false events", "latency p50"):
        rows.add_column(column, justify="right")
    for each in metrics.activities:
        # Text, because rich would read an activity called "[red]" as markup.
        rows.add_row(
            Text(each.activity), str(each.true), str(each.found), str(each.false_events), seconds(each.latency_p50)
        )
    return rows


def number_of_streams(metrics: StreamMetrics) -> str:
    return "1 stream" if metrics.streams == 1 else f"{metrics.streams} streams"


def _errors(lasting: LastingErrors) -> Table:
    rows = Table(box=None, show_header=False)
    rows.add_column(justify="right")
    for figure, meaning in (
        (str(lasting.wrong), f"of {lasting.windows} windows one span apart are wrong, in {lasting.runs} runs"),
        (seconds(lasting.run_p50), "or less, for half of the runs of wrong windows within an activity"),
        (seconds(lasting.run_p90), "or less, for 90 % of the runs"),
        (seconds(lasting.run_longest), "for the longest run"),
        (percent(lasting.share_in_long_runs), f"of the wrong windows are in runs of {LONG:g} s and more"),
        (percent(lasting.share_in_cut_runs), "of the wrong windows are in runs that only the activity's end stops"),
        (decimal(lasting.lasting), "of the windows repeat the look (lasting), if looks are renewed each 60 s"),
    ):
        rows.add_row(figure, meaning)
    return rows


def _figures(metrics: StreamMetrics) -> Table:
    rows = Table(box=None, show_header=False)
    rows.add_column(justify="right")
    minutes, background = metrics.seconds / 60, metrics.background_seconds / 60
    found = f"of {metrics.true_activities} activities are found"
    for figure, meaning in (
        (percent(metrics.found), f"{found}, in {number_of_streams(metrics)} of {minutes:.0f} minutes together"),
        (seconds(metrics.latency_p50), "or less from the true start to its report, for half of the found activities"),
        (seconds(metrics.latency_p95), "or less, for 95 % of the found activities"),
        (percent(metrics.late), "of the found activities are reported only after their end"),
        (decimal(metrics.pieces, 2), "events per activity that is found"),
        (
            decimal(metrics.false_events_per_hour, 2),
            f"false events per hour: {metrics.false_events} of {metrics.events}",
        ),
        (
            decimal(metrics.background_false_events_per_10_minutes, 2),
            f"false events per 10 minutes of background: {metrics.background_false_events} in {background:.0f} minutes",
        ),
        (percent(metrics.f1_10), "segmental F1@10"),
        (percent(metrics.f1_25), "segmental F1@25"),
        (percent(metrics.f1_50), "segmental F1@50"),
        (percent(metrics.edit), "edit score"),
        (percent(metrics.time_right), "of the time right"),
    ):
        rows.add_row(figure, meaning)
    return rows
