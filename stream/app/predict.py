"""`harstream predict`: recognizes activities in video files."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from harstream.stream.app.common_options import (
    ConfigOption,
    DeviceOption,
    EventsOption,
    ModelOption,
    RecordOption,
    read_config,
)
from harstream.stream.app.terminal import console, one_line_errors
from harstream.stream.config.file import with_overrides
from harstream.stream.config.json_schema import KeyPath
from harstream.stream.service.log import print_error
from harstream.wire.errors import ConfigError, SourceError

if TYPE_CHECKING:
    from harstream.stream.app.predict_files import FileActivities


def predict(
    videos: Annotated[list[Path], typer.Argument(help="Video files.")],
    model: ModelOption = None,
    config: ConfigOption = None,
    events: EventsOption = None,
    record: RecordOption = None,
    device: DeviceOption = None,
    start_time: Annotated[
        str | None,
        typer.Option(
            help='Time of the first frame: "2026-11-20 14:05:09" (local time) or 2026-11-20T13:05:09Z. Default: '
            "from the file's name or metadata; without either, 1970-01-01T00:00:00Z."
        ),
    ] = None,
) -> None:
    """Recognize activities in video files as fast as possible.

    The table counts seconds from a file's first frame. The same file always gives the same events. A file that cannot
    be read, or breaks in the middle, is reported at the end, and the exit code is then 4.
    """
    with one_line_errors():
        from harstream.stream.app.predict_files import predict_files

        asked = {key: one for key, one in (("model", model), ("device", device)) if one is not None}
        options: dict[KeyPath, tuple[str, object]] = {(key,): (f"--{key}", one) for key, one in asked.items()}
        settings = with_overrides(read_config(config), asked, options=options)
        problems: list[SourceError] = []
        table = Table("file", "activity", "start", "end", "seconds", "confidence", box=None, pad_edge=False)
        try:
            for found in predict_files(
                settings, videos, Console(stderr=True), events=events, record=record, start_time=_date(start_time)
            ):
                _add_rows(table, found)
                problems += [found.problem] if found.problem else []
        finally:  # even if a later video cannot be written
            if table.row_count:
                console.print(table)
        for problem in problems[:-1]:
            print_error(f"harstream: {problem}")
        if problems:
            raise problems[-1]


def _date(text: str | None) -> datetime | None:
    try:
        return None if text is None else datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConfigError(
            f'--start-time: expected "2026-11-20 14:05:09" (local time) or 2026-11-20T13:05:09Z, got {text!r}'
        ) from error


def _add_rows(table: Table, found: FileActivities) -> None:
    name, start = found.video.name, found.start
    for event in found.ended:
        assert event.ended_at is not None
        table.add_row(
            name, event.activity, f"{event.started_at - start:.1f}", f"{event.ended_at - start:.1f}",
            f"{event.ended_at - event.started_at:.1f}", f"{event.confidence.mean:.2f}",
        )  # fmt: skip
    if not found.ended and not found.problem:
        table.add_row(name, "nothing recognized", "", "", "", "", style="dim")
