"""Messages become lines for a person to read, also those that strangers send."""

from __future__ import annotations

import io
import json
from datetime import datetime

import pytest
from rich.console import Console

from harstream.wire.context import Context
from harstream.wire.messages.camera import ObservationMessage
from harstream.wire.messages.event import EventMessage
from harstream.wire.payloads import encode_json
from harstream.wire.readable import colour, readable
from harstream.wire.values import EndReason, EventType
from tests.support.values import MakeEvent, MakeNotice, subject

TOPIC = "har/nuc1/camera/hall/event"


def local(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds):%H:%M:%S}"


def test_start_shows_time_camera_activity_and_score(make_event: MakeEvent, context: Context) -> None:
    line = readable(TOPIC, EventMessage.of(make_event(), context).encode())
    expected = ["▶", "start", "JumpingJack", "37%"]
    assert line.plain.split() == [local(1_700_000_002.22), "hall", *expected]


def test_end_adds_duration_and_reason(make_event: MakeEvent, context: Context) -> None:
    line = readable(TOPIC, EventMessage.of(make_event(EventType.END), context).encode())
    expected = ["■", "end", "JumpingJack", "81%", "8.4", "s,", "until", local(1_700_000_009.52), "low", "confidence"]
    assert line.plain.split()[2:] == expected


def test_an_end_is_not_shown_before_the_update_before_it(make_event: MakeEvent, context: Context) -> None:
    update = make_event(EventType.UPDATE, updated_at=1_700_000_012.0)
    end = make_event(EventType.END, updated_at=1_700_000_013.0, ended_at=1_700_000_009.0)
    shown = [readable(TOPIC, EventMessage.of(event, context).encode()).plain for event in (update, end)]
    assert [line.split()[0] for line in shown] == [local(1_700_000_012.0), local(1_700_000_013.0)]
    assert [line.count(" s") for line in shown] == [0, 1]  # an update has no duration that the end would cut


def test_a_line_says_whom_it_is_about(make_event: MakeEvent, make_notice: MakeNotice, context: Context) -> None:
    event = make_event(EventType.END, person=2, end_reason=EndReason.PERSON_LEFT)
    line = readable(TOPIC, EventMessage.of(event, context).encode()).plain.split()
    assert line[5:9] == ["81%", "person", "2", "8.4"]
    assert line[-2:] == ["person", "left"]
    notice = make_notice(scores=(0.1, 0.85, 0.05), subjects=[subject(3, "JumpingJack")])
    message = ObservationMessage.of(notice, context, seq=1, previous=None)
    assert readable("har/nuc1/camera/hall/observation", message.encode()).plain.endswith("85%  person 3")


def test_historical_event_is_marked(make_event: MakeEvent, context: Context) -> None:
    message = EventMessage.of(make_event(), context).facts() | {"historical": True}
    assert "reported late" in readable(TOPIC, encode_json(message)).plain


def test_an_observation_shows_its_symbol(make_notice: MakeNotice, context: Context) -> None:
    message = ObservationMessage.of(make_notice(scores=(0.1, 0.85, 0.05)), context, seq=1, previous=None)
    line = readable("har/nuc1/camera/hall/observation", message.encode())
    assert line.plain.split() == [local(1_700_000_000.0), "hall", "saw", "JumpingJack", "85%"]


FORECAST = {
    "schema": "harstream.forecast/1", "node": "nuc1", "camera": "hall", "area": None, "activity": "Walk",
    "made_at": "2023-11-14T22:13:20.000Z", "dwell_s": 4.0, "horizons": [{"horizon_s": 60, "p": {"unknown": 1.0}}],
    "next": {"activity": "JumpingJack", "p": 0.62, "expected_at": "2023-11-14T22:14:20.000Z",
             "alternatives": [{"activity": "Walk", "p": 0.2}, {"activity": "Punch", "p": 0.1}]},
    "labels_sha": "0" * 12, "predictor": {"name": "mix", "version": "1", "trained_until": None},
}  # fmt: skip


def forecast_line(**changes: object) -> list[str]:
    return readable("har/nuc1/camera/hall/forecast", encode_json(FORECAST | changes)).plain.split()


def test_a_forecast_shows_what_is_next_and_when_and_what_else_may_be() -> None:
    begins = ["next", "JumpingJack", "62%", "about", local(1_700_000_060.0)]
    assert forecast_line() == [local(1_700_000_000.0), "hall", *begins, "or", "Walk", "20%,", "Punch", "10%"]


def test_a_forecast_of_the_home_has_no_camera() -> None:
    assert forecast_line(camera=None, scope="home")[1:3] == ["the", "home"]


def test_a_forecast_without_a_next_activity_shows_the_reason() -> None:
    line = forecast_line(next=None, next_reason="6 of 30 changes seen")
    assert line == [local(1_700_000_000.0), "hall", "next", "not", "known:", "6", "of", "30", "changes", "seen"]


@pytest.mark.parametrize(("kind", "word"), [("lasts_long", "long,"), ("not_begun", "begun")])
def test_a_forecast_shows_what_is_unusual_and_its_weekday_if_it_was_another_day(kind: str, word: str) -> None:
    since = "2023-11-12T22:13:20.000Z"
    line = forecast_line(unusual={"kind": kind, "activity": "Walk", "p": 0.001, "since": since})
    assert word in line
    assert line[-2:] == [f"{datetime.fromtimestamp(1_700_000_000.0 - 2 * 86400):%a}", local(1_700_000_000.0)]


def test_an_activity_always_has_the_same_colour() -> None:
    # crc32(b"JumpingJack") = 0x8fbc8d90 = 2411498896; 2411498896 % 9 = 1.
    assert colour("JumpingJack") == "green"
    assert colour("unknown") == "dim"


def test_the_activity_is_shown_in_its_colour(make_event: MakeEvent, context: Context) -> None:
    line = readable(TOPIC, EventMessage.of(make_event(), context).encode())
    styles = {line.plain[span.start : span.end].strip(): span.style for span in line.spans}
    assert styles["JumpingJack"] == colour("JumpingJack")


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"not json", b"null", b"[]", b"{}", b"\xff\xfe\x00", b"[" * 100_000, b'{"event_type": "start"}',
        b'{"event_type": [], "camera": 7}',
        json.dumps({"event_type": "start", "camera": "c", "activity": "a", "confidence": {"mean": 1, "last": 1},
                    "updated_at": "0001-01-01T00:00:00+14:00", "duration_s": 1e308}).encode(),
        json.dumps({"event_type": "start", "camera": "c", "activity": "a", "confidence": {"mean": 1, "last": "NaN"},
                    "updated_at": "2023-01-01T00:00:00Z", "duration_s": 1}).encode(),
    ],
)  # fmt: skip
def test_foreign_payload_is_one_dim_line(payload: bytes) -> None:
    line = readable(TOPIC, payload)
    assert line.style == "dim"
    assert "not a message of harstream" in line.plain
    assert len(line.plain.splitlines()) == 1


@pytest.mark.parametrize("when", [1e15, 253_402_300_800.0, -1e15, 1e300])
def test_a_time_outside_the_calendar_is_one_dim_line(make_event: MakeEvent, context: Context, when: float) -> None:
    message = EventMessage.of(make_event(), context).facts() | {"updated_at": when}
    assert "not a message of harstream" in readable(TOPIC, encode_json(message)).plain


@pytest.mark.parametrize("scores", [["a"], 5, [None], {"a": 1}, [[1]]])
def test_scores_that_are_no_numbers_are_one_dim_line(make_notice: MakeNotice, context: Context, scores: object) -> None:
    observation = ObservationMessage.of(make_notice(scores=(0.1, 0.8, 0.1)), context, seq=1, previous=None)
    line = readable("har/nuc1/camera/hall/observation", encode_json(observation.facts() | {"p": scores}))
    assert "not a message of harstream" in line.plain


def test_hostile_text_does_not_reach_the_terminal(make_event: MakeEvent, context: Context) -> None:
    # The text clears the screen, sets the title, types on some terminals, turns the writing direction, breaks the line.
    hostile = "\x1b[2J\x1b]0;owned\x07\x9b6n\u202e\r\n[bold red]x[/]"
    message = EventMessage.of(make_event(activity=hostile), context).facts() | {
        "camera": hostile,
        "end_reason": hostile,
    }
    out = io.StringIO()
    console = Console(file=out, force_terminal=False, width=500)
    console.print(readable(TOPIC, encode_json(message)), soft_wrap=True)
    console.print(readable(f"har/{hostile}/status", hostile.encode()), soft_wrap=True)
    shown = out.getvalue()
    assert len(shown.splitlines()) == 2
    assert all(letter.isprintable() or letter == "\n" for letter in shown)
    assert "[bold red]x[/]" in shown


def test_a_very_long_name_is_shortened(make_event: MakeEvent, context: Context) -> None:
    line = readable(TOPIC, EventMessage.of(make_event(activity="x" * 10_000), context).encode())
    assert len(line.plain) < 200


def test_field_of_a_later_version_is_ignored(make_event: MakeEvent, context: Context) -> None:
    later = EventMessage.of(make_event(), context).facts() | {"people": 2}
    assert readable(TOPIC, encode_json(later)) == readable(TOPIC, EventMessage.of(make_event(), context).encode())
