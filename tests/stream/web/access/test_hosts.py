"""A page answers to its own names only, for HTTP and for a WebSocket."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from harstream.stream.config.web import WebConfig
from harstream.stream.web.access.hosts import host_names
from tests.support.light_model import LIGHT
from tests.support.live_view import LiveView


def started(host: str) -> Iterator[LiveView]:
    view = LiveView(LIGHT, web={"host": host, "auth": "none", "hosts": ["Cameras.example.org"]})
    view.start()
    yield view
    view.close()


@pytest.fixture(scope="module")
def on_loopback() -> Iterator[LiveView]:
    yield from started("127.0.0.1")


@pytest.fixture(scope="module")
def on_every_interface() -> Iterator[LiveView]:
    yield from started("0.0.0.0")


def codes(view: LiveView, host: str) -> tuple[int, int]:
    """Return the status of a plain request and of a WebSocket's handshake with this Host."""
    port = view.address[1]
    plain = httpx.get(f"http://127.0.0.1:{port}/healthz", headers={"Host": host}).status_code
    with socket.create_connection(("127.0.0.1", port), timeout=5) as link:
        link.sendall(
            f"GET /live HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nUpgrade: websocket\r\nConnection: Upgrade"
            "\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        return plain, int(link.recv(100).split()[1])


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "localhost.evil.example", "a@localhost", "[::1"])
def test_a_foreign_name_is_refused(on_loopback: LiveView, on_every_interface: LiveView, host: str) -> None:
    assert codes(on_loopback, host) == (400, 400)
    assert codes(on_every_interface, host) == (400, 400)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1:1", "[::1]:8080", "cameras.example.org:443"])
def test_own_and_configured_names_are_answered(on_loopback: LiveView, on_every_interface: LiveView, host: str) -> None:
    assert codes(on_loopback, host) == (200, 101)
    assert codes(on_every_interface, host) == (200, 101)


@pytest.mark.parametrize("host", ["192.168.1.5:8080", "[fd00::5]", socket.gethostname(), f"{socket.gethostname()}.lan"])
def test_other_machines_use_addresses_and_this_machines_name(
    on_loopback: LiveView, on_every_interface: LiveView, host: str
) -> None:
    assert codes(on_every_interface, host) == (200, 101)
    assert codes(on_loopback, host) == (400, 400)


def test_the_answer_names_the_setting(on_every_interface: LiveView) -> None:
    port = on_every_interface.address[1]
    answer = httpx.get(f"http://127.0.0.1:{port}/", headers={"Host": "nuc.evil.example"})
    assert "web.hosts" in answer.json()["detail"]
    assert "nuc.evil.example" in answer.json()["detail"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://["])
def test_a_page_of_another_site_is_refused(on_every_interface: LiveView, origin: str) -> None:
    port = on_every_interface.address[1]
    assert httpx.get(f"http://127.0.0.1:{port}/healthz", headers={"Origin": origin}).status_code == 403
    with pytest.raises(InvalidStatus) as caught, connect(f"ws://127.0.0.1:{port}/live", origin=origin):  # type: ignore[arg-type]
        pass
    assert caught.value.response.status_code == 403


def test_the_configured_host_is_a_name() -> None:
    assert "cameras.lan" in host_names(WebConfig(host="Cameras.lan", auth="none"))
