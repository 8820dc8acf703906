"""However `harstream run` ends, it ends every event, its retained states and its files."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest

from tests.support.light_model import QUICK
from tests.support.waiting import Eventually

pytestmark = pytest.mark.mosquitto


def events_in(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def pairs(events: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    return Counter((event["camera"], event["event_type"]) for event in events if event["event_type"] != "update")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything_within_five_seconds(
    start: Callable[..., Any], mosquitto: Any, subscribe: Callable[[int], Any], eventually: Eventually,
    light_model: Path, tmp_path: Path, number: signal.Signals,
) -> None:  # fmt: skip
    options = ("--events", "events.jsonl", "--record", "film.mp4", "--model", light_model)
    running = start("run", "--source", "scene?seed=8", "--broker", mosquitto.url, *options)
    eventually(lambda: events_in(tmp_path / "events.jsonl"), "an event to start", 40)
    running.signal(number)
    began = time.monotonic()
    assert running.wait(10) == 0
    assert time.monotonic() - began < 5
    assert running.complaints == []
    events = events_in(tmp_path / "events.jsonl")
    assert pairs(events) == {("scene", "start"): 1, ("scene", "end"): 1}
    assert events[0]["id"] == events[-1]["id"]
    assert events[-1]["end_reason"] == "shutdown"
    film = cv2.VideoCapture(str(tmp_path / "film.mp4"))
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) > 10
    retained = subscribe(mosquitto.port)
    eventually(lambda: len(retained.of("/status")) == 1, "the retained status")
    assert [(one.retained, one.payload) for one in retained.of("/status")] == [(True, "offline")]
    eventually(lambda: [one.payload for one in retained.of("/availability")] == ["offline"], "the camera's")
    eventually(lambda: [one.json["activity"] for one in retained.of("/activity")] == ["unknown"], "its activity")


STOPPED_WHILE_CLOSING = """
import signal, sys
from harstream import __main__ as cli
from harstream.stream.sinks.mqtt import MqttSink
close = MqttSink.close
def close_after_a_signal(sink):
    signal.raise_signal(signal.SIGTERM)
    close(sink)
MqttSink.close = close_after_a_signal
sys.argv = ["harstream", "run"]
cli.main()
"""


def test_a_signal_while_the_outputs_close_for_a_restart_ends_everything_in_order(
    configure: Callable[..., None], mosquitto: Any, subscribe: Callable[[int], Any], eventually: Eventually,
    light_model: Path, tmp_path: Path,
) -> None:  # fmt: skip
    config: dict[str, Any] = {"model": str(light_model), "cameras": [{"name": "hall", "source": "scene?seed=8"}]}
    config |= {"events": "events.jsonl", "mqtt": {"broker": mosquitto.url}}
    configure(**config)
    subscriber = subscribe(mosquitto.port)
    command = [sys.executable, "-c", STOPPED_WHILE_CLOSING]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            eventually(lambda: events_in(tmp_path / "events.jsonl"), "an event to start", 40)
            configure(**config, node="other")
            running.send_signal(signal.SIGHUP)
            assert running.wait(20) == 0
        finally:
            running.kill()
    expected = {("hall", "start"): 1, ("hall", "end"): 1}
    assert pairs(events_in(tmp_path / "events.jsonl")) == expected
    eventually(lambda: pairs([one.json for one in subscriber.of("/event")]) == expected, "the events at the broker")
    eventually(lambda: [one.payload for one in subscriber.of("/status")] == ["online", "offline"], "the farewell")


def test_ctrl_c_during_the_import_gives_no_traceback() -> None:
    program = """
import signal, sys
from harstream import __main__ as cli
cli.importlib.import_module = lambda name: signal.raise_signal(signal.SIGINT)
sys.argv = ["harstream", "run"]
cli.main()
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20)
    assert (result.returncode, result.stderr) == (130, "")


def test_the_broker_reports_a_killed_run_as_offline(
    start: Callable[..., Any], mosquitto: Any, subscribe: Callable[[int], Any], eventually: Eventually,
    light_model: Path,
) -> None:  # fmt: skip
    subscriber = subscribe(mosquitto.port)
    running = start("run", "--source", "scene", "--broker", mosquitto.url, "--model", light_model)
    eventually(lambda: subscriber.of("/event"), "an event to start", 40)
    running.signal(signal.SIGKILL)
    eventually(lambda: [one.payload for one in subscriber.of("/status")] == ["online", "offline"], "the last will")


def test_two_cameras_in_one_process_have_their_own_events(
    harstream: Callable[..., Any], configure: Callable[..., None], mosquitto: Any, subscribe: Callable[[int], Any],
    film: Callable[..., Path], light_model: Path, tmp_path: Path, eventually: Eventually,
) -> None:  # fmt: skip
    film("yard.mp4", (1, 200), (1, 0), (1, 200))
    configure(
        node="nuc1",
        model=str(light_model),
        events="events.jsonl",
        activities=QUICK,
        mqtt={"broker": mosquitto.url},
        cameras=[
            {"name": "hall", "source": "scene?seed=8&seconds=3", "area": "Hallway"},
            {"name": "yard", "source": "yard.mp4"},
        ],
    )
    subscriber = subscribe(mosquitto.port)
    code, running = harstream("run")
    assert (code, running.complaints) == (0, [])
    events = events_in(tmp_path / "events.jsonl")
    expected = {("hall", "start"): 1, ("hall", "end"): 1, ("yard", "start"): 2, ("yard", "end"): 2}
    assert pairs(events) == expected
    assert {(event["camera"], event["area"]) for event in events} == {("hall", "Hallway"), ("yard", None)}
    reasons = [(event["camera"], event["end_reason"]) for event in events if event["event_type"] == "end"]
    assert sorted(reasons) == [("hall", "camera_offline"), ("yard", "camera_offline"), ("yard", "low_confidence")]
    eventually(lambda: [one.payload for one in subscriber.of("nuc1/status")] == ["online", "offline"], "the farewell")
    assert pairs([one.json for one in subscriber.of("/event")]) == expected


def test_a_broker_that_restarts_gets_the_events_of_its_outage(
    start: Callable[..., Any], mosquitto: Any, subscribe: Callable[[int], Any], eventually: Eventually,
    film: Callable[..., Path], light_model: Path, tmp_path: Path,
) -> None:  # fmt: skip
    film("yard.mp4", (2, 200), (3, 0), (2, 200), (60, 0))  # continues while the publisher waits for its next attempt
    subscriber = subscribe(mosquitto.port)
    options = ("--events", "events.jsonl", "--model", light_model)
    running = start("run", "--source", "yard.mp4", "--broker", mosquitto.url, *options)
    eventually(lambda: subscriber.of("/event"), "the first event", 40)
    mosquitto.stop()
    file = tmp_path / "events.jsonl"
    eventually(lambda: pairs(events_in(file)) == {("file", "start"): 2, ("file", "end"): 2}, "all events", 40)
    mosquitto.start()

    def delivered() -> Counter[tuple[str, str]]:
        """Counts events as consumers do: delivery is at least once, and repeats have the same id and seq."""
        events = [one.json for one in subscriber.of("/event")]
        return pairs(list({(event["id"], event["seq"]): event for event in events}.values()))

    eventually(lambda: delivered() == {("file", "start"): 2, ("file", "end"): 2}, "all events at the broker", 40)
    running.signal(signal.SIGINT)
    assert running.wait(10) == 0
    assert sum("lost the broker" in line for line in running.stderr) == 1


def test_listen_prints_what_run_publishes_to_the_same_broker(
    start: Callable[..., Any], harstream: Callable[..., Any], mosquitto: Any, eventually: Eventually,
    film: Callable[..., Path], light_model: Path, configure: Callable[..., None],
) -> None:  # fmt: skip
    film("yard.mp4", (2, 200))
    configure(mqtt={"broker": mosquitto.url})
    host = ["-h", "127.0.0.1", "-p", str(mosquitto.port)]
    subprocess.run(["mosquitto_pub", *host, "-r", "-t", "har/probe/status", "-m", "ready"], check=True)
    listening = start("listen")
    eventually(lambda: "har/probe/status: ready" in listening.output, "the listener to be ready", 40)
    code, _ = harstream("run", "--source", "yard.mp4", "--model", light_model)
    assert code == 0
    eventually(lambda: "har/home/status: offline" in listening.stdout, "the farewell")
    printed = [line.split(maxsplit=1)[1] for line in listening.stdout if "▶" in line or "■" in line]
    assert [line.split()[:4] for line in printed] == [["file", "▶", "start", "Light"], ["file", "■", "end", "Light"]]
    listening.signal(signal.SIGINT)
    assert listening.wait(10) == 0
    assert listening.complaints == []


def test_port_0_chooses_a_free_port(start: Callable[..., Any], eventually: Eventually, light_model: Path) -> None:
    running = start("run", "--source", "scene", "--model", light_model, "--port", "0")
    eventually(lambda: "live view http://127.0.0.1:" in running.output, "the live view's address", 40)
    address = next(line.split()[-1] for line in running.stdout if line.startswith("live view"))
    with urllib.request.urlopen(f"{address}healthz", timeout=10) as answer:
        assert json.load(answer)["status"] == "ok"
    running.signal(signal.SIGTERM)
    assert running.wait(10) == 0


def test_the_port_of_the_live_view_is_free_after_the_run(
    harstream: Callable[..., Any], configure: Callable[..., None], film: Callable[..., Path], light_model: Path,
    new_port: Callable[[], int],
) -> None:  # fmt: skip
    port = new_port()
    configure(web={"enabled": True, "port": port})
    film("yard.mp4", (1, 200))
    for _ in range(2):
        code, running = harstream("run", "--source", "yard.mp4", "--model", light_model)
        assert (code, running.complaints) == (0, [])
        assert f"live view http://127.0.0.1:{port}/" in running.output
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
