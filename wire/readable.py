"""Formats a message of harstream as one readable line for a terminal."""

from __future__ import annotations

import zlib
from datetime import datetime

from rich.text import Text

from harstream.models.contract import UNKNOWN
from harstream.wire.messages.camera import ObservationMessage
from harstream.wire.messages.event import EventMessage
from harstream.wire.messages.forecast import ForecastMessage, NextMessage

COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_red", "bright_cyan", "bright_green", "bright_magenta")
LONGEST_FIELD = 64
LONGEST_REASON = 200


def readable(topic: str, payload: bytes) -> Text:
    """Return one line for a message. Only printable text reaches the terminal, whatever the sender wrote."""
    kind = topic.rsplit("/", 1)[-1]
    try:
        if kind == "event":
            return event_line(EventMessage.model_validate_json(payload))
        if kind == "observation":
            return _observation_line(ObservationMessage.model_validate_json(payload))
        if kind == "forecast" and payload:  # an empty one clears the forecast
            return forecast_line(ForecastMessage.model_validate_json(payload))
    except (ValueError, OverflowError, OSError):
        # pydantic raises a ValueError. datetime raises any of the three for times before the year 1 or after 9999.
        return Text(f"{printable(topic)}: not a message of harstream: {printable(_decoded(payload))}", style="dim")
    return Text(f"{printable(topic)}: {printable(_decoded(payload))}", style="dim")


def event_line(event: EventMessage) -> Text:
    """Return one line for an event, with the local time."""
    sign = {"start": "▶ start ", "update": "· update", "end": "■ end   "}[event.event_type]
    score = event.confidence.mean if event.event_type == "end" else event.confidence.last
    # An end is decided some seconds after the activity's last frame, and updates come until then.
    line = _head(event.updated_at, event.camera)
    line.append(f"{sign}  ", style="bold" if event.event_type != "update" else "dim")
    line.append(f"{printable(event.activity):<24}", style=colour(event.activity))
    line.append(f" {score:4.0%}")
    line.append(_by(event.person))
    if event.ended_at is not None:
        line.append(f"  {event.duration_s:.1f} s, until {datetime.fromtimestamp(event.ended_at):%H:%M:%S}")
    if event.end_reason:
        line.append(f"  {printable(event.end_reason).replace('_', ' ')}", style="dim")
    if event.historical:
        line.append("  reported late", style="dim")
    return line


def _observation_line(observation: ObservationMessage) -> Text:
    line = _head(observation.t, observation.camera)
    if observation.p is None or observation.symbol is None:
        line.append(f"  missing   {printable(observation.reason or '')}", style="dim")
        return line
    line.append("  saw       ", style="dim")
    line.append(f"{printable(observation.symbol):<24}", style=colour(observation.symbol))
    line.append(f" {max(observation.p, default=0.0):4.0%}", style="dim")
    line.append(_by(observation.person), style="dim")
    return line


def _by(person: int | None) -> str:
    return "" if person is None else f"  person {person}"


def forecast_line(forecast: ForecastMessage) -> Text:
    """Return one line for a forecast: what is next and when, or why that is not known, and what is unusual."""
    line = _head(forecast.made_at, "the home" if forecast.camera is None else forecast.camera)
    if forecast.next is None:
        reason = printable(forecast.next_reason or "no reason given", LONGEST_REASON)
        line.append(f"  next      not known: {reason}", style="dim")
    else:
        _append_next(line, forecast.next, forecast.made_at)
    if (unusual := forecast.unusual) is not None:
        what = "lasts unusually long, since" if unusual.kind == "lasts_long" else "has not begun as usual, by"
        line.append(
            f"  {printable(unusual.activity)} {what} {_clock(unusual.since, forecast.made_at)}", style="bold red"
        )
    return line


def _append_next(line: Text, following: NextMessage, made_at: float) -> None:
    line.append("  next      ", style="dim")
    line.append(f"{printable(following.activity):<24}", style=colour(following.activity))
    line.append(f" {following.p:4.0%}  about {_clock(following.expected_at, made_at)}")
    others = [f"{printable(each.activity)} {each.p:.0%}" for each in following.alternatives or ()]
    if others:
        line.append(f"  or {', '.join(others)}", style="dim")


def colour(activity: str) -> str:
    """Return the same colour for the same name, on every machine and in every run."""
    if activity == UNKNOWN:
        return "dim"
    return COLOURS[zlib.crc32(activity.encode(errors="replace")) % len(COLOURS)]


def _clock(seconds: float, now: float) -> str:
    """Return the local time of day, with the weekday if it is another day than now."""
    moment = datetime.fromtimestamp(seconds)
    is_today = moment.date() == datetime.fromtimestamp(now).date()
    return f"{moment:%H:%M:%S}" if is_today else f"{moment:%a %H:%M:%S}"


def _head(seconds: float, camera: str) -> Text:
    line = Text(f"{datetime.fromtimestamp(seconds):%H:%M:%S}  ")
    line.append(f"{printable(camera):<12} ")
    return line


def printable(text: str, longest: int = LONGEST_FIELD) -> str:
    """Cut the text and replace escape codes and direction marks, which could overwrite the terminal."""
    cut = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in cut)


def _decoded(payload: bytes) -> str:
    return payload.decode(errors="replace")
