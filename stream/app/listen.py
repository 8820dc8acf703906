"""What `harstream listen` shows: each message of a broker as one readable line."""

from __future__ import annotations

import json
import queue
import threading

from rich.console import Console
from rich.text import Text

from harstream.mqtt.address import BrokerAddress
from harstream.mqtt.connection import Connection
from harstream.resilience.backoff import Backoff
from harstream.wire.errors import BrokerError, ConfigError
from harstream.wire.readable import printable, readable
from harstream.wire.topics import NAME

FIRST_WAIT, LONGEST_WAIT = 2.0, 10.0
"""Bounds of the waits between attempts to connect, in seconds."""


def listen(
    url: str,
    *,
    node: str = "+",
    observations: bool = False,
    raw: bool = False,
    console: Console | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Print until `stop` is set or Ctrl-C; a lost broker is waited for. Raises ConfigError or BrokerError at the start.

    `raw` prints the events' JSON as it is, one a line, for other programs.
    """
    console = console or Console(highlight=False)
    stop = stop or threading.Event()
    address = BrokerAddress.parse(url)
    messages: queue.Queue[tuple[str, bytes]] = queue.Queue()
    topics = _filters(node, observations=observations, raw=raw)
    connection = _subscribed(address, topics, messages)
    try:
        while not stop.is_set():
            _print_next(messages, console, raw=raw)
            if connection.lost.is_set():
                connection.close()
                console.print(Text(f"lost the broker {address.url}, waiting for it", style="dim"))
                connection = _subscribed_again(address, topics, messages, stop) or connection
    except KeyboardInterrupt:
        return
    finally:
        connection.close()


def _filters(node: str, *, observations: bool, raw: bool) -> list[str]:
    kinds = ["camera/+/event"]
    if observations:
        kinds.append("camera/+/observation")
    if not raw:
        kinds += ["status", "camera/+/availability"]
    if node != "+" and not NAME.fullmatch(node):
        raise ConfigError(f"expected the name of a node, or + for all, got {printable(node)!r}")
    return [f"har/{node}/{kind}" for kind in kinds]


def _subscribed(address: BrokerAddress, topics: list[str], messages: queue.Queue[tuple[str, bytes]]) -> Connection:
    connection = Connection(address, on_message=lambda topic, payload, _: messages.put((topic, payload)))
    connection.open()
    connection.subscribe(*topics)
    return connection


def _subscribed_again(
    address: BrokerAddress, topics: list[str], messages: queue.Queue[tuple[str, bytes]], stop: threading.Event
) -> Connection | None:
    backoff = Backoff(stop, first=FIRST_WAIT, longest=LONGEST_WAIT)
    while backoff.wait():
        try:
            return _subscribed(address, topics, messages)
        except BrokerError:
            # Said once, when it was lost.
            continue
    return None


def _print_next(messages: queue.Queue[tuple[str, bytes]], console: Console, *, raw: bool) -> None:
    try:
        topic, payload = messages.get(timeout=0.2)
    except queue.Empty:
        return
    if not raw:
        console.print(readable(topic, payload), soft_wrap=True)
        return
    try:
        # Written anew: JSON escapes all control characters, and it becomes one line.
        line = json.dumps(json.loads(payload), allow_nan=False)
    except (ValueError, RecursionError):
        console.print(readable(topic, payload), soft_wrap=True)
    else:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
