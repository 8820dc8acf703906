"""The service holds out with few handles while clients open connections and send half of a request."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.command import Configure, Running, Start
from tests.support.waiting import Eventually

HANDLES, CLIENTS, SECONDS = 128, 200, 15.0
HALF = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "


def sample(url: str, name: str) -> float:
    """Returns the sum of a metric over its labels."""
    families = text_string_to_metric_families(httpx.get(f"{url}/metrics", timeout=3).text)
    return sum(sample.value for family in families for sample in family.samples if sample.name == name)


def half_open(port: int) -> socket.socket:
    link = socket.create_connection(("127.0.0.1", port), timeout=2)
    link.sendall(HALF)
    return link


@pytest.fixture
def service(start: Start, configure: Configure, new_port: Callable[[], int]) -> Iterator[tuple[Running, int]]:
    """The service with the limit of handles, and the port of its page."""
    port = new_port()
    configure(web={"enabled": True, "port": port})
    running = start("run", "--source", "scene")
    resource.prlimit(running.pid, resource.RLIMIT_NOFILE, (HANDLES, HANDLES))
    yield running, port
    running.end()


def test_half_open_requests_leave_cameras_broker_and_health_alone(
    service: tuple[Running, int], eventually: Eventually
) -> None:
    running, port = service
    url = f"http://127.0.0.1:{port}"

    def is_live() -> bool:
        try:
            return httpx.get(f"{url}/readyz", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    eventually(is_live, "a live camera", seconds=40)
    frames = sample(url, "harstream_frames_total")
    with ExitStack() as links:
        began, slowest = time.monotonic(), 0.0
        for _ in range(CLIENTS):
            links.callback(half_open(port).close)
        while time.monotonic() - began < SECONDS:
            asked = time.monotonic()
            assert httpx.get(f"{url}/healthz", timeout=3).json()["cameras"] == {"scene": "live"}
            assert sample(url, "harstream_mqtt_connected") == 1
            slowest = max(slowest, time.monotonic() - asked)
            for _ in range(10):  # the attack goes on
                links.callback(half_open(port).close)
            time.sleep(0.2)
    assert slowest < 3
    assert sample(url, "harstream_frames_total") - frames > SECONDS * 5
    assert len(running.complaints) == 0, running.complaints[:20]
    warnings = [line for line in running.stderr if "connections" in line]
    assert 1 <= len(warnings) <= 4, running.output
