"""A network camera over RTSP that stamps its pictures as a test wants: too slow, standing still, in bursts, damaged."""

from __future__ import annotations

import base64
import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import TracebackType

import av

CLOCK = 90_000
"""RTP ticks per second of H.264. Source: RFC 6184, section 5.1."""
LARGEST_PACKET = 1400
BETWEEN = 0.04
"""Seconds from the last stamp before a change to the first one after it."""
Stamp = Callable[[float], float]
"""The camera's time in seconds from the true seconds since its start."""


@dataclass(frozen=True)
class Habits:
    """What is peculiar about the camera."""

    stamp: Stamp = lambda seconds: seconds
    fps: float = 25.0
    burst: int = 1
    """Pictures that are sent at once."""
    damaged: int = 0
    """Every n-th picture contains random bytes; 0: none."""
    is_frozen: bool = False
    """It repeats the first picture of the film."""
    session_name: bytes = b"camera"


class StampedCamera:
    """Serves an H.264 file as an endless live stream to one client at a time, over TCP.

    Its film and its habits may change while a client watches. Its time then goes on from the last stamp.
    """

    def __init__(self, film: Path, habits: Habits) -> None:
        self._now = list(_pictures(film)), habits
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._clients: list[socket.socket] = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._accept)

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self._listener.getsockname()[1]}/camera"

    def change(self, habits: Habits, film: Path | None = None) -> None:
        """Behave in another way from now on, and show another film if one is given."""
        self._now = self._now[0] if film is None else list(_pictures(film)), habits

    def __enter__(self) -> StampedCamera:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for client in self._clients:
            client.close()
        self._thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._clients.append(client)
                threading.Thread(target=self._serve, args=(client,)).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), client.makefile("rb") as lines:
            while request := lines.readline().split():
                headers = dict(line.lower().split(b": ", 1) for line in iter(lambda: lines.readline().strip(), b""))
                answer = b"RTSP/1.0 200 OK\r\nCSeq: " + headers[b"cseq"] + b"\r\nSession: 1\r\n"
                client.sendall(answer + self._details(request[0].decode()))
                if request[0] == b"PLAY":
                    threading.Thread(target=self._play, args=(client,)).start()

    def _details(self, method: str) -> bytes:
        if method == "SETUP":
            return b"Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
        if method == "OPTIONS":
            return b"Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n"
        if method != "DESCRIBE":
            return b"\r\n"
        pictures, habits = self._now
        sets = b",".join(base64.b64encode(unit) for unit in pictures[0] if unit[0] & 31 in (7, 8))
        description = (
            b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=" + habits.session_name + b"\r\nt=0 0\r\n"
            b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
            b"a=fmtp:96 packetization-mode=1;sprop-parameter-sets=" + sets + b"\r\na=control:track0\r\n"
        )
        return b"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n" % len(description) + description

    def _play(self, client: socket.socket) -> None:
        sequence, start = 0, 0.0
        with contextlib.suppress(OSError):
            while not self._is_over.is_set():
                for seconds, units in self._sent_now(start):
                    start, stamp = seconds + BETWEEN, int(seconds * CLOCK) % 2**32
                    for payload, is_last in _payloads(units):
                        header = struct.pack(">BBHII", 0x80, 96 | is_last << 7, sequence % 2**16, stamp, 1)
                        client.sendall(struct.pack(">cBH", b"$", 0, len(header + payload)) + header + payload)
                        sequence += 1

    def _sent_now(self, start: float) -> Iterator[tuple[float, list[bytes]]]:
        """Wait for each picture, and yield its stamp in seconds and its NAL units, until film or habits change."""
        now, began = self._now, time.monotonic()
        pictures, habits = now
        for number in count():
            due = (number // habits.burst + 1) * habits.burst if habits.burst > 1 else number
            if self._is_over.wait(max(0.0, began + due / habits.fps - time.monotonic())) or self._now is not now:
                return
            units = pictures[0 if habits.is_frozen else number % len(pictures)]
            is_damaged = habits.damaged and (number + 1) % habits.damaged == 0
            yield start + habits.stamp(number / habits.fps), _damaged(units, number) if is_damaged else units


def _damaged(units: list[bytes], seed: int) -> list[bytes]:
    noise = random.Random(seed)
    return [unit if unit[0] & 31 not in (1, 5) else unit[:1] + noise.randbytes(40) for unit in units]


def _pictures(film: Path) -> Iterator[list[bytes]]:
    """Yield the NAL units of each picture."""
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        to_units = av.BitStreamFilterContext("h264_mp4toannexb", stream)
        for packet in container.demux(stream):
            for filtered in to_units.filter(packet if packet.size else None):
                units = bytes(filtered).replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")
                yield [unit for unit in units if unit]


def _payloads(units: list[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield RTP payloads and whether they end the picture. Long units are fragmented. Source: RFC 6184, section 5.8."""
    for number, unit in enumerate(units):
        is_end = number == len(units) - 1
        if len(unit) <= LARGEST_PACKET:
            yield unit, is_end
            continue
        parts = [unit[at : at + LARGEST_PACKET] for at in range(1, len(unit), LARGEST_PACKET)]
        for index, part in enumerate(parts):
            is_first, is_last = index == 0, index == len(parts) - 1
            flags = is_first << 7 | is_last << 6 | unit[0] & 31
            yield bytes([unit[0] & 0xE0 | 28, flags]) + part, is_end and is_last
