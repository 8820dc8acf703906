"""Accepts the connections of the embedded broker, with limits. amqtt has none, and gives a traceback per stranger."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker

log = logging.getLogger(__name__)

LISTENER = "default"
"""amqtt's name for this listener."""
MOST_CLIENTS = 200
"""Connections at a time. Cameras need the remaining handles of the process."""
LARGEST_PACKET = 16_000_000
"""Bytes. A snapshot is the largest message of harstream."""
LARGEST_CONNECT = 100_000
"""Bytes of the first packet."""
QUIET = 60.0
"""Seconds between two lines about refused connections."""
CONNECT = 0x10


class EmbeddedListener:
    """Passes connections that begin with CONNECT to amqtt, and closes all others. It runs on the broker's loop."""

    def __init__(self, broker: Broker, *, time_until_connect: float) -> None:
        """`time_until_connect`: longest wait for the first packet of a connection, in seconds."""
        self.refused = 0
        """Number of connections that were closed without a session."""
        self._broker = broker
        self._time_until_connect = time_until_connect
        self._clients = 0
        self._refused_since = 0
        self._logged_at = float("-inf")

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until its end. It never raises."""
        self._clients += 1
        try:
            if self._clients > MOST_CLIENTS:
                self._refuse(f"there are {MOST_CLIENTS} clients already")
            else:
                await self._serve(reader, writer)
        except TimeoutError:
            self._refuse(f"no CONNECT within {self._time_until_connect:g} s")
        except Exception as error:
            # amqtt raises errors of many kinds for bytes that are not MQTT.
            self._refuse(str(error) or type(error).__name__)
        finally:
            self._clients -= 1
            writer.close()

    def report(self, loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """Take an error of amqtt's own tasks, which asyncio would print with a traceback."""
        log.debug("the embedded broker: %s", context.get("exception") or context.get("message"))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await asyncio.wait_for(_first_packet(reader), self._time_until_connect)
        if first is None:
            self._refuse("the first packet is not a CONNECT")
            return

        def end(reason: str) -> None:
            self._refuse(reason)
            writer.transport.abort()

        limited = _LimitedReader(reader, first, end)
        await self._broker.external_connected(limited, StreamWriterAdapter(writer), LISTENER)

    def _refuse(self, reason: str) -> None:
        self.refused += 1
        self._refused_since += 1
        now = time.monotonic()
        if now - self._logged_at >= QUIET:
            log.warning(
                "the embedded broker refused %d connections, the last one because: %s", self._refused_since, reason
            )
            self._logged_at, self._refused_since = now, 0


class _LimitedReader(StreamReaderAdapter):  # type: ignore[misc]
    """Returns the first packet, then what comes. A packet over the limit ends the connection."""

    def __init__(self, reader: asyncio.StreamReader, first: bytes, end: Callable[[str], None]) -> None:
        """`end` ends the connection, and takes the reason."""
        super().__init__(reader)
        self._first = first
        self._end = end

    async def read(self, n: int = -1) -> bytes:
        if n > LARGEST_PACKET:
            self._end(f"a packet has {n:,} bytes")
            raise ConnectionResetError
        if not self._first:
            return bytes(await super().read(n))
        part, self._first = self._first[:n], self._first[n:]
        return part


async def _first_packet(reader: asyncio.StreamReader) -> bytes | None:
    """Return the bytes of a whole CONNECT, or None if the connection begins with something else."""
    head = await reader.readexactly(1)
    if head[0] != CONNECT:
        return None
    length = 0
    for shift in (0, 7, 14):
        head += await reader.readexactly(1)
        length |= (head[-1] & 127) << shift
        if head[-1] < 128:
            is_connect = 10 <= length <= LARGEST_CONNECT
            body = await reader.readexactly(length) if is_connect else b""
            return head + body if body[:6] == b"\x00\x04MQTT" else None
    return None
