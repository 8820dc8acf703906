"""Reports to systemd that the service is ready, alive, reloading or stopping, and its cameras' health.

Source: sd_notify(3). The libraries for it are unmaintained, or block if systemd does not read at once.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections import Counter

from harstream.wire.errors import SinkError
from harstream.wire.health import Health, HealthState
from harstream.wire.values import Notice


class Systemd:
    """An EventSink and HealthSink. The recognition loop reports health once a second, which feeds the watchdog.

    A timer would feed the watchdog even while recognition hangs.

    health check:        1             2                       3 hangs
    systemd receives:    READY, alive  alive, 2 of 2 live      ~         and restarts the service after WatchdogSec
    """

    def __init__(self, address: str) -> None:
        """`address`: NOTIFY_SOCKET, a datagram socket; abstract if it begins with @. If empty, nothing is sent."""
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._is_ready = False
        self._checked_at: float | None = None
        self._states: list[HealthState] = []
        """The cameras' states in the current health check."""

    def handle(self, notice: Notice) -> None:
        """Do nothing: systemd does not need notices."""

    def report(self, health: Health) -> None:
        if health.time == self._checked_at:
            self._states.append(health.state)
            return
        status = [f"STATUS={_status(self._states)}"] if self._states else []  # only a finished check covers all cameras
        self._checked_at, self._states = health.time, [health.state]
        self._send(*([] if self._is_ready else ["READY=1"]), "WATCHDOG=1", *status)
        self._is_ready = True

    def report_reloading(self) -> None:
        """Report a reload, until `report_reloaded` or the first health check of the restarted service.

        Callable from any thread. Before the first check it sends nothing, because the service is not ready.
        """
        if not self._is_ready:
            return
        self._try_to_send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def report_reloaded(self) -> None:
        """Report the end of a reload. Callable from any thread."""
        if self._is_ready:
            self._try_to_send("READY=1")

    def report_stopping(self) -> None:
        """Report that the service stops."""
        self._try_to_send("STOPPING=1")

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def _try_to_send(self, *lines: str) -> None:
        with contextlib.suppress(SinkError):  # the next health check raises it
            self._send(*lines)

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)
                sender.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            raise SinkError(f"expected systemd to listen at NOTIFY_SOCKET, got: {error}") from error


def _status(states: list[HealthState]) -> str:
    """Return a line such as `3 of 4 cameras live, 1 offline`."""
    counts = Counter(states)
    others = [f"{count} {state}" for state, count in counts.items() if state is not HealthState.LIVE]
    return ", ".join([f"{counts[HealthState.LIVE]} of {len(states)} cameras live", *others])
