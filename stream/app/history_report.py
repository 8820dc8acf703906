"""The work of `harstream history`: reads the history and writes it, oldest first."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Literal, TypeVar

from rich.console import Console
from rich.table import Table

from harstream.stream.history import formats
from harstream.stream.history.store import Query, activities, names, reading
from harstream.stream.history.store import changes as changes_in
from harstream.wire.did_you_mean import closest_word
from harstream.wire.errors import ConfigError, SinkError

Style = Literal["table", "csv", "json", "casas"]
Entry = TypeVar("Entry")
WIDE = 200
"""Width in characters of a table that is not printed on a terminal."""
LONGEST_TABLE = 100
"""Default limit of rows in a table. Formats for programs have no default limit."""


def report(file: Path, query: Query, style: Style, out: Path | None, *, changes: bool = False) -> None:
    """Write the result of the query to `out` or to standard output.

    Raises ConfigError if there is no history, and SinkError if the history or `out` is not accessible.
    """
    if style == "table" and query.limit is None:
        query = replace(query, limit=LONGEST_TABLE)
    found = _changes(file, query, style) if changes else _activities(file, query, style)
    if out is None:
        _write(found, sys.stdout)
        return
    try:
        with out.open("w", encoding="utf-8") as stream:
            _write(found, stream)
    except OSError as error:
        raise SinkError(
            f"expected to write the history to {out}, got: {(error.strerror or str(error)).lower()}"
        ) from error


def _activities(file: Path, query: Query, style: Style) -> Table | Iterable[str]:
    past = _read(file, query, activities)
    if style == "casas":
        return formats.casas_lines(past)
    return _formatted(past, style, formats.table, formats.facts, formats.CSV_COLUMNS)


def _changes(file: Path, query: Query, style: Style) -> Table | Iterable[str]:
    if style == "casas" or query.activity is not None:
        raise ConfigError(
            "--changes prints changes of cameras, not activities: leave out --activity and --format casas"
        )
    changes = _read(file, query, changes_in)
    return _formatted(changes, style, formats.change_table, formats.change_facts, formats.CSV_CHANGE_COLUMNS)


def _read(file: Path, query: Query, search: Callable[[sqlite3.Connection, Query], Iterator[Entry]]) -> list[Entry]:
    """Return what `search` finds, oldest first, and print a hint if it finds nothing."""
    with reading(file) as database:
        found = list(search(database, query))[::-1]
        if not found:
            _hint_at_names(database, query)
    return found


def _formatted(
    entries: list[Entry],
    style: Literal["table", "csv", "json"],
    table: Callable[[Iterable[Entry]], Table],
    facts: Callable[[Entry], dict[str, object]],
    columns: Sequence[str],
) -> Table | Iterable[str]:
    match style:
        case "table":
            return table(entries)
        case "csv":
            return formats.csv_lines(map(facts, entries), columns)
        case "json":
            return formats.json_lines(map(facts, entries))


def _hint_at_names(database: sqlite3.Connection, query: Query) -> None:
    """Print a hint on stderr if the history does not contain a name, because the name may be mistyped."""
    if query.camera is not None:
        _hint_if_unknown("camera", query.camera, names(database, "camera"))
    if query.activity is not None:
        _hint_if_unknown("activity", query.activity, names(database, "activity"))


def _hint_if_unknown(what: str, asked: str, known: list[str]) -> None:
    if asked in known:
        return
    there = f"it has {', '.join(known)}" if known else "it is empty"
    meant = f"; did you mean {like}?" if (like := closest_word(asked, known)) else ""
    note = f"harstream: this history has nothing of {what} {asked!r}; {there}{meant}"
    Console(stderr=True, soft_wrap=True).print(note, style="yellow", markup=False, highlight=False)


def _write(found: Table | Iterable[str], stream: IO[str]) -> None:
    if isinstance(found, Table):
        Console(file=stream, width=None if stream.isatty() else WIDE, highlight=False).print(found)
    else:
        stream.writelines(f"{line}\n" for line in found)
