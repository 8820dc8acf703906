"""The work of `harstream listen`: subscribes at a broker and prints each message as one line."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.broker.connection import Connection
from harstream.resilience.backoff import Backoff
from harstream.wire.errors import BrokerError, ConfigError
from harstream.wire.readable import printable, readable
from harstream.wire.topics import NAME

FIRST_WAIT, LONGEST_WAIT = 2.0, 10.0
"""Shortest and longest wait between two attempts to connect, in seconds."""
POLL_INTERVAL = 0.2
"""Seconds between two checks whether to stop."""


def topics_of(node: str, *, observations: bool = False, raw: bool = False) -> list[str]:
    """Return the topics to subscribe to. `node`: a name, or + for all. Raises ConfigError for other texts."""
    if node != "+" and not NAME.fullmatch(node):
        raise ConfigError(f"expected the name of a node, or + for all, got {printable(node)!r}")
    kinds = ["camera/+/event"]
    if observations:
        kinds.append("camera/+/observation")
    if not raw:
        kinds += ["status", "camera/+/availability", "camera/+/forecast", "forecast", "forecaster/status"]
    return [f"har/{node}/{kind}" for kind in kinds]


class Printer:
    """Prints messages as readable text, or with `raw` as one line of JSON each."""

    def __init__(self, console: Console, *, raw: bool = False) -> None:
        self._console = console
        self._raw = raw

    def print_message(self, topic: str, payload: bytes) -> None:
        """Print one line, for any payload."""
        line = _one_line_of_json(payload) if self._raw else None
        if line is None:
            self._console.print(readable(topic, payload), soft_wrap=True)
        else:
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def print_loss(self, broker: str) -> None:
        self._console.print(Text(f"lost the broker {broker}, waiting for it", style="dim"))


class Listener:
    """Prints messages until `stop`. It reconnects after a lost connection."""

    def __init__(self, address: BrokerAddress, topics: Sequence[str], printer: Printer) -> None:
        self._address = address
        self._topics = topics
        self._printer = printer
        self._stopping = threading.Event()
        self._messages: queue.Queue[tuple[str, bytes]] = queue.Queue()

    def stop(self) -> None:
        """End `run` soon. Callable from any thread and from a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Print until `stop`. Raises BrokerError if the first attempt to connect fails."""
        connection = self._connect()
        try:
            while not self._stopping.is_set():
                self._print_next()
                if connection.lost.is_set():
                    connection.close()
                    self._printer.print_loss(self._address.url)
                    connection = self._reconnect() or connection
        finally:
            connection.close()

    def _connect(self) -> Connection:
        connection = Connection(
            self._address, on_message=lambda topic, payload, _: self._messages.put((topic, payload))
        )
        connection.open()
        connection.subscribe(*self._topics)
        return connection

    def _reconnect(self) -> Connection | None:
        """Retry until it succeeds. Return None after `stop`."""
        backoff = Backoff(self._stopping, first=FIRST_WAIT, longest=LONGEST_WAIT)
        while backoff.wait():
            try:
                return self._connect()
            except BrokerError:  # the loss was printed once
                continue
        return None

    def _print_next(self) -> None:
        try:
            topic, payload = self._messages.get(timeout=POLL_INTERVAL)
        except queue.Empty:
            return
        self._printer.print_message(topic, payload)


def _one_line_of_json(payload: bytes) -> str | None:
    """Return JSON as one line with escaped control characters, or None if the payload is not JSON."""
    try:
        return json.dumps(json.loads(payload), allow_nan=False)
    except (ValueError, RecursionError):
        return None
