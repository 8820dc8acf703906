"""`harstream run` notifies systemd as a service, and the unit file is valid."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import Eventually

Start = Callable[..., Any]
UNITS = Path(__file__).parents[2] / "deploy" / "systemd"


class Manager:
    """Receives the notifications of the service. Each line has its time in seconds."""

    def __init__(self, name: str) -> None:
        self.address = f"@{name}"
        self.lines: list[tuple[float, str]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(b"\0" + name.encode())
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def times_of(self, line: str) -> list[float]:
        """Returns the times at which a line arrived."""
        return [moment for moment, received in list(self.lines) if received == line]

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"", b"\0" + self.address[1:].encode())
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while message := self._socket.recv(4096):
            self.lines += [(time.monotonic(), line) for line in message.decode().splitlines()]


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    manager = Manager(f"harstream-{tmp_path}")
    monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
    yield manager
    manager.close()


def test_a_service_reports_that_it_is_ready_alive_and_stopping(
    manager: Manager, start: Start, light_model: Path, eventually: Eventually
) -> None:
    running = start("run", "--source", "scene?seed=8&seconds=30", "--model", light_model, "--port", "0")
    eventually(lambda: manager.times_of("READY=1"), "the service to be ready", 40)
    assert "live view http://" in running.output
    eventually(lambda: len(manager.times_of("WATCHDOG=1")) > 5, "watchdog messages")
    eventually(lambda: manager.times_of("STATUS=1 of 1 cameras live"), "the status of the camera")
    beats = manager.times_of("WATCHDOG=1")
    # The shortest WatchdogSec that docs/deployment.md allows is 10. systemd's manual requires a message at half of it.
    assert all(later - earlier < 5 for earlier, later in pairwise(beats))
    assert manager.times_of("STOPPING=1") == []
    running.signal(signal.SIGTERM)
    assert running.wait(10) == 0
    eventually(lambda: manager.times_of("STOPPING=1"), "its end")
    assert len(manager.times_of("READY=1")) == 1
    assert running.complaints == []


def test_a_service_whose_sources_end_reports_that_it_stops(
    manager: Manager, harstream: Callable[..., Any], film: Callable[..., Path], light_model: Path,
    eventually: Eventually,
) -> None:  # fmt: skip
    film("yard.mp4", (2, 200))
    code, _ = harstream("run", "--source", "yard.mp4", "--model", light_model)
    assert code == 0
    eventually(lambda: len(manager.times_of("STOPPING=1")) == 1, "its end")


@pytest.mark.parametrize("change", [{"activities": {"hold": 0.5}}, {"stride": 2}, {"model": "no-such-model"}])
def test_a_reload_reports_begin_and_end_also_if_the_service_restarts_or_nothing_changes(
    change: dict[str, Any], manager: Manager, start: Start, configure: Callable[..., None], light_model: Path,
    new_port: Callable[[], int], eventually: Eventually,
) -> None:  # fmt: skip
    settings: dict[str, Any] = {
        "cameras": [{"name": "hall", "source": "scene?seed=8"}], "model": str(light_model),
        "web": {"enabled": False, "port": 8080}, "mqtt": {"embedded_port": new_port()},
    }  # fmt: skip
    configure(**settings)
    running = start("run")
    eventually(lambda: manager.times_of("READY=1"), "the service to be ready", 40)
    configure(**(settings | change))
    running.signal(signal.SIGHUP)
    eventually(lambda: manager.times_of("RELOADING=1"), "the reload")
    eventually(lambda: len(manager.times_of("READY=1")) == 2, "its end", 40)
    assert [line for _, line in manager.lines if line in ("READY=1", "RELOADING=1", "STOPPING=1")] == [
        "READY=1",
        "RELOADING=1",
        "READY=1",
    ]
    running.signal(signal.SIGTERM)
    assert running.wait(10) == 0


@pytest.mark.parametrize("name", ["harstream.service", "harstream-forecast.service"])
def test_the_unit_is_valid(name: str, need: Callable[[bool, str], None], tmp_path: Path) -> None:
    """The check ignores the program, which is not installed at the path of the unit."""
    need(shutil.which("systemd-analyze") is not None, "systemd-analyze is not installed (apt install systemd)")
    unit = tmp_path / name
    unit.write_text((UNITS / name).read_text().replace("/opt/harstream/bin/harstream", "/bin/true"))
    result = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60)
    complaints = [line for line in result.stderr.splitlines() if name in line or str(unit) in line]
    assert (result.returncode, complaints) == (0, [])
