"""Formats the history as a table, CSV, JSON lines or the text format of CASAS."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic import BaseModel
from rich.table import Table
from rich.text import Text

from harstream.stream.history.store import PastActivity
from harstream.wire.messages.event import EventFacts
from harstream.wire.messages.message import Part
from harstream.wire.readable import colour
from harstream.wire.timestamps import timestamp
from harstream.wire.values import CameraChange, Event


class PastModel(Part):
    """The model that recognized the activity."""

    name: str
    version: str


class PastEvent(EventFacts):
    """An activity of the history. `ended_at` is null while it lasts, or after a kill until the next start."""

    model: PastModel
    historical: bool


def _columns(part: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in part.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _columns(field.annotation, f"{prefix}{name}_")
        else:
            yield prefix + name


CSV_COLUMNS = (*(column for column in _columns(PastEvent) if column != "person"), "person")
"""The person is the last one, because there were files before anybody was followed, and readers that count columns."""
CSV_CHANGE_COLUMNS = ("time", "camera", "state", "reason")


def facts(past: PastActivity) -> dict[str, object]:
    """Return an activity's row for JSON and CSV: the facts of its last event, and the model."""
    event = PastEvent(
        **dict(EventFacts.from_event(past.event, past.area)),
        model=PastModel(name=past.model, version=past.model_version),
        historical=past.event.historical,
    )
    return dict.fromkeys(PastEvent.model_fields) | event.model_dump(mode="json")


def change_facts(change: CameraChange) -> dict[str, object]:
    return {
        "time": timestamp(change.time),
        "camera": change.camera,
        "state": change.state.value,
        "reason": change.reason or None,
    }


def json_lines(rows: Iterable[Mapping[str, object]]) -> Iterator[str]:
    return (json.dumps(row, ensure_ascii=False) for row in rows)


def csv_lines(rows: Iterable[Mapping[str, object]], columns: Sequence[str]) -> Iterator[str]:
    """Yield a header, then one line per row. Nested keys are joined with `_`; null is an empty field."""
    line = io.StringIO()
    writer = csv.DictWriter(line, columns, lineterminator="")
    writer.writeheader()
    yield line.getvalue()
    for row in rows:
        line.seek(0)
        line.truncate()
        writer.writerow(_flat(row))
        yield line.getvalue()


def casas_lines(past: Iterable[PastActivity]) -> list[str]:
    """Return two lines per activity, in the order of time. `past` must be in the order of starts.

        2026-11-20 07:08:01.120000 hall ON JumpingJack begin
        2026-11-20 07:08:09.520000 hall OFF JumpingJack end

    The camera is the sensor. Times are local, as in CASAS, because such tools learn the time of day of an activity.
    An open activity ends at its last update, because the tools expect an end for each begin. Where several people do
    the same in front of a camera, it begins with the first and ends with the last of them. If several cameras see the
    same person, export one camera at a time.

    Source: the annotated data sets of CASAS, such as Aruba (`2010-11-04 00:03:50.209589 M003 ON Sleeping begin`), of
    D. Cook, "Learning setting-generalized activity models for smart spaces", IEEE Intelligent Systems 27(1), 2012.
    """
    lines: list[tuple[float, str]] = []
    for camera, activity, start, end in _joined(one.event for one in past):
        lines.append((start, f"{_casas_time(start)} {camera} ON {activity} begin"))
        lines.append((end, f"{_casas_time(end)} {camera} OFF {activity} end"))
    # The sort is stable. At equal times, an activity's end stays after its begin and in front of the next begin.
    return [line for _, line in sorted(lines, key=lambda line: line[0])]


class _Stretch(NamedTuple):
    camera: str
    activity: str
    start: float
    end: float


def _joined(events: Iterable[Event]) -> Iterable[_Stretch]:
    """Join the overlapping events of one activity in front of one camera. `events`: in the order of starts."""
    joined: list[_Stretch] = []
    last: dict[tuple[str, str], int] = {}
    for event in events:
        activity = "_".join(event.activity.split())
        stretch = _Stretch(event.camera, activity, event.started_at, event.until)
        index = last.get((event.camera, activity))
        if index is not None and stretch.start < joined[index].end:
            joined[index] = joined[index]._replace(end=max(joined[index].end, stretch.end))
            continue
        last[event.camera, activity] = len(joined)
        joined.append(stretch)
    return joined


def table(past: Iterable[PastActivity]) -> Table:
    """Return a table for the terminal, with local times."""
    events = [one.event for one in past]
    who = ["person"] if any(event.person for event in events) else []
    shown = _table("day", "time", "camera", *who, "activity", "lasted", "confidence", "")
    for event in events:
        ending = event.end_reason.value.replace("_", " ") if event.end_reason else "still open"
        shown.add_row(
            *_local(event.started_at), Text(event.camera), *(str(event.person or "") for _ in who),
            Text(event.activity, style=colour(event.activity)),
            f"{event.until - event.started_at:.1f} s", f"{event.confidence.mean:.0%}",
            Text(f"{ending}, reported late" if event.historical else ending, style="dim"),
        )  # fmt: skip
    if not shown.row_count:
        shown.add_row(Text("nothing recognized", style="dim"))
    return shown


def change_table(changes: Iterable[CameraChange]) -> Table:
    shown = _table("day", "time", "camera", "state", "")
    for change in changes:
        shown.add_row(*_local(change.time), Text(change.camera), change.state.value, Text(change.reason, style="dim"))
    return shown


def _table(*columns: str) -> Table:
    shown = Table(box=None, pad_edge=False)
    for column in columns:
        shown.add_column(column, no_wrap=True, justify="right" if column in ("lasted", "confidence") else "left")
    return shown


def _local(time: float) -> tuple[str, str]:
    moment = datetime.fromtimestamp(time)
    return f"{moment:%Y-%m-%d}", f"{moment:%H:%M:%S}"


def _casas_time(time: float) -> str:
    return f"{datetime.fromtimestamp(time):%Y-%m-%d %H:%M:%S.%f}"


def _flat(row: Mapping[str, object]) -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            flat |= {f"{key}_{inner}": item for inner, item in value.items()}
        else:
            flat[key] = str(value).lower() if isinstance(value, bool) else value
    return flat
