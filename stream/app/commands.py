"""`harstream run`, `predict`, `listen`, `cameras`, `history` and `doctor`: the only place that chooses classes."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harstream.stream.config.file import load_config, overridden
from harstream.stream.config.model import Config, Surroundings
from harstream.stream.service.log import Style, complain, log_to_stderr
from harstream.stream.sources.address import parse_source
from harstream.wire.errors import ConfigError, ConfigFileError, HarstreamError, SourceError

if TYPE_CHECKING:
    from harstream.stream.app.predict import Replayed

DEFAULT_CONFIG = Path("config.yaml")
console = Console(highlight=False, soft_wrap=True)
log = logging.getLogger(__name__)


def run(
    config: Annotated[Path | None, typer.Option(help="The configuration; ./config.yaml where there is one.")] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(help="A webcam's index, rtsp://..., a file, or scene; may be given several times."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="A shipped model, such as flow_tcn, or the path of an exported one.")
    ] = None,
    broker: Annotated[str | None, typer.Option(help="mqtt://host:port; without one, our own is started.")] = None,
    events: Annotated[Path | None, typer.Option(help="Append events to this file as JSON lines.")] = None,
    record: Annotated[Path | None, typer.Option(help="Write the annotated video to this file (.mp4).")] = None,
    display: Annotated[bool | None, typer.Option("--display", help="Open a window on this machine's screen.")] = None,
    no_web: Annotated[bool, typer.Option("--no-web", help="No live view.")] = False,
    port: Annotated[int | None, typer.Option(help="Port of the live view, which it turns on.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.")] = None,
    log_style: Annotated[
        Style | None, typer.Option("--log", help="json: one object a line, for a log store, and nothing else.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log more.")] = False,
) -> None:
    """Watch cameras and publish what people do, until the material ends or Ctrl-C."""
    if config is None and DEFAULT_CONFIG.exists():
        config = DEFAULT_CONFIG  # decided once: a reload that misses it must not take the defaults for it
    asked = {
        "model": model, "events": events, "record": record, "display": display, "device": device, "log": log_style,
    }  # fmt: skip

    def read() -> Config:
        settings = _settings(config, surroundings(model, has_sources=bool(source)))
        changes: dict[str, Any] = {key: value for key, value in asked.items() if value is not None}
        if source:
            names = [_camera_name(text, index) for index, text in enumerate(source)]
            changes["cameras"] = [{"name": name, "source": text} for name, text in zip(names, source, strict=True)]
        if broker:
            changes["mqtt"] = settings.mqtt.model_dump() | {"broker": broker}
        if no_web or port is not None:
            changes["web"] = (
                settings.web.model_dump() | {"enabled": not no_web} | ({} if port is None else {"port": port})
            )
        return overridden(settings, changes)

    with one_line_errors():
        log_to_stderr(log_style or "text", verbose=verbose)
        try:
            settings = read()
        except ConfigFileError as error:
            if log_style is None and error.log == "json":
                log_to_stderr("json", verbose=verbose)
            raise
        from harstream.stream.app.run import assemble
        from harstream.stream.service.service import reloaded_by_signal
        from harstream.stream.sinks.systemd import Systemd

        before, begins_anew = None, True
        # In the moments between two services a signal to reload has nobody to ask, and must not end the process.
        with reloaded_by_signal(lambda: None):
            while begins_anew:
                log_to_stderr(settings.log, verbose=verbose)
                with ExitStack() as stack:
                    try:
                        systemd = Systemd(os.environ.get("NOTIFY_SOCKET", ""))
                        run_service = assemble(settings, stack, console, read, systemd, is_first=before is None)
                    except HarstreamError as error:
                        if before is None or before == settings:
                            raise
                        log.error("config not taken, going back to the one before: %s", error)
                        settings = before
                        continue
                    begins_anew = run_service()
                before, settings = settings, read() if begins_anew else settings


def predict(
    videos: Annotated[list[Path], typer.Argument(help="Video files.")],
    model: Annotated[
        str | None, typer.Option(help="A shipped model, such as flow_tcn, or the path of an exported one.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="The configuration; ./config.yaml where there is one.")] = None,
    events: Annotated[Path | None, typer.Option(help="Append events to this file as JSON lines.")] = None,
    record: Annotated[Path | None, typer.Option(help="Write the annotated video to this file (.mp4).")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.")] = None,
    start_time: Annotated[
        str | None,
        typer.Option(
            help='When the first frame was taken: "2026-11-20 14:05:09" (local time) or 2026-11-20T13:05:09Z. Without '
            "it, the file's name or metadata is read, and where neither says it, 1970-01-01T00:00:00Z is taken."
        ),
    ] = None,
) -> None:
    """Recognize activities in video files as fast as it goes. The table counts seconds from a file's first frame. A
    file that is replayed gives the same events."""
    with one_line_errors():
        from harstream.stream.app.predict import replay

        asked = {"model": model, "device": device}
        settings = overridden(_settings(config), {key: value for key, value in asked.items() if value is not None})
        table = Table("file", "activity", "start", "end", "seconds", "confidence", box=None, pad_edge=False)
        try:
            for replayed in replay(
                settings, videos, Console(stderr=True), events=events, record=record, start_time=_date(start_time)
            ):
                _add_rows(table, replayed)
        finally:  # of the videos before one that cannot be read, too
            if table.row_count:
                console.print(table)


def listen(
    config: Annotated[Path | None, typer.Option(help="The configuration; ./config.yaml where there is one.")] = None,
    broker: Annotated[
        str | None, typer.Option(help="mqtt://[user:password@]host[:port], in place of the configuration's.")
    ] = None,
    node: Annotated[str, typer.Option(help="Only this node.")] = "+",
    observations: Annotated[bool, typer.Option("--observations", help="Each recognition, too.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="The events' JSON, one a line.")] = False,
) -> None:
    """Print what arrives from the broker, coloured by activity, until Ctrl-C."""
    with one_line_errors():
        from harstream.stream.app.listen import listen as listen_to
        from harstream.stream.service.service import stopped_by_signals

        url = broker or _settings(config, keys=("mqtt",)).mqtt.url
        stop = threading.Event()
        with stopped_by_signals(stop.set):  # a KeyboardInterrupt may be raised where Python can only ignore it
            listen_to(url, node=node, observations=observations, raw=raw, stop=stop)


def cameras(
    sources: Annotated[list[str] | None, typer.Argument(help="Like run's --source: rtsp://..., for instance.")] = None,
    config: Annotated[Path | None, typer.Option(help="Try the cameras of this configuration.")] = None,
) -> None:
    """Find webcams and try cameras: say what each gives (codec, size, rate), or what is wrong and what to do. Exit code
    4 when one that was named gives no pictures."""
    with one_line_errors():
        named = [(camera.name, camera.source) for camera in load_config(config).cameras] if config else []
        named += [("", text) for text in sources or ()]
        from harstream.stream.sources.probe import Seen, tried

        all_tried = []
        for one in tried([(name, parse_source(text)) for name, text in named]):
            all_tried.append(one)
            state = "[green]ok[/]    " if isinstance(one.result, Seen) else "[red]failed[/]"
            console.print(f"{state}  {escape(str(one))}")
        if not all_tried:
            console.print("no webcam found; try a network camera: harstream cameras rtsp://user:password@host/path")
        if not all(isinstance(one.result, Seen) for one in all_tried):
            raise typer.Exit(SourceError.exit_code)


def history(
    config: Annotated[Path | None, typer.Option(help="The configuration; ./config.yaml where there is one.")] = None,
    state: Annotated[Path | None, typer.Option(help="The folder `state` of the configuration, in its place.")] = None,
    camera: Annotated[str | None, typer.Option(help="Only this camera.")] = None,
    activity: Annotated[str | None, typer.Option(help="Only this activity.")] = None,
    since: Annotated[
        str | None, typer.Option(help='Started then or later: 2h (ago), 2026-11-20, "2026-11-20 14:00".')
    ] = None,
    until: Annotated[str | None, typer.Option(help="Started before then.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="The newest so many; 100 in a table, else all.")] = None,
    changes: Annotated[
        bool, typer.Option("--changes", help="When cameras came and went, in place of activities.")
    ] = False,
    style: Annotated[
        Literal["table", "csv", "json", "casas"],
        typer.Option("--format", help="json: one object a line; casas: the text that HMM and DBN tools read."),
    ] = "table",
    out: Annotated[Path | None, typer.Option(help="Write to this file.")] = None,
) -> None:
    """Say what was recognized, oldest first, also while `harstream run` goes on. What `predict` finds is not kept."""
    with one_line_errors():
        from harstream.stream.app.history import recount
        from harstream.stream.history.store import FILE, Query

        query = Query(camera, activity, _moment("--since", since), _moment("--until", until), limit)
        folder = state or _settings(config, keys=("state",)).state  # nobody's password is needed for it
        recount(folder / FILE, query, style, out, changes=changes)


def doctor(
    config: Annotated[Path | None, typer.Option(help="The configuration; ./config.yaml where there is one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For a machine.")] = False,
) -> None:
    """Say what this machine has (accelerator really used, cameras, broker, screen, versions), and what to do about what
    it lacks. Exit code 0 when `harstream run` could work with the configuration, 1 otherwise."""
    with one_line_errors():
        from harstream.stream.app.doctor import examine

        findings = examine(_settings(config))
        if as_json:
            console.print_json(json.dumps([vars(finding) for finding in findings]))
        else:
            table = Table(box=None, pad_edge=False, show_header=False)
            for finding in findings:
                bad = "[red]lacks[/]" if finding.is_needed else "[yellow]none[/]"
                advice = "" if finding.is_fine else finding.advice
                table.add_row("[green]ok[/]" if finding.is_fine else bad, finding.what, finding.found, advice)
            console.print(table)
        raise typer.Exit(0 if all(finding.is_fine or not finding.is_needed for finding in findings) else 1)


def _moment(option: str, text: str | None) -> float | None:
    from harstream.stream.history.time_parsing import moment

    try:
        return None if text is None else moment(text, time.time())
    except ValueError as error:
        raise ConfigError(f"{option}: {error}") from error


def _date(text: str | None) -> datetime | None:
    try:
        return None if text is None else datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConfigError(
            f'--start-time: expected "2026-11-20 14:05:09" (local time) or 2026-11-20T13:05:09Z, got {text!r}'
        ) from error


def _add_rows(table: Table, replayed: Replayed) -> None:
    name, start = replayed.video.name, replayed.start
    for event in replayed.ended:
        assert event.ended_at is not None
        table.add_row(
            name, event.activity, f"{event.started_at - start:.1f}", f"{event.ended_at - start:.1f}",
            f"{event.ended_at - event.started_at:.1f}", f"{event.confidence.mean:.2f}",
        )  # fmt: skip
    if not replayed.ended:
        table.add_row(name, "nothing recognized", "", "", "", "", style="dim")


def surroundings(model: str | None = None, *, has_sources: bool = False) -> Surroundings:
    """What config.yaml must fit for `run`: the model, and the files it names; the options' are theirs to answer for."""
    from harstream.stream.recognition import onnx_runtime as engine

    must_exist = {key for key, is_given in (("model", model), ("cameras", has_sources)) if not is_given}
    return Surroundings(cache(lambda name: engine.load(name, "cpu").contract), frozenset(must_exist), model or "")


def _settings(file: Path | None, fitting: Surroundings | None = None, *, keys: Collection[str] | None = None) -> Config:
    if file is None and not DEFAULT_CONFIG.exists():
        return Config()
    return load_config(file or DEFAULT_CONFIG, fitting, keys=keys)


def _camera_name(source: str, index: int) -> str:
    kind = "scene" if source.startswith("scene") else "camera" if source.isdecimal() or "://" in source else "file"
    return f"{kind}{index + 1}" if index else kind


@contextmanager
def one_line_errors() -> Iterator[None]:
    """One clear line on stderr in place of a traceback, and the exit code of the error's kind."""
    # OpenCV prints pages of its own about a camera or file that it cannot open. It looks here when it is imported.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        yield
    except HarstreamError as error:
        # A mistake in a file begins with its place, as compilers do, so that editors and terminals can go there.
        said = str(error) if isinstance(error, ConfigFileError) else f"harstream: {error}"
        complain(said)
        raise typer.Exit(error.exit_code) from None
