"""Whatever bytes a client sends, the server answers or closes, logs no traceback, and goes on."""

from __future__ import annotations

import logging
import random
import socket
from collections.abc import Iterator

import httpx
import pytest

from tests.support.accounts import TOKEN, USERS
from tests.support.light_model import LIGHT
from tests.support.live_view import LiveView

SEED, REQUESTS = 20261129, 400
HOST = b"Host: 127.0.0.1\r\n"
SAMPLES = [
    b"GET / HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /%ff%00/../api/events?since=%ff&limit=9 HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /api/events?camera=" + b"a" * 5000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 22\r\n\r\nname=anna&password=abc",
    b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nname=\r\n0\r\n\r\n",
    b"POST /logout HTTP/1.1\r\n" + HOST + b"Cookie: harstream_0=eyJ1c2VyIjog.a.b\r\nContent-Length: 0\r\n\r\n",
    b"PATCH /api/cameras/hall HTTP/1.1\r\n" + HOST + b"Authorization: Bearer \xff\xfe\r\nContent-Length: 2\r\n\r\n{}",
    b"GET /metrics HTTP/1.0\r\nX-Forwarded-For: ::1, a, 1.2.3\r\nX-User: \xc3\xa9\r\n" + HOST + b"\r\n",
    b"GET /live HTTP/1.1\r\n" + HOST + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\xff\x00\x00\x00\x00",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS where there is none
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]


@pytest.fixture(params=[{}, {"users": USERS, "tokens": [{"name": "grafana", "token": TOKEN}],
                             "proxy": {"addresses": ["127.0.0.1"], "user_header": "X-User"}}])  # fmt: skip
def view(request: pytest.FixtureRequest) -> Iterator[LiveView]:
    view = LiveView(LIGHT, web=request.param)
    view.start()
    yield view
    view.close()


def mutated(chance: random.Random) -> bytes:
    """Returns a sample in which some bytes are changed, removed or repeated, or which ends early."""
    text = bytearray(chance.choice(SAMPLES))
    for _ in range(chance.randrange(4)):
        place = chance.randrange(len(text))
        match chance.randrange(4):
            case 0:
                text[place] = chance.randrange(256)
            case 1:
                del text[place : place + chance.randrange(1, 20)]
            case 2:
                text[place:place] = text[place : place + chance.randrange(1, 200)]
            case 3:
                del text[place + 1 :]
    return bytes(text or b"\r\n")


def test_no_request_stops_the_server_or_writes_a_traceback(view: LiveView, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    chance = random.Random(SEED)
    for _ in range(REQUESTS):
        with socket.create_connection(view.address, timeout=5) as link:
            link.sendall(mutated(chance))
            if chance.random() < 0.7:  # others leave without reading
                link.shutdown(socket.SHUT_WR)
                try:
                    link.recv(65536)
                except ConnectionResetError:
                    continue
    assert httpx.get(f"{view.url}healthz").status_code == 200
    tracebacks = [record for record in caplog.records if record.exc_info or "Traceback" in record.message]
    assert tracebacks == []
