"""What was kept, written for people and programs: a table, CSV, JSON lines, and the text format of CASAS."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from rich.table import Table
from rich.text import Text

from harstream.stream.history.store import PastActivity
from harstream.wire.encoding import timestamp
from harstream.wire.readable import colour
from harstream.wire.values import CameraChange, Event

CSV_COLUMNS = (
    "id", "seq", "event_type", "camera", "area", "activity", "confidence_mean", "confidence_peak", "confidence_last",
    "started_at", "updated_at", "ended_at", "duration_s", "end_reason", "model_name", "model_version", "historical",
)  # fmt: skip
CSV_CHANGE_COLUMNS = ("time", "camera", "state", "reason")


def facts(past: PastActivity) -> dict[str, object]:
    """The keys of the wire's event that say something afterwards. `ended_at` is None while it goes on, and a kill may
    have left it so until the next start."""
    event = past.event
    scores = {"mean": event.confidence.mean, "peak": event.confidence.peak, "last": event.confidence.last}
    return {
        "id": event.id,
        "seq": event.seq,
        "event_type": event.type.value,
        "camera": event.camera,
        "area": past.area,
        "activity": event.activity,
        "confidence": {name: round(score, 4) for name, score in scores.items()},
        "started_at": timestamp(event.started_at),
        "updated_at": timestamp(event.updated_at),
        "ended_at": None if event.ended_at is None else timestamp(event.ended_at),
        "duration_s": round(_until(event) - event.started_at, 3),
        "end_reason": event.end_reason and event.end_reason.value,
        "model": {"name": past.model, "version": past.model_version},
        "historical": event.historical,
    }


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
    """A header, then a line a row; what JSON nests is joined by `_`, and null is nothing."""
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
    """Two lines an activity, in the order of time; `past` is in the order of starts:

        2026-11-20 07:08:01.120000 hall ON JumpingJack begin
        2026-11-20 07:08:09.520000 hall OFF JumpingJack end

    The camera is the sensor; times are local, as there, for such tools learn what is done at which time of the day. An
    activity that goes on ends where it was last seen: they expect an end for each begin. Where cameras look at the same
    person, write one camera at a time.

    Source: the annotated data sets of CASAS, such as Aruba (`2010-11-04 00:03:50.209589 M003 ON Sleeping begin`), of
    D. Cook, "Learning setting-generalized activity models for smart spaces", IEEE Intelligent Systems 27(1), 2012.
    """
    lines: list[tuple[float, str]] = []
    for event in (one.event for one in past):
        start, end, activity = event.started_at, _until(event), "_".join(event.activity.split())
        lines.append((start, f"{_casas_time(start)} {event.camera} ON {activity} begin"))
        lines.append((end, f"{_casas_time(end)} {event.camera} OFF {activity} end"))
    # Of one moment they stay in this order: an activity's end after its begin, and before the begin of the next.
    return [line for _, line in sorted(lines, key=lambda line: line[0])]


def table(past: Iterable[PastActivity]) -> Table:
    """Local times."""
    shown = _table("day", "time", "camera", "activity", "lasted", "confidence", "")
    for event in (one.event for one in past):
        ending = event.end_reason.value.replace("_", " ") if event.end_reason else "goes on"
        shown.add_row(
            *_local(event.started_at), Text(event.camera), Text(event.activity, style=colour(event.activity)),
            f"{_until(event) - event.started_at:.1f} s", f"{event.confidence.mean:.0%}",
            Text(f"{ending}, told late" if event.historical else ending, style="dim"),
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


def _until(event: Event) -> float:
    return event.updated_at if event.ended_at is None else event.ended_at


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
