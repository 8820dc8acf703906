"""What `harstream listen` shows: each message of a broker as one readable line."""

from __future__ import annotations

import json
import queue
import threading
import zlib
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, ConfigDict, FiniteFloat, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from rich.console import Console
from rich.text import Text

from models.contract import UNKNOWN
from stream.connection import BrokerAddress, Connection
from stream.errors import BrokerError, ConfigError
from stream.wire import NAME

COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_red", "bright_cyan", "bright_green", "bright_magenta")
LONGEST_FIELD = 64
RETRY = 2.0

_LENIENT = ConfigDict(extra="ignore")


@dataclass(frozen=True, config=_LENIENT)
class _Confidence:
    mean: FiniteFloat
    last: FiniteFloat


@dataclass(frozen=True, config=_LENIENT)
class _Event:
    event_type: Literal["start", "update", "end"]
    camera: str
    activity: str
    confidence: _Confidence
    updated_at: AwareDatetime
    duration_s: FiniteFloat
    ended_at: AwareDatetime | None = None
    end_reason: str | None = None
    historical: bool = False


@dataclass(frozen=True, config=_LENIENT)
class _Observation:
    camera: str
    t: AwareDatetime
    symbol: str | None = None
    p: list[FiniteFloat] | None = None
    reason: str | None = None


_EVENT = TypeAdapter(_Event)
_OBSERVATION = TypeAdapter(_Observation)


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


def readable(topic: str, payload: bytes) -> Text:
    """One line for one message; whatever a stranger sent, nothing of it reaches the terminal but printable text."""
    kind = topic.rsplit("/", 1)[-1]
    try:
        if kind == "event":
            return _event_line(_EVENT.validate_json(payload))
        if kind == "observation":
            return _observation_line(_OBSERVATION.validate_json(payload))
    except (ValidationError, OverflowError, OSError):
        # The last two are what datetime raises for times near the year 1 or 9999.
        return Text(f"{_safe(topic)}: not a message of harstream: {_safe(_decoded(payload))}", style="dim")
    return Text(f"{_safe(topic)}: {_safe(_decoded(payload))}", style="dim")


def _event_line(event: _Event) -> Text:
    sign = {"start": "▶ start ", "update": "· update", "end": "■ end   "}[event.event_type]
    score = event.confidence.mean if event.event_type == "end" else event.confidence.last
    line = _head(event.ended_at or event.updated_at, event.camera)
    line.append(f"{sign}  ", style="bold" if event.event_type != "update" else "dim")
    line.append(f"{_safe(event.activity):<24}", style=colour(event.activity))
    line.append(f" {score:4.0%}")
    if event.event_type != "start":
        line.append(f"  {event.duration_s:.1f} s")
    if event.end_reason:
        line.append(f"  {_safe(event.end_reason).replace('_', ' ')}", style="dim")
    if event.historical:
        line.append("  told late", style="dim")
    return line


def _observation_line(observation: _Observation) -> Text:
    line = _head(observation.t, observation.camera)
    if observation.p is None or observation.symbol is None:
        line.append(f"  missing   {_safe(observation.reason or '')}", style="dim")
        return line
    line.append("  saw       ", style="dim")
    line.append(f"{_safe(observation.symbol):<24}", style=colour(observation.symbol))
    line.append(f" {max(observation.p, default=0.0):4.0%}", style="dim")
    return line


def colour(activity: str) -> str:
    """The same for the same name, on every machine and in every run."""
    if activity == UNKNOWN:
        return "dim"
    return COLOURS[zlib.crc32(activity.encode(errors="replace")) % len(COLOURS)]


def _head(time: datetime, camera: str) -> Text:
    """Local time and camera."""
    line = Text(f"{time.astimezone():%H:%M:%S}  ", style="")
    line.append(f"{_safe(camera):<12} ")
    return line


def _safe(text: str) -> str:
    """Without the escape codes and writing directions with which a stranger could paint over the terminal."""
    cut = text if len(text) <= LONGEST_FIELD else f"{text[: LONGEST_FIELD - 1]}…"
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in cut)


def _decoded(payload: bytes) -> str:
    return payload.decode(errors="replace")


def _filters(node: str, *, observations: bool, raw: bool) -> list[str]:
    kinds = ["camera/+/event"]
    if observations:
        kinds.append("camera/+/observation")
    if not raw:
        kinds += ["status", "camera/+/availability"]
    if node != "+" and not NAME.fullmatch(node):
        raise ConfigError(f"expected the name of a node, or + for all, got {_safe(node)!r}")
    return [f"har/{node}/{kind}" for kind in kinds]


def _subscribed(address: BrokerAddress, topics: list[str], messages: queue.Queue[tuple[str, bytes]]) -> Connection:
    connection = Connection(address, on_message=lambda topic, payload, _: messages.put((topic, payload)))
    connection.open()
    connection.subscribe(*topics)
    return connection


def _subscribed_again(
    address: BrokerAddress, topics: list[str], messages: queue.Queue[tuple[str, bytes]], stop: threading.Event
) -> Connection | None:
    while not stop.wait(RETRY):
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
