"""Limits the connections of the web server, so that cameras, broker and files keep handles in reserve.

A client can open many connections and never complete a request. Such a connection is closed after some seconds. If all
connections are in use, the oldest one without a complete request makes room for a new one:

    a = half of a request, R = a whole request; at most three connections
    opened:     a1   a2   a3   R4        a5        a6
    closed:                    a1        R4*       a2           * answered
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections import Counter
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from harstream.resilience.outage import QUIET, Outage

SHARE = 4
"""The web server takes at most this part of the process's handles: one in four."""
FEWEST, MOST = 8, 256
"""Bounds of the number of connections."""
CLOSING = 8
"""Connections that may be open above the limit while others are being closed."""
LONGEST_WAIT = 10.0
"""Seconds in which a client must send a whole request, the TLS handshake included."""
SWEEPS = 1.0
"""Seconds between two searches for clients that wait too long."""
STALLED_AFTER = 30_000
"""Milliseconds after which a client that acknowledges no data is disconnected. Source: tcp(7), TCP_USER_TIMEOUT."""
OUT_OF_HANDLES = "socket.accept() out of system resource"
"""The message that asyncio gives to the loop's exception handler."""

log = logging.getLogger(__name__)


def most_connections() -> int:
    """Return the number of connections that the web server may have at once."""
    if os.name != "posix":
        return MOST
    import resource

    handles = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST if handles == resource.RLIM_INFINITY else max(FEWEST, min(MOST, handles // SHARE))


class Connections:
    """The open connections. Only the server's event loop uses it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: dict[int, _Connection] = {}
        self._full = Outage(
            log,
            f"the {most} connections of the page",
            begins="%s are in use: those without a complete request are closed, the first from %s",
            ends="%s were not enough: %d were closed, now there is room again",
            quiet=QUIET,
        )
        self._no_handles = Outage(
            log,
            "the page",
            begins="%s cannot accept connections: %s (it retries each second)",
            ends="%s accepts connections again after %d failures",
            quiet=QUIET,
        )

    def has_room(self) -> bool:
        """Return whether another connection may be accepted now."""
        return len(self._open) < self._most + CLOSING

    def add(self, connection: _Connection) -> bool:
        """Add a connection, and close another one if there are too many. Return False if none can be closed."""
        self._no_handles.record_success()
        if len(self._open) >= self._most:
            victim = self._oldest_of_the_greediest()
            self._full.record_failure((victim or connection).address)
            if victim is None:
                return False
            victim.stop()
        self._open[connection.fileno()] = connection
        return True

    def remove(self, handle: int) -> None:
        self._open.pop(handle, None)

    def mark(self, handle: int, *, is_waiting: bool) -> None:
        """Store whether the server waits for the rest of a request on this connection."""
        if (connection := self._open.get(handle)) is not None:
            connection.mark(is_waiting=is_waiting)

    async def sweep(self) -> None:
        """Close connections that wait too long, until cancelled."""
        asyncio.get_running_loop().set_exception_handler(self._handle_loop_error)
        while True:
            await asyncio.sleep(SWEEPS)
            earliest = time.monotonic() - LONGEST_WAIT
            for connection in self._open.values():
                if connection.waiting_since is not None and connection.waiting_since < earliest:
                    connection.stop()
            if len(self._open) <= self._most // 2:
                self._full.record_success()

    def _oldest_of_the_greediest(self) -> _Connection | None:
        """Return the connection that waits longest, of the address with the most waiting connections."""
        waiting = [connection for connection in self._open.values() if connection.waiting_since is not None]
        counts = Counter(connection.address for connection in waiting)
        return min(waiting, key=lambda one: (-counts[one.address], one.waiting_since), default=None)

    def _handle_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Count connections that cannot be accepted. asyncio would log a traceback for each attempt."""
        if context.get("message") == OUT_OF_HANDLES:
            self._no_handles.record_failure(getattr(context.get("exception"), "strerror", "out of handles"))
        else:
            loop.default_exception_handler(context)


class Listener(socket.socket):
    """A listening socket that accepts within the limits. It takes over the handle of another socket."""

    def __init__(self, listening: socket.socket, connections: Connections) -> None:
        super().__init__(fileno=listening.detach())
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED_AFTER)
        self._connections = connections

    def accept(self) -> tuple[socket.socket, Any]:
        """Return a new connection. Raises BlockingIOError or ConnectionAbortedError, after which asyncio goes on."""
        if not self._connections.has_room():
            raise BlockingIOError  # the event loop first closes what was stopped
        accepted, address = super().accept()
        connection = _Connection(accepted, str(address[0]), self._connections)
        if not self._connections.add(connection):
            connection.close()
            raise ConnectionAbortedError
        return connection, address


class _Connection(socket.socket):
    """An accepted socket that knows how long the server has been waiting for its request."""

    def __init__(self, accepted: socket.socket, address: str, connections: Connections) -> None:
        super().__init__(fileno=accepted.detach())
        self.address = address
        self.waiting_since: float | None = time.monotonic()
        """Seconds of the monotonic clock. None while the server answers, for a WebSocket, and after `stop`."""
        self._connections = connections
        self._is_stopped = False

    def mark(self, *, is_waiting: bool) -> None:
        if not is_waiting or self._is_stopped:
            self.waiting_since = None
        elif self.waiting_since is None:
            self.waiting_since = time.monotonic()

    def stop(self) -> None:
        """End the connection. The event loop then reads its end, and closes the socket."""
        self._is_stopped, self.waiting_since = True, None
        try:
            self.shutdown(socket.SHUT_RDWR)
        except OSError:  # the client was faster
            return

    def close(self) -> None:
        self._connections.remove(self.fileno())
        super().close()


class LimitedProtocol(H11Protocol):
    """uvicorn's HTTP protocol. It reports when it waits for a client."""

    def __init__(self, connections: Connections, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._limits = connections

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._report()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._report()

    def _report(self) -> None:
        handle = self.transport.get_extra_info("socket").fileno()
        self._limits.mark(handle, is_waiting=self.conn.their_state in (h11.IDLE, h11.SEND_BODY))
