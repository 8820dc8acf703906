"""The command `harstream tune`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from harstream.clips.listing import ListingError
from harstream.command_line.errors import fail
from harstream.evaluation.clip_selection import ClipSelection, select_clips
from harstream.evaluation.number_format import percent, seconds
from harstream.models.catalogue import ModelNotFound
from harstream.models.contract import ContractError, ModelContract
from harstream.wire.errors import HarstreamError

if TYPE_CHECKING:
    from harstream.evaluation.streams.stream_runner import Watched
    from harstream.evaluation.streams.tuning import Trial
    from harstream.stream.config.model import Config

app = typer.Typer()


@app.command()
def tune(
    model: Annotated[str, typer.Option(help="A shipped model's name, or the path of an exported one.")],
    data: Annotated[
        list[Path], typer.Option(help="A folder of class folders with clips. It may be given several times.")
    ],
    split: Annotated[list[Path], typer.Option(help="A split file (.tsv). It may be given several times.")],
    background: Annotated[
        list[Path] | None, typer.Option(help="A folder of class folders that are none of the activities.")
    ] = None,
    part: Annotated[str, typer.Option(help="The part of the split: train or val, never test.")] = "val",
    allowed: Annotated[float, typer.Option(min=0, help="Most false events per ten minutes of background.")] = 1.0,
) -> None:
    """Choose thresholds and smoothing on streams of labelled clips: find many activities with few false events."""
    from harstream.evaluation.streams.tuning import combinations, try_out
    from harstream.stream.config.effective_tracker_settings import effective_tracker_settings
    from harstream.stream.config.model import Config

    console, config = Console(), Config()
    selection = ClipSelection(tuple(data), tuple(background or ()), tuple(split), part)
    try:
        contract, watched = _watch(model, selection, config, console)
    except HarstreamError as error:
        fail("tune", error, error.exit_code)
    except (ListingError, ModelNotFound, ContractError, OSError) as error:
        fail("tune", error)
    settings = effective_tracker_settings(config, contract)
    before = try_out(watched, contract, settings, config.activities.smoothing)
    trials = [
        try_out(watched, contract, tried, smoothing)
        for tried, smoothing in track(combinations(settings), description="trying", transient=True)
    ]
    _print_results(console, before, trials, allowed)
    console.print(f"measured with view: {config.view_settings(contract).kind}")


def _watch(
    model: str, selection: ClipSelection, config: Config, console: Console
) -> tuple[ModelContract, list[Watched]]:
    """Recognize the streams of the selected clips once. Their scores are then tracked with many settings."""
    from harstream.evaluation.streams.stream_runner import watch_clips
    from harstream.stream.recognition.onnx_runtime import load_engine

    if selection.part == "test":
        raise ListingError("settings are never chosen on test clips: give --part val")
    recognizer = load_engine(model, config.device)
    clips = select_clips(selection, recognizer.contract)
    return recognizer.contract, watch_clips(clips, recognizer, config, console)[0]


def _print_results(console: Console, before: Trial, trials: list[Trial], allowed: float) -> None:
    from harstream.evaluation.streams.tuning import best, pareto_front

    chosen = best(trials, allowed=allowed)
    rows = [("now", before), *([("chosen", chosen)] if chosen else []), *(("", one) for one in pareto_front(trials))]
    console.print(_table(rows))
    if chosen is None:
        console.print(
            f"no settings have at most {allowed:g} false events per ten minutes of background", style="yellow"
        )


def _table(rows: list[tuple[str, Trial]]) -> Table:
    table = Table(title="Settings and their results", box=None, pad_edge=False)  # eleven columns on a narrow terminal
    for column in ("", "start_above", "end_below", "hold", "smoothing", "found", "false per 10 min of background",
                   "false per hour", "F1@25", "latency p50", "latency p95"):  # fmt: skip
        table.add_column(column, justify="right", overflow="fold")
    for name, trial in rows:
        metrics, settings = trial.metrics, trial.settings
        table.add_row(
            name, f"{settings.start_above:g}", f"{settings.end_below:g}", f"{settings.hold:g}", f"{trial.smoothing:g}",
            percent(trial.found), f"{trial.in_background:.2f}", f"{metrics.false_events_per_hour:.1f}",
            percent(metrics.f1_25 or 0.0), seconds(metrics.latency_p50), seconds(metrics.latency_p95),
        )  # fmt: skip
    return table
