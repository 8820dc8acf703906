"""Passwords in all their forms are in no output: log, MQTT, history, page, metrics, files, list of processes."""

from __future__ import annotations

import signal
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.broker import Mosquitto, Subscribe
from tests.support.command import SECRET, Harstream, Start
from tests.support.waiting import Eventually

pytestmark = pytest.mark.mosquitto

TAILS = [
    f"anna:{SECRET}@127.0.0.1:PORT/1",
    f"anna@home.de:{SECRET}@127.0.0.1:PORT/1",
    f"{SECRET}@127.0.0.1:PORT/1",
    f"anna:x@{SECRET}@127.0.0.1:PORT/1",
    f"anna:ge/{SECRET}#x@127.0.0.1:PORT/1",
    f"127.0.0.1:PORT/{SECRET}/1?enableSrtp",
    f"127.0.0.1:PORT/user=admin_password={SECRET}_channel=1",
    *(
        f"127.0.0.1:PORT/1?channel=1&{key}={SECRET}"
        for key in ("authbasic", "token", "passcode", "psw", "loginpas", "password", "unknown")
    ),
]
"""Addresses without their scheme. Nothing listens there, or the server refuses."""
PAGES = ("/", "/cameras", "/api/cameras", "/metrics", "/healthz", "/events", "/openapi.json")


def text_of(port: int, path: str) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.read())
    except urllib.error.HTTPError as error:
        return str(error.read())


def stored(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in (folder / "harstream-state").rglob("*") if file.is_file())


def test_failing_cameras_show_no_secret_anywhere(
    start: Start, harstream: Harstream, light_model: Path, mosquitto: Mosquitto, subscribe: Subscribe,
    new_port: Callable[[], int], eventually: Eventually, tmp_path: Path,
) -> None:  # fmt: skip
    subscriber, port = subscribe(mosquitto.port), new_port()
    cameras = [
        {"name": f"camera{number}", "source": f"rtsp://{tail.replace('PORT', str(new_port()))}"}
        for number, tail in enumerate(TAILS)
    ]
    config = {
        "cameras": cameras,
        "mqtt": {"broker": mosquitto.url, "user": "anna", "password": SECRET},
        "web": {"port": port},
        "events": "events.jsonl",
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    running = start("run", "--verbose", "--model", light_model)
    topics = {f"har/home/camera/camera{number}/health" for number in range(len(TAILS))}

    def offline() -> set[str]:
        return {
            one.topic for one in subscriber.of("/health") if one.payload.startswith("{") and one.json["reason"]
        } & topics  # fmt: skip

    eventually(lambda: offline() == topics, "each camera's reason", 60)
    pages = [text_of(port, path) for path in PAGES]
    running.signal(signal.SIGINT)
    assert running.wait(15) == 0
    assert sum("is offline, still retrying" in line for line in running.stderr) == len(TAILS)
    for code, told in (harstream("history"), harstream("config", "check"), harstream("doctor", "--json")):
        assert code in (0, 1), told.output
    assert not any(SECRET in page for page in pages)
    assert not any(SECRET in one.payload for one in subscriber.received)
    assert SECRET.encode() not in stored(tmp_path)


def test_the_list_of_processes_shows_no_secret(start: Start, light_model: Path, eventually: Eventually) -> None:
    running = start("run", "--model", light_model, "--source", "scene", "--source", f"rtsp://a:{SECRET}@127.0.0.1:1/1")
    eventually(lambda: "offline" in running.output, "the camera to fail", 40)
    command = Path(f"/proc/{running.pid}/cmdline").read_text()
    assert SECRET not in command
    assert "rtsp://***@127.0.0.1:1/1" in command
    running.signal(signal.SIGINT)
    assert running.wait(15) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", f"rtsp://a:{SECRET}@host/1"),
        ("run", "--log", f"rtsp://a:{SECRET}@host/1"),
        ("run", "--source", f"rtsp://a:{SECRET}@127.0.0.1:1/1"),
        ("run", "--source", "scene", "--broker", f"mqtt://a@b.de:{SECRET}@127.0.0.1:1"),
        ("run", "--source", "scene", "--broker", f"mqtt://127.0.0.1:1/?token={SECRET}"),
        ("run", "--source", "scene", "--broker", f"anna:{SECRET}@127.0.0.1"),
        ("run", "--source", "scene", "--broker", f"wss://anna:{SECRET}@127.0.0.1:1/{SECRET}"),
        ("listen", "--broker", f"ssl://anna:{SECRET}@127.0.0.1:1"),
        ("cameras", f"rtsp://127.0.0.1:1/{SECRET}"),
        ("cameras", f"onvif://anna:{SECRET}@127.0.0.1:1"),
        ("cameras", f"onvif://anna:{SECRET}@127.0.0.1:port"),
        ("listen", "--broker", f"mqtt://a:{SECRET}@127.0.0.1:1"),
        ("predict", f"rtsp://a:{SECRET}@127.0.0.1:1/1"),
        (f"rtsp://a:{SECRET}@host/1",),
    ],
)
def test_a_mistaken_command_shows_no_secret(harstream: Harstream, arguments: tuple[str, ...]) -> None:
    code, running = harstream(*arguments)  # `wait` searches its output
    assert code != 0
    assert len(running.complaints) <= 1
