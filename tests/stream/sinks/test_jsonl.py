"""The sink appends events as JSON lines, also to a full disk and to a truncated file."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from harstream.stream.sinks.jsonl import JsonLines
from harstream.wire.context import Context
from harstream.wire.errors import SinkError
from harstream.wire.values import EventType
from tests.support.values import MakeEvent, MakeNotice


def ids(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text().splitlines()]


def test_each_event_is_written_at_once_as_one_line(
    tmp_path: Path, context: Context, make_event: MakeEvent, make_notice: MakeNotice
) -> None:
    sink = JsonLines(tmp_path / "events.jsonl", context)
    sink.start()
    sink.handle(make_notice(make_event(id="A"), make_event(EventType.END, id="B")))
    assert ids(tmp_path / "events.jsonl") == ["A", "B"]
    sink.close()


def test_a_second_run_appends(tmp_path: Path, context: Context, make_event: MakeEvent, make_notice: MakeNotice) -> None:
    for name in ("A", "B"):
        sink = JsonLines(tmp_path / "events.jsonl", context)
        sink.start()
        sink.handle(make_notice(make_event(id=name)))
        sink.close()
    assert ids(tmp_path / "events.jsonl") == ["A", "B"]


def test_a_line_that_does_not_fit_on_the_disk_leaves_no_partial_line(
    tmp_path: Path, context: Context, make_event: MakeEvent, make_notice: MakeNotice,
    files_no_longer_than: Callable[[int], AbstractContextManager[None]],
) -> None:  # fmt: skip
    path = tmp_path / "events.jsonl"
    sink = JsonLines(path, context)
    sink.start()
    sink.handle(make_notice(make_event(id="A")))
    with files_no_longer_than(path.stat().st_size + 50), pytest.raises(SinkError, match="expected to write events"):
        sink.handle(make_notice(make_event(id="B")))
    sink.handle(make_notice(make_event(id="C")))
    sink.close()
    assert ids(path) == ["A", "C"]


def test_a_partial_line_of_an_earlier_run_is_ended(
    tmp_path: Path, context: Context, make_event: MakeEvent, make_notice: MakeNotice
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"id": "cut of')
    sink = JsonLines(path, context)
    sink.start()
    sink.handle(make_notice(make_event(id="A")))
    sink.close()
    half, whole = path.read_text().splitlines()
    assert half == '{"id": "cut of'
    assert json.loads(whole)["id"] == "A"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_a_full_disk_gives_a_one_line_error(context: Context, make_event: MakeEvent, make_notice: MakeNotice) -> None:
    sink = JsonLines(Path("/dev/full"), context)
    sink.start()
    with pytest.raises(SinkError, match=r"^expected to write events to /dev/full, got: no space left on device$"):
        sink.handle(make_notice(make_event()))
    sink.close()


def test_a_missing_folder_is_reported_at_the_start(tmp_path: Path, context: Context) -> None:
    with pytest.raises(SinkError, match="got: no such file or directory"):
        JsonLines(tmp_path / "missing" / "events.jsonl", context).start()
