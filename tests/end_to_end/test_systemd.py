"""`harstream run` as a service of systemd: what it tells the manager, and what the unit says of it."""

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

Start = Callable[..., Any]
UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "harstream.service"


class Manager:
    """Hears what the service says; each line with the second at which it came."""

    def __init__(self, name: str) -> None:
        self.address = f"@{name}"
        self.lines: list[tuple[float, str]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(b"\0" + name.encode())
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def heard(self, line: str) -> list[float]:
        """When."""
        return [moment for moment, said in list(self.lines) if said == line]

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


def test_a_service_is_ready_alive_and_stopping(
    manager: Manager, start: Start, light_model: Path, eventually: Callable[..., None]
) -> None:
    running = start("run", "--source", "scene?seed=8&seconds=30", "--model", light_model, "--port", "0")
    eventually(lambda: manager.heard("READY=1"), "it to be ready", 40)
    assert "live view http://" in running.said
    eventually(lambda: len(manager.heard("WATCHDOG=1")) > 5, "signs of life")
    eventually(lambda: manager.heard("STATUS=1 of 1 cameras live"), "how the camera fares")
    signs = manager.heard("WATCHDOG=1")
    # The shortest WatchdogSec that docs/deployment.md allows is 10; at half of it systemd's manual wants a sign.
    assert all(later - earlier < 5 for earlier, later in pairwise(signs))
    assert manager.heard("STOPPING=1") == []
    running.signal(signal.SIGTERM)
    assert running.wait(10) == 0
    eventually(lambda: manager.heard("STOPPING=1"), "its end")
    assert len(manager.heard("READY=1")) == 1
    assert running.complaints == []


def test_a_service_whose_material_ends_says_that_it_stops(
    manager: Manager, harstream: Callable[..., Any], film: Callable[..., Path], light_model: Path,
    eventually: Callable[..., None],
) -> None:  # fmt: skip
    film("yard.mp4", (2, 200))
    code, _ = harstream("run", "--source", "yard.mp4", "--model", light_model)
    assert code == 0
    eventually(lambda: len(manager.heard("STOPPING=1")) == 1, "its end")


@pytest.mark.parametrize("change", [{"activities": {"hold": 0.5}}, {"stride": 2}, {"model": "no-such-model"}])
def test_a_reload_begins_and_is_over_also_when_all_begins_anew_or_nothing_is_taken(
    change: dict[str, Any], manager: Manager, start: Start, configure: Callable[..., None], light_model: Path,
    new_port: Callable[[], int], eventually: Callable[..., None],
) -> None:  # fmt: skip
    settings: dict[str, Any] = {
        "cameras": [{"name": "hall", "source": "scene?seed=8"}], "model": str(light_model),
        "web": {"enabled": False, "port": 8080}, "mqtt": {"embedded_port": new_port()},
    }  # fmt: skip
    configure(**settings)
    running = start("run")
    eventually(lambda: manager.heard("READY=1"), "it to be ready", 40)
    configure(**(settings | change))
    running.signal(signal.SIGHUP)
    eventually(lambda: manager.heard("RELOADING=1"), "the reload")
    eventually(lambda: len(manager.heard("READY=1")) == 2, "its end", 40)
    assert [line for _, line in manager.lines if line in ("READY=1", "RELOADING=1", "STOPPING=1")] == [
        "READY=1",
        "RELOADING=1",
        "READY=1",
    ]
    running.signal(signal.SIGTERM)
    assert running.wait(10) == 0


def test_the_unit_is_one(need: Callable[[bool, str], None], tmp_path: Path) -> None:
    """But for the program, which is not installed where the unit looks for it."""
    need(shutil.which("systemd-analyze") is not None, "systemd-analyze is not installed (apt install systemd)")
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/harstream/bin/harstream", "/bin/true"))
    result = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60)
    said = [line for line in result.stderr.splitlines() if UNIT.name in line or str(unit) in line]
    assert (result.returncode, said) == (0, [])
