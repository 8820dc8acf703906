"""Reads JSON lines: `history --format json`, `history --changes --format json`, and the file of `run --events`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from harstream.forecast.client.course import NOT_SEEN
from harstream.forecast.learning.episodes import Away, Episode
from harstream.forecast.past.records import CameraAway, Record, Records, bad_line
from harstream.wire.messages.message import Moment
from harstream.wire.values import CameraState, EndReason, EventType


class _Activity(BaseModel):
    id: str
    camera: str
    activity: str
    event_type: EventType
    started_at: Moment
    updated_at: Moment
    ended_at: Moment | None = None
    end_reason: EndReason | None = None


class _Change(BaseModel):
    time: Moment
    camera: str
    state: CameraState


def read_json_lines(file: Path, lines: Sequence[str]) -> Records:
    """Read rows of all three kinds, in any order. Raises ConfigFileError for a line of another kind."""
    activities: dict[str, _Activity] = {}
    changes: list[_Change] = []
    for row in _rows(file, lines):
        if isinstance(row, _Change):
            changes.append(row)
        elif row.id not in activities or activities[row.id].updated_at <= row.updated_at:
            activities[row.id] = row
    ended = [row for row in activities.values() if row.event_type is EventType.END]
    return Records(
        tuple(Record(row.id, row.camera, _episode(row)) for row in ended),
        tuple(_away(changes)),
        len(activities) - len(ended),
    )


def _rows(file: Path, lines: Sequence[str]) -> Iterator[_Activity | _Change]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise bad_line(file, number, "a row in JSON", line) from None
        if not isinstance(row, Mapping):
            raise bad_line(file, number, "an object in JSON", line)
        try:
            yield _Activity.model_validate(row) if "activity" in row else _Change.model_validate(row)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"]))
            expected = f"an activity or a change of state: {field}: {first['msg']}"
            raise bad_line(file, number, expected, line) from None


def _episode(row: _Activity) -> Episode:
    end = row.updated_at if row.ended_at is None else row.ended_at
    return Episode(row.activity, row.started_at, max(end, row.started_at), row.end_reason not in NOT_SEEN)


def _away(changes: Sequence[_Change]) -> Iterator[CameraAway]:
    """Yield the times in which a camera sent no pictures. One that did not end yet is left out."""
    since: dict[str, float] = {}
    for change in sorted(changes, key=lambda each: each.time):
        if change.state.is_away:
            since.setdefault(change.camera, change.time)
        elif change.camera in since:
            yield CameraAway(change.camera, Away(since.pop(change.camera), change.time))
