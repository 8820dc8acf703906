"""`harstream get` lists models, fetches one, is interrupted, goes on, and what it wrote recognizes in a film."""

from __future__ import annotations

import hashlib
import json
import signal
from pathlib import Path

import pytest

from tests.support.command import Configure, Harstream, Start
from tests.support.file_server import FileServer
from tests.support.films import WriteFilm
from tests.support.waiting import Eventually

NAME = "movinet-a0-stream"


def test_it_lists_what_ships_and_what_can_be_fetched(harstream: Harstream) -> None:
    code, running = harstream("get")
    assert code == 0
    lines = {line.split()[0]: line for line in running.stdout if line.startswith("  ")}
    assert {"flow_tcn", "lrcn", NAME} <= lines.keys()
    assert "Apache-2.0" in lines["lrcn"]
    assert "12 activities: Basketball" in lines["lrcn"]
    assert "3.3 MB" in lines[NAME]
    assert "its accuracy was not measured here. 67 activities" in lines[NAME]


def test_mistakes_are_one_line(harstream: Harstream) -> None:
    for arguments, expected in (
        (["movinet"], "expected a model that can be fetched (movinet-a0-stream), got 'movinet'"),
        (["flow_tcn"], "flow_tcn ships with harstream"),
        ([NAME, "--from", "http://127.0.0.1:9/"], "the connection failed: Connection refused"),
        ([NAME, "--from", "missing.tflite"], "missing.tflite cannot be read"),
    ):
        code, running = harstream("get", *arguments)
        assert code in (3, 5)
        (line,) = running.stderr
        assert expected in line


def test_a_model_that_is_not_there_yet_is_named_with_the_command_that_fetches_it(harstream: Harstream) -> None:
    code, running = harstream("predict", "film.mp4", "--model", NAME)
    assert code == 5
    assert f"`harstream get {NAME}` fetches it" in running.output


@pytest.mark.training
@pytest.mark.timeout(120)
def test_a_network_of_its_kind_is_fetched_in_two_parts_and_recognizes_in_a_film(
    causal_network: bytes, file_server: FileServer, start: Start, harstream: Harstream, eventually: Eventually,
    film: WriteFilm, configure: Configure, tmp_path: Path,
) -> None:  # fmt: skip
    file_server.content, file_server.hangs_after = causal_network, 10_000
    command = "get", NAME, "--from", file_server.address, "--sha256", hashlib.sha256(causal_network).hexdigest()
    interrupted = start(*command)
    eventually(lambda: any(part.stat().st_size for part in tmp_path.glob("*.part")), "a part of the file", 20)
    interrupted.signal(signal.SIGINT)
    assert interrupted.wait(20) == 130
    (partial,) = tmp_path.glob("*.part")
    (line,) = interrupted.stderr
    assert line == f"harstream: interrupted; {partial.name} keeps what arrived, and the same command goes on"

    begun, file_server.hangs_after = partial.stat().st_size, None
    code, running = harstream(*command)
    assert code == 0, running.output
    assert file_server.asked == [None, f"bytes={begun}-"]
    assert not partial.exists()

    configure(activities={"hold": 0.4, "gone": 0.6, "smoothing": 0.2}, model=NAME)
    film("evening.avi", (2.5, 5), (5, 220), (4, 5), codec="MJPG")
    code, running = harstream("predict", "evening.avi", "--events", "events.jsonl", seconds=90)
    assert code == 0, running.output
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [event["activity"] for event in events if event["event_type"] == "start"] == ["Reading"]
