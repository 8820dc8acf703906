"""A message of harstream as one readable line for a terminal."""

from __future__ import annotations

import zlib
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, ConfigDict, FiniteFloat, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from rich.text import Text

from harstream.models.contract import UNKNOWN

COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_red", "bright_cyan", "bright_green", "bright_magenta")
LONGEST_FIELD = 64

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
        return Text(f"{printable(topic)}: not a message of harstream: {printable(_decoded(payload))}", style="dim")
    return Text(f"{printable(topic)}: {printable(_decoded(payload))}", style="dim")


def _event_line(event: _Event) -> Text:
    sign = {"start": "▶ start ", "update": "· update", "end": "■ end   "}[event.event_type]
    score = event.confidence.mean if event.event_type == "end" else event.confidence.last
    line = _head(event.ended_at or event.updated_at, event.camera)
    line.append(f"{sign}  ", style="bold" if event.event_type != "update" else "dim")
    line.append(f"{printable(event.activity):<24}", style=colour(event.activity))
    line.append(f" {score:4.0%}")
    if event.event_type != "start":
        line.append(f"  {event.duration_s:.1f} s")
    if event.end_reason:
        line.append(f"  {printable(event.end_reason).replace('_', ' ')}", style="dim")
    if event.historical:
        line.append("  told late", style="dim")
    return line


def _observation_line(observation: _Observation) -> Text:
    line = _head(observation.t, observation.camera)
    if observation.p is None or observation.symbol is None:
        line.append(f"  missing   {printable(observation.reason or '')}", style="dim")
        return line
    line.append("  saw       ", style="dim")
    line.append(f"{printable(observation.symbol):<24}", style=colour(observation.symbol))
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
    line.append(f"{printable(camera):<12} ")
    return line


def printable(text: str) -> str:
    """Without the escape codes and writing directions with which a stranger could paint over the terminal."""
    cut = text if len(text) <= LONGEST_FIELD else f"{text[: LONGEST_FIELD - 1]}…"
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in cut)


def _decoded(payload: bytes) -> str:
    return payload.decode(errors="replace")
