"""The command `harstream evaluate`."""

from __future__ import annotations

import csv
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from harstream.clips.listing import Clip, ListingError
from harstream.command_line.errors import fail
from harstream.command_line.options import with_options
from harstream.evaluation.clip_selection import ClipSelection, select_clips
from harstream.models.catalogue import HISTORY, NOT_VALIDATED, ModelNotFound, find_model
from harstream.models.contract import ContractError
from harstream.stream.recognition.views.settings import ViewKind
from harstream.wire.errors import HarstreamError

if TYPE_CHECKING:
    from harstream.evaluation.clip_runner import Skipped
    from harstream.evaluation.corruptions.measure import KindFigures
    from harstream.evaluation.labelled_scores import LabelledScores
    from harstream.stream.recognition.protocols import Engine, Recognizer

app = typer.Typer()


@app.command()
@with_options(clips=ClipSelection)
def evaluate(
    model: Annotated[
        list[str],
        typer.Option(
            help="A shipped model's name, or the path of an exported one. Several models are compared in a table."
        ),
    ],
    stream: Annotated[
        bool, typer.Option("--stream", help="Join the clips to long streams and measure the events of `run`.")
    ] = False,
    config: Annotated[
        Path | None, typer.Option(help="The configuration for --stream. Without it, the defaults apply.")
    ] = None,
    corruptions: Annotated[
        bool,
        typer.Option(
            "--corruptions",
            help="Measure what the model loses where the person is small, the camera shakes, it is dark, or another "
            "person is in view.",
        ),
    ] = False,
    view: Annotated[
        ViewKind | None,
        typer.Option(
            help="What the model sees: picture, motion or person. Default: that of --config, or what the model was "
            "made for."
        ),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write the report to this file, one HTML page without other files.")
    ] = None,
    *,
    clips: Mapping[str, Any],
) -> None:
    """Measure an exported model on labelled clips, with the window and the engine of `run`.

    With --stream, measure its events, with the whole pipeline of `run`.
    """
    selection = ClipSelection(**clips)
    if corruptions and (stream or html or len(model) > 1):
        fail("evaluate", "--corruptions is for clips and one model: leave out --stream, --html and other models")
    if mistake := _mistake_in_options(model, selection, stream=stream, has_config=bool(config), has_html=bool(html)):
        fail("evaluate", mistake)
    for option, file in (("--json", json), ("--html", html)):
        if file is not None and (why := _why_not_writable(file)):
            fail("evaluate", f"{option}: cannot write {file}: {why}")
    try:
        if stream:
            _evaluate_streams(model[0], selection, config, view, json)
        elif corruptions:
            _evaluate_corruptions(model[0], selection, view, json)
        elif len(model) > 1:
            _compare_models(model, selection, view, json)
        else:
            _evaluate_clips(model[0], selection, view, json, html)
    except HarstreamError as error:
        fail("evaluate", error, error.exit_code)
    except (ListingError, ModelNotFound, ContractError, OSError) as error:
        fail("evaluate", error)


def _mistake_in_options(
    models: Sequence[str], selection: ClipSelection, *, stream: bool, has_config: bool, has_html: bool
) -> str | None:
    """Return what is wrong with the combination of options, or None."""
    if stream and has_html:
        return "--html is for clips: leave out --html or --stream"
    if len(models) > 1 and (stream or has_html):
        return "several models are compared in a table, on clips: give one --model, or leave out --stream and --html"
    if has_config and not stream:
        return "--config is for --stream: clips are recognized without smoothing and tracker"
    if not selection.data and not selection.background:
        return "expected clips, got none: give --data, --background or both"
    return None


def _why_not_writable(file: Path) -> str | None:
    """Return why a report cannot be written, before the evaluation takes its time. None if it can."""
    if file.is_dir():
        return "it is a folder"
    if not file.parent.is_dir():
        return f"there is no folder {file.parent}"
    return None if os.access(file.parent, os.W_OK) else f"the folder {file.parent} is not writable"


def _evaluate_clips(
    model: str, selection: ClipSelection, view: ViewKind | None, json: Path | None, html: Path | None
) -> None:
    from harstream.evaluation.clip_runner import predictions
    from harstream.evaluation.compute_metrics import compute_metrics
    from harstream.evaluation.lasting_errors import lasting_in_clips
    from harstream.evaluation.report import table, write_html, write_json
    from harstream.stream.recognition.onnx_runtime import open_model

    console = Console()
    recognizer = open_model(find_model(model))
    contract = recognizer.contract
    clips = select_clips(selection, contract)
    shown = view or contract.view
    found, skipped = predictions(clips, recognizer, view=shown)
    metrics = compute_metrics(found, unknown_threshold=contract.unknown_threshold)
    console.print(table(metrics))
    console.print(f"measured with view: {shown}")
    _report_skipped(skipped, clips, console)
    places = _in_another_place(clips, recognizer, shown, found, console)
    provenance = {**_provenance(recognizer, clips, skipped, f"{len(found.truth)} windows"), "view": shown}
    if json:
        write_json(json, metrics, lasting_in_clips(found, contract), contract, provenance, places)
    if html:
        history = _history(recognizer.files.folder)
        write_html(html, f"{contract.name} {contract.version}", metrics, contract, provenance, history)


def _in_another_place(
    clips: Sequence[Clip], recognizer: Recognizer, view: ViewKind, found: LabelledScores, console: Console
) -> list[KindFigures]:
    """Measure and show what another place changes, for a model that sees the place. Else return nothing."""
    from harstream.evaluation.another_place import ANOTHER_PLACE, predictions_elsewhere, sees_place
    from harstream.evaluation.corruptions.measure import CLEAN, kind_figures
    from harstream.evaluation.corruptions.report import corruption_table

    contract = recognizer.contract
    if not sees_place(contract):
        return []
    try:
        elsewhere = predictions_elsewhere(clips, recognizer, view)
    except ListingError as error:
        console.print(f"not measured in another place: {error}", style="yellow", markup=False)
        return []
    threshold = contract.unknown_threshold
    figures = [kind_figures(kind, scores, threshold) for kind, scores in ((CLEAN, found), (ANOTHER_PLACE, elsewhere))]
    console.print(corruption_table(f"{contract.name} {contract.version}", view, figures, threshold))
    return figures


def _evaluate_corruptions(model: str, selection: ClipSelection, view: ViewKind | None, json: Path | None) -> None:
    from harstream.evaluation.corruptions.measure import measure_corruptions
    from harstream.evaluation.corruptions.report import corruption_table, write_corruptions
    from harstream.stream.recognition.onnx_runtime import open_model

    console = Console()
    recognizer = open_model(find_model(model))
    contract = recognizer.contract
    clips = select_clips(selection, contract)
    shown = view or contract.view
    figures, skipped = measure_corruptions(clips, recognizer, shown)
    console.print(corruption_table(f"{contract.name} {contract.version}", shown, figures, contract.unknown_threshold))
    _report_skipped(skipped, clips, console)
    if json:
        provenance = _provenance(recognizer, clips, skipped, f"each as it is and changed in {len(figures) - 1} ways")
        write_corruptions(json, figures, contract.unknown_threshold, {**provenance, "view": shown})


def _compare_models(models: Sequence[str], selection: ClipSelection, view: ViewKind | None, json: Path | None) -> None:
    from harstream.evaluation.clip_runner import predictions
    from harstream.evaluation.comparison import ComparedModel, model_table, write_comparison
    from harstream.evaluation.compute_metrics import compute_metrics
    from harstream.evaluation.timing import milliseconds_per_window
    from harstream.stream.recognition.onnx_runtime import open_model

    console = Console()
    recognizers = [open_model(find_model(model)) for model in models]
    chosen = [select_clips(selection, recognizer.contract) for recognizer in recognizers]
    times = milliseconds_per_window(recognizers)
    compared = []
    for model, recognizer, clips, milliseconds in zip(models, recognizers, chosen, times, strict=True):
        shown = view or recognizer.contract.view
        found, skipped = predictions(clips, recognizer, view=shown)
        metrics = compute_metrics(found, unknown_threshold=recognizer.contract.unknown_threshold).to_dict()
        files = recognizer.files
        compared.append(
            ComparedModel(model, files.sha256(), recognizer.provider, files.size, milliseconds, shown, metrics)
        )
    console.print(model_table(compared))
    _report_skipped(skipped, clips, console)
    if json:
        provenance = _origin(clips, skipped, f"{len(found.truth)} windows")
        write_comparison(json, compared, provenance)


def _evaluate_streams(
    model: str, selection: ClipSelection, config: Path | None, view: ViewKind | None, json: Path | None
) -> None:
    from harstream.evaluation.streams.joined_clips import SEED
    from harstream.evaluation.streams.lasting_in_streams import lasting_in_streams
    from harstream.evaluation.streams.stream_metrics import measure_streams
    from harstream.evaluation.streams.stream_report import number_of_streams, stream_tables, write_stream_json
    from harstream.evaluation.streams.stream_runner import outcome, watch_clips
    from harstream.stream.config.effective_tracker_settings import effective_tracker_settings
    from harstream.stream.config.file import load_config
    from harstream.stream.config.model import Config
    from harstream.stream.recognition.onnx_runtime import load_engine

    console = Console()
    settings = load_config(config) if config else Config()
    settings = settings.model_copy(update={"view": view}) if view else settings
    recognizer = load_engine(model, settings.device)
    contract = recognizer.contract
    clips = select_clips(selection, contract)
    watched, skipped = watch_clips(clips, recognizer, settings, console)
    metrics = measure_streams([outcome(each.truth, each.events) for each in watched])
    lasting = lasting_in_streams(watched, contract)
    console.print(stream_tables(metrics, lasting))
    shown = settings.view_settings(contract).kind
    console.print(f"measured with view: {shown}")
    _report_skipped(skipped, clips, console)
    if json:
        joined = f"{number_of_streams(metrics)} of {metrics.seconds:.0f} s together, joined with seed {SEED}"
        tracker = asdict(effective_tracker_settings(settings, contract))
        used = {"view": shown, "stride": settings.stride, "smoothing": settings.activities.smoothing, **tracker}
        write_stream_json(json, metrics, lasting, contract, used, _provenance(recognizer, clips, skipped, joined))


def _report_skipped(skipped: Sequence[Skipped], clips: Sequence[Clip], console: Console) -> None:
    for clip in skipped:
        console.print(f"left out {clip.clip.path}: {clip.reason}", style="yellow", markup=False)
    if skipped:
        console.print(f"{len(skipped)} of {len(clips)} clips left out", style="yellow")


def _provenance(recognizer: Engine, clips: Sequence[Clip], skipped: Sequence[Skipped], extent: str) -> dict[str, str]:
    return {
        **_origin(clips, skipped, extent),
        "runs on": recognizer.provider,
        "model sha256": recognizer.files.sha256(),
    }


def _origin(clips: Sequence[Clip], skipped: Sequence[Skipped], extent: str) -> dict[str, str]:
    return {
        "command": shlex.join(["harstream", *sys.argv[1:]]),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "clips": f"{len(clips) - len(skipped)} of {len(clips)}, {extent}",
        "left out": f"{len(skipped)} clips that are too short or unreadable",
    }


def _history(folder: Path) -> list[dict[str, float]] | None:
    file = folder / HISTORY
    if not file.exists():
        return None
    with file.open(newline="") as lines:
        rows = [*csv.DictReader(lines)]
    return [{key: float(value) for key, value in row.items() if value != NOT_VALIDATED} for row in rows]
