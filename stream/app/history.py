"""`harstream history`: prints past activities, or writes them for other programs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from harstream.command_line.options import with_options
from harstream.stream.app.common_options import ConfigOption, read_config
from harstream.stream.app.terminal import one_line_errors
from harstream.stream.history.time_parsing import parse_time
from harstream.wire.errors import ConfigError


@dataclass(frozen=True)
class Filters:
    """The options that select a part of the history."""

    camera: Annotated[str | None, typer.Option(help="Only this camera.")] = None
    activity: Annotated[str | None, typer.Option(help="Only this activity.")] = None
    since: Annotated[str | None, typer.Option(help='Earliest start: 2h (ago), 2026-11-20, "2026-11-20 14:00".')] = None
    until: Annotated[str | None, typer.Option(help="Latest start, exclusive, in the same forms.")] = None
    limit: Annotated[
        int | None, typer.Option(min=1, help="The largest number, newest first. Default: 100 in a table, else all.")
    ] = None


@with_options(filters=Filters)
def history(
    config: ConfigOption = None,
    state: Annotated[Path | None, typer.Option(help="The folder `state`. Default: the configuration's.")] = None,
    changes: Annotated[
        bool, typer.Option("--changes", help="Print the cameras' changes of state instead of activities.")
    ] = False,
    style: Annotated[
        Literal["table", "csv", "json", "casas"],
        typer.Option("--format", help="json: one object per line; casas: the text format of HMM and DBN tools."),
    ] = "table",
    out: Annotated[Path | None, typer.Option(help="Write to this file instead of standard output.")] = None,
    *,
    filters: Mapping[str, Any],
) -> None:
    """Print past activities of `harstream run`, oldest first, even while it runs. `predict` stores no history."""
    with one_line_errors():
        from harstream.stream.app.history_report import report
        from harstream.stream.history.store import FILE, Query

        wanted = Filters(**filters)
        query = Query(
            wanted.camera,
            wanted.activity,
            _seconds("--since", wanted.since),
            _seconds("--until", wanted.until),
            wanted.limit,
        )
        folder = state or read_config(config, keys=("state",)).state  # the other keys may hold secrets
        report(folder / FILE, query, style, out, changes=changes)


def _seconds(option: str, text: str | None) -> float | None:
    try:
        return None if text is None else parse_time(text, time.time())
    except ValueError as error:
        raise ConfigError(f"{option}: {error}") from error
