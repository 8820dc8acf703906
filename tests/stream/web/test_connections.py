"""Real clients open too many connections, or never complete a request."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from functools import partial

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from harstream.stream.web import connections as limits
from harstream.stream.web.connections import (
    FEWEST,
    LONGEST_WAIT,
    MOST,
    Connections,
    LimitedProtocol,
    Listener,
    most_connections,
)
from tests.support.light_model import LIGHT
from tests.support.live_view import LiveView
from tests.support.waiting import Eventually

HALF = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
WHOLE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
LONG = 50_000_000
"""Characters of an answer that fills every buffer between server and client."""
STALLED = 2000
"""Milliseconds until a client that reads nothing is disconnected. The server's own value is 30 s."""
Serve = Callable[[int], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(3)` starts a server with at most three connections, and returns its port."""
    with ExitStack() as stack:
        yield lambda most: stack.enter_context(_server(most))


@contextlib.contextmanager
def _server(most: int) -> Iterator[int]:
    connections, ready = Connections(most), threading.Event()

    async def answer(_: Request) -> Response:
        return PlainTextResponse("fine")

    async def long(_: Request) -> Response:
        return PlainTextResponse("a" * LONG)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(connections.sweep())
        ready.set()
        yield
        sweeping.cancel()

    app = Starlette(routes=[Route("/", answer), Route("/long", long)], lifespan=lifespan)
    http = partial(LimitedProtocol, connections)
    server = uvicorn.Server(uvicorn.Config(app, http=http, log_config=None, log_level=logging.ERROR))  # type: ignore[arg-type]
    listening = Listener(socket.create_server(("127.0.0.1", 0)), connections)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED)
    port = listening.getsockname()[1]
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    ready.wait(10)
    yield port
    server.should_exit = True
    thread.join()


def opened(port: int, sent: bytes) -> socket.socket:
    link = socket.create_connection(("127.0.0.1", port), timeout=LONGEST_WAIT + 5)
    link.sendall(sent)
    return link


def received(link: socket.socket) -> bytes:
    """Returns what the server sends. It is empty if the server closes the connection."""
    try:
        return link.recv(4096)
    except ConnectionResetError:
        return b""


def is_open(link: socket.socket) -> bool:
    link.settimeout(0.3)
    try:
        return received(link) != b""
    except TimeoutError:
        return True


def test_the_oldest_connection_without_a_request_makes_room_for_a_new_one(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """This is the trace in the module's docstring."""
    port = serve(3)
    with ExitStack() as stack:
        a1, a2, a3 = (stack.enter_context(opened(port, HALF)) for _ in range(3))
        assert all(map(is_open, (a1, a2, a3)))
        r4 = stack.enter_context(opened(port, WHOLE))
        assert received(r4).startswith(b"HTTP/1.1 200")
        assert [is_open(link) for link in (a1, a2, a3)] == [False, True, True]
        stack.enter_context(opened(port, HALF))
        assert [is_open(link) for link in (a2, a3)] == [False, True]
    assert len(caplog.records) == 1
    assert all(part in caplog.text for part in ("3 connections", "127.0.0.1"))


def test_many_connections_at_once_leave_the_server_answering(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    port = serve(8)
    with ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(opened(port, HALF))
        began = time.monotonic()
        assert httpx.get(f"http://127.0.0.1:{port}/").text == "fine"
        assert time.monotonic() - began < 2
    assert len(caplog.records) == 1


def test_the_end_of_the_flood_is_said_with_the_count(
    serve: Serve, caplog: pytest.LogCaptureFixture, eventually: Eventually
) -> None:
    caplog.set_level(logging.INFO, "harstream")
    port = serve(4)
    with ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(opened(port, HALF))
    eventually(lambda: "6 were closed" in caplog.text, "the end of the flood")


@pytest.fixture
def longest_wait(monkeypatch: pytest.MonkeyPatch) -> float:
    """Shortens the time that a client has for its request to these seconds. End-to-end tests wait the whole time."""
    monkeypatch.setattr(limits, "LONGEST_WAIT", 1.0)
    monkeypatch.setattr(limits, "SWEEPS", 0.1)
    return 1.0


@pytest.mark.parametrize("sent", [b"", HALF, b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf"])
def test_a_request_that_does_not_become_whole_is_closed_in_time(serve: Serve, sent: bytes, longest_wait: float) -> None:
    with opened(serve(3), sent) as link:
        began = time.monotonic()
        while received(link):  # a POST is answered before its body is complete
            pass
        assert longest_wait - 0.2 < time.monotonic() - began < longest_wait + 3


def test_a_client_that_sends_a_byte_at_a_time_is_closed_in_time(serve: Serve, longest_wait: float) -> None:
    with opened(serve(3), HALF) as link:
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < longest_wait + 5:
                link.sendall(b"a")
                time.sleep(0.1)
        assert longest_wait - 0.2 < time.monotonic() - began < longest_wait + 3


def test_a_client_that_reads_nothing_is_disconnected(serve: Serve) -> None:
    with opened(serve(3), WHOLE.replace(b"GET / ", b"GET /long ")) as link:
        time.sleep(STALLED / 1000 + 3)
        received = 0
        with contextlib.suppress(ConnectionResetError):
            while part := link.recv(1 << 20):
                received += len(part)
        assert received < LONG


def test_a_connection_without_handles_is_one_line_and_is_accepted_later(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    port = serve(8)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    with socket.socket() as link:
        link.settimeout(10)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 3, hard))
            with contextlib.suppress(OSError):
                while True:
                    taken.append(os.open("/dev/null", os.O_RDONLY))
            link.connect(("127.0.0.1", port))
            link.sendall(WHOLE)
            time.sleep(2.5)
        finally:
            for handle in taken:
                os.close(handle)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert received(link).startswith(b"HTTP/1.1 200")
    assert [record.message for record in caplog.records if "cannot accept" in record.message] == [
        "the page cannot accept connections: Too many open files (it retries each second)"
    ]
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize(("handles", "expected"), [(16, FEWEST), (128, 32), (1024, MOST), (1 << 20, MOST)])
def test_the_page_takes_a_quarter_of_the_handles(handles: int, expected: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(handles, hard), hard))
        assert most_connections() == expected
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_viewers_take_half_of_the_connections_at_most() -> None:
    """A quarter of the handles are for connections, so an eighth is for viewers."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    view = LiveView(LIGHT)
    viewers = 15 + max(map(int, os.listdir("/proc/self/fd"))) // 8  # other tests left handles open, which count, too
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (8 * viewers, hard))
        view.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    url = f"ws://127.0.0.1:{view.address[1]}/live"
    try:
        with ExitStack() as stack:
            for _ in range(viewers):
                stack.enter_context(connect(url)).recv(timeout=5)
            with pytest.raises(InvalidStatus) as caught:
                stack.enter_context(connect(url))
            assert caught.value.response.status_code == 503
            assert httpx.get(f"{view.url}healthz").status_code == 200
        with connect(url) as again:
            assert again.recv(timeout=5)
    finally:
        view.close()
