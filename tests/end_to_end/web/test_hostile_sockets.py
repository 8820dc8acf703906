"""Whatever an open page sends on its WebSocket, the service recognizes and other pages go on."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from websockets.sync.client import connect

from tests.soak.growth import read_sample
from tests.support.accounts import TOKEN, USERS
from tests.support.command import Configure, Start
from tests.support.damage import DAMAGES
from tests.support.hostile_messages import almost_right, hostile_settings, raw_bytes
from tests.support.waiting import Eventually

pytestmark = pytest.mark.timeout(max(300, 3 * DAMAGES))

PATIENCE = 30.0
"""Seconds after which an answer counts as missing."""
READING = 0.5
"""Seconds in which a leaving page reads what is still sent. A page that stated a wrong size is sent more and more."""
GROWTH = 60e6
"""Bytes that the service may take on while it is attacked."""
ANSWERS = 60 * 5000 * 127
"""Bytes of the answers to all pings of a page."""
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9
REQUEST = (
    "GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
)


def frame(opcode: int, payload: bytes, first: int = 0x80, is_masked: bool = True, size: int | None = None) -> bytes:
    """Return a frame. `first`: FIN and the reserved bits. `size`: the size that it states. Source: RFC 6455, 5.2."""
    stated, mask = len(payload) if size is None else size, 0x80 if is_masked else 0
    if stated < 126:
        head = bytes([first | opcode, mask | stated])
    elif stated < 65_536:
        head = struct.pack(">BBH", first | opcode, mask | 126, stated)
    else:
        head = struct.pack(">BBQ", first | opcode, mask | 127, stated)
    return head + (bytes(4) if is_masked else b"") + payload


pieces: SearchStrategy[bytes] = st.one_of(
    st.binary(max_size=200),
    st.builds(frame, st.sampled_from((TEXT, BINARY)), raw_bytes),
    st.builds(frame, st.just(TEXT), st.sampled_from((b"watch", b"rest", b"WATCH", b"watch\0", b"rest\n"))),
    st.builds(frame, st.just(TEXT), almost_right({"type": "watch", "cameras": [0], "rate": 15})),
    st.builds(frame, st.integers(0, 15), st.binary(max_size=200), st.integers(0, 15).map(lambda bits: bits << 4)),
    st.builds(frame, st.integers(0, 15), st.binary(max_size=50), st.just(0x80), st.booleans(),
              st.integers(0, 2**63 - 1)),
    st.builds(lambda code, text: frame(CLOSE, struct.pack(">H", code) + text), st.integers(0, 65_535),
              st.binary(max_size=120)),
    st.builds(lambda one, times: one * times, st.sampled_from((frame(BINARY, b"x"), frame(TEXT, b"rest"),
              frame(PING, b"p" * 125), frame(0, b"", 0))), st.integers(1000, 5000)),
)  # fmt: skip


@contextmanager
def opened(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as link:
        link.sendall(REQUEST.encode())
        answer = b""
        while b"\r\n\r\n" not in answer and (more := link.recv(4096)):
            answer += more
        assert answer.startswith(b"HTTP/1.1 101"), answer[:200]
        yield link


def leave(link: socket.socket, ending: str) -> None:
    if ending == "close":
        link.sendall(frame(CLOSE, struct.pack(">H", 1000)))
    elif ending == "half":
        link.shutdown(socket.SHUT_WR)
    elif ending == "reset":
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if ending in ("close", "half"):
        until = time.monotonic() + READING
        while time.monotonic() < until and link.recv(65_536):
            pass


def test_nothing_that_a_page_sends_stops_the_service(
    start: Start, configure: Configure, light_model: Path, new_port: Callable[[], int], eventually: Eventually
) -> None:
    port = new_port()
    users = {"users": list(USERS), "tokens": [{"name": "viewer", "token": TOKEN}]}
    configure(web={"enabled": True, "port": port, **users})
    running = start("run", "--source", "scene?seed=8", "--model", light_model)
    eventually(lambda: "live view http" in running.output, "the page", PATIENCE)
    page, allowed = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {TOKEN}"}
    with connect(f"ws{page[4:]}/live", additional_headers=allowed, ping_interval=None) as other:
        other.send("watch")
        json.loads(other.recv(PATIENCE))
        before = read_sample(running.pid).memory

        @hostile_settings
        @given(st.lists(pieces, min_size=1, max_size=5), st.sampled_from(("close", "half", "reset", "drop")))
        def attack(sent: list[bytes], ending: str) -> None:
            with opened(port) as link, suppress(ConnectionError):
                for piece in sent:
                    link.sendall(piece)
                leave(link, ending)
            assert httpx.get(f"{page}/healthz", timeout=PATIENCE).status_code == 200

        attack()
        assert read_sample(running.pid).memory < before + GROWTH
        while not isinstance(other.recv(PATIENCE), bytes):  # a picture
            pass
    with connect(f"ws{page[4:]}/live", additional_headers=allowed) as fresh:
        assert json.loads(fresh.recv(PATIENCE))["type"] == "hello"
    assert "Traceback" not in running.output
    assert running.complaints == []


def test_a_page_that_only_pings_takes_no_memory(
    start: Start, configure: Configure, light_model: Path, new_port: Callable[[], int], eventually: Eventually
) -> None:
    port = new_port()
    configure(web={"enabled": True, "port": port, "tokens": [{"name": "viewer", "token": TOKEN}]})
    running = start("run", "--source", "scene?seed=8", "--model", light_model)
    eventually(lambda: "live view http" in running.output, "the page", PATIENCE)
    eventually(lambda: "update" in running.output, "recognition, whose windows and pictures take memory", PATIENCE)
    before = read_sample(running.pid).memory
    with opened(port) as link:  # it reads no answer
        link.settimeout(PATIENCE)
        most = before
        with suppress(ConnectionError):  # on a slow machine, the service disconnects the page before the end
            for _ in range(60):
                link.sendall(frame(PING, b"p" * 125) * 5000)
                most = max(most, read_sample(running.pid).memory)
        assert most < before + ANSWERS / 2
        assert httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE).status_code == 200
