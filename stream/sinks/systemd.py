"""What systemd is told of the service: that it is ready and alive, how its cameras fare, that it reloads or stops.

Source: sd_notify(3). The libraries for it are dead, or wait when a message cannot be taken at once.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections import Counter

from harstream.wire.errors import SinkError
from harstream.wire.values import Health, HealthState, Notice


class Systemd:
    """An EventSink and HealthSink. The loop that recognizes tells it of the cameras once a second, and so systemd's
    watchdog is fed by that loop alone; a timer would feed it while recognition hangs.

    looks of the loop:  1             2                        3 hangs
    systemd is told:    READY, alive  alive, 2 of 2 live       ~         and restarts the service after WatchdogSec
    """

    def __init__(self, address: str) -> None:
        """`address`: NOTIFY_SOCKET, that is a datagram socket's, with @ in front an abstract one's; empty: nobody is
        told."""
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._is_ready = False
        self._looked_at: float | None = None
        self._states: list[HealthState] = []
        """Of the cameras, in the look under way."""

    def handle(self, notice: Notice) -> None:
        """What is recognized is no business of systemd's."""

    def report(self, health: Health) -> None:
        if health.time == self._looked_at:
            self._states.append(health.state)
            return
        status = [f"STATUS={_status(self._states)}"] if self._states else []  # only a look that is over saw them all
        self._looked_at, self._states = health.time, [health.state]
        self._say(*([] if self._is_ready else ["READY=1"]), "WATCHDOG=1", *status)
        self._is_ready = True

    def reload(self) -> None:
        """The configuration is being read again, until `reloaded` or another service's first look. From any thread;
        before the first look it says nothing, as does `reloaded`, for the service is not ready."""
        if not self._is_ready:
            return
        self._try_to_say("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def reloaded(self) -> None:
        """From any thread."""
        if self._is_ready:
            self._try_to_say("READY=1")

    def stop(self) -> None:
        """The service ends, by itself or because it was asked to."""
        self._try_to_say("STOPPING=1")

    def close(self) -> None:
        """Nothing is open."""

    def _try_to_say(self, *lines: str) -> None:
        with contextlib.suppress(SinkError):  # the next look tells that nobody listens
            self._say(*lines)

    def _say(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)
                sender.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            raise SinkError(f"expected systemd to listen at NOTIFY_SOCKET, got: {error}") from error


def _status(states: list[HealthState]) -> str:
    """`3 of 4 cameras live, 1 offline`."""
    counts = Counter(states)
    others = [f"{count} {state}" for state, count in counts.items() if state is not HealthState.LIVE]
    return ", ".join([f"{counts[HealthState.LIVE]} of {len(states)} cameras live", *others])
