"""A broker on a real socket that misbehaves as asked, in ways that mosquitto cannot be made to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 4, 8, 12, 14
ACCEPT = 0

Answer = Callable[[str, bytes], int | None]
"""Takes topic and payload of a message. Returns the reason code of its acknowledgement; None disconnects."""


@dataclass
class FakeBroker:
    """Speaks MQTT 5, or 3.1.1 alone. It keeps what it takes, and answers each message as `answer` says."""

    version: int = 5
    answer: Answer = lambda topic, payload: ACCEPT
    max_packet: int | None = None
    """Maximum Packet Size of the CONNACK. The broker does not enforce it."""
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """The topic of each message of QoS 1, also of those that the broker refused."""
    connections: int = 0
    server: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _threads: list[threading.Thread] = field(default_factory=list)
    _clients: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.server.getsockname()[1]}"

    def payloads(self, ending: str) -> list[bytes]:
        return [payload for topic, payload in list(self.taken) if topic.endswith(ending)]

    def start(self) -> None:
        self._run(self._accept)

    def close(self) -> None:
        # A blocked accept returns after a shutdown of its socket, but not after its close.
        self.server.shutdown(socket.SHUT_RDWR)
        for client in self._clients:
            _end(client)
        for thread in self._threads:
            thread.join(10)
        self.server.close()

    def _run(self, work: Callable[[], None]) -> None:
        self._threads.append(threading.Thread(target=work))
        self._threads[-1].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            self._clients.append(client)
            self._run(lambda client=client: self._serve(client))  # type: ignore[misc]

    def _serve(self, client: socket.socket) -> None:
        try:
            with client:
                while self._handle(client, *_packet(client)):
                    pass
        except (OSError, EOFError):
            return

    def _handle(self, client: socket.socket, first: int, body: bytes) -> bool:
        """Returns whether the connection stays."""
        match first >> 4:
            case kind if kind == CONNECT:
                return self._welcome(client, version=body[6])
            case kind if kind == SUBSCRIBE:
                client.sendall(
                    b"\x90" + (b"\x04" + body[:2] + b"\x00\x01" if self.version == 5 else b"\x03" + body[:2] + b"\x01")
                )
            case kind if kind == PINGREQ:
                client.sendall(b"\xd0\x00")
            case kind if kind == PUBLISH:
                return self._take(client, first, body)
            case kind if kind == DISCONNECT:
                return False
        return True

    def _welcome(self, client: socket.socket, version: int) -> bool:
        if version != self.version:
            client.sendall(b"\x20\x02\x00\x01")  # 3.1.1: unacceptable protocol version
            return False
        self.connections += 1
        limit = b"" if self.max_packet is None else b"\x27" + self.max_packet.to_bytes(4, "big")
        client.sendall(b"\x20\x02\x00\x00" if version == 4 else bytes((0x20, 3 + len(limit), 0, 0, len(limit))) + limit)
        return True

    def _take(self, client: socket.socket, first: int, body: bytes) -> bool:
        length = int.from_bytes(body[:2], "big")
        topic, rest, has_id = body[2 : 2 + length].decode(), body[2 + length :], bool(first & 6)
        number, rest = (rest[:2], rest[2:]) if has_id else (b"", rest)
        payload = rest[1 + rest[0] :] if self.version == 5 else rest
        if has_id:
            self.asked.append(topic)
        code = self.answer(topic, payload)
        if code is None:
            return False
        if code < 0x80:
            self.taken.append((topic, payload))
        if has_id:
            client.sendall(b"\x40\x03" + number + bytes([code]) if code else b"\x40\x02" + number)
        return True


@pytest.fixture
def fake_broker() -> Iterator[FakeBroker]:
    broker = FakeBroker()
    broker.start()
    yield broker
    broker.close()


def _packet(client: socket.socket) -> tuple[int, bytes]:
    first, length, shift = _read(client, 1)[0], 0, 0
    while True:
        digit = _read(client, 1)[0]
        length |= (digit & 127) << shift
        shift += 7
        if digit < 128:
            return first, _read(client, length)


def _read(client: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = client.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def _end(client: socket.socket) -> None:
    try:
        client.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
