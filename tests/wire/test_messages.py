"""The wire contract: the content of each message is worked out by hand."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from harstream.wire.context import Context, labels_sha
from harstream.wire.health import HealthState
from harstream.wire.messages.camera import ActivityMessage, HealthMessage, ObservationMessage, is_observation
from harstream.wire.messages.event import EventMessage
from harstream.wire.messages.node import InfoMessage, LabelsMessage
from harstream.wire.payloads import availability, encode_json
from harstream.wire.schemas import PUBLISHED
from harstream.wire.timestamps import live_delay, timestamp
from harstream.wire.topics import Topics
from harstream.wire.values import CameraState, EventType
from tests.support.values import MakeEvent, MakeHealth, MakeNotice, subject


def test_an_end_has_every_key_of_the_contract(make_event: MakeEvent, context: Context) -> None:
    event = make_event(EventType.END, seq=3, updated_at=1_700_000_010.0)
    assert EventMessage.of(event, context, delay=0.0243).facts() == {
        "schema": "harstream.event/1",
        "event_type": "end",
        "id": "01JD",
        "seq": 3,
        "node": "nuc1",
        "camera": "hall",
        "area": "Hallway",
        "activity": "JumpingJack",
        "label_id": 1,
        "confidence": {"mean": 0.8123, "peak": 0.93, "last": 0.37},
        "topk": [["JumpingJack", 0.37], ["Lunges", 0.21]],
        "started_at": "2023-11-14T22:13:21.120Z",
        "updated_at": "2023-11-14T22:13:30.000Z",
        "ended_at": "2023-11-14T22:13:29.520Z",
        "duration_s": 8.4,
        "detected_at": "2023-11-14T22:13:22.220Z",
        "latency_ms": {"decision": 1100, "frame_to_publish": 24},
        "previous": {"activity": "unknown", "dwell_s": 31.0},
        "end_reason": "low_confidence",
        "window": {"frames": 21, "span_s": 2.0, "gaps": 0},
        "model": {"name": "lrcn", "version": "1.0.0", "sha256": "ab12"},
        "historical": False,
    }


def test_a_start_has_no_end_and_lasts_until_its_last_update(make_event: MakeEvent, context: Context) -> None:
    message = EventMessage.of(make_event(), context).facts()
    assert "ended_at" not in message
    assert "end_reason" not in message
    assert message["duration_s"] == 1.1
    assert message["latency_ms"] == {"decision": 1100, "frame_to_publish": None}


def test_a_camera_without_an_area_has_the_area_null(make_event: MakeEvent, context: Context) -> None:
    assert EventMessage.of(make_event(camera="yard"), context).area is None


def test_a_model_without_a_rate_has_no_span(make_event: MakeEvent, context: Context) -> None:
    even = replace(context, contract=replace(context.contract, rate=None))
    assert EventMessage.of(make_event(), even).facts()["window"] == {"frames": 21, "span_s": None, "gaps": 0}


def test_a_delayed_event_is_historical_and_has_no_latency(make_event: MakeEvent, context: Context) -> None:
    message = EventMessage.of(make_event(), context, delay=0.024)
    assert message.delay == 0.024
    expected = message.facts() | {"historical": True, "latency_ms": {"decision": 1100, "frame_to_publish": None}}
    assert json.loads(message.held_back().encode()) == expected
    assert message.held_back().delay is None


def test_an_end_reported_after_a_kill_is_historical_and_has_no_latency(make_event: MakeEvent, context: Context) -> None:
    message = EventMessage.of(make_event(EventType.END, historical=True), context, delay=12.0).facts()
    assert message["historical"] is True
    assert message["latency_ms"] == {"decision": 1100, "frame_to_publish": None}


def test_a_recognition_carries_all_probabilities(make_notice: MakeNotice, context: Context) -> None:
    notice = make_notice(time=1_700_000_000.5, since=1_700_000_000.0, scores=(0.05, 0.9, 0.05))
    message = ObservationMessage.of(notice, context, seq=7, previous=1_700_000_000.25).facts()
    assert message["schema"] == "harstream.observation/1"
    assert message["t"] == "2023-11-14T22:13:20.500Z"
    assert message["dt"] == 0.25
    assert message["symbol"] == "JumpingJack"
    assert message["p"] == [0.05, 0.9, 0.05]
    assert (message["valid"], message["reason"]) == (True, None)
    # The rate is 10 frames a second, with one recognition for each frame.
    assert (message["dwell_s"], message["stride_s"], message["span_s"]) == (0.5, 0.1, 2.0)


@pytest.mark.parametrize("scores", [(0.9, 0.05, 0.05), (0.1, 0.79, 0.11)], ids=["background", "unsure"])
def test_the_symbol_is_unknown_for_background_and_low_scores(
    scores: tuple[float, ...], make_notice: MakeNotice, context: Context
) -> None:
    message = ObservationMessage.of(make_notice(scores=scores), context, seq=1, previous=None).facts()
    assert (message["symbol"], message["dt"]) == ("unknown", None)


def test_a_lost_camera_gives_a_missing_observation(make_notice: MakeNotice, context: Context) -> None:
    gone = make_notice(state=CameraState.OFFLINE)
    message = ObservationMessage.of(gone, context, seq=1, previous=None).facts()
    assert is_observation(gone)
    assert (message["valid"], message["reason"], message["p"], message["symbol"]) == (
        False, "camera_offline", None, None
    )  # fmt: skip


def test_a_frame_between_recognitions_gives_no_observation(make_notice: MakeNotice) -> None:
    assert not is_observation(make_notice())


def test_the_activity_carries_its_begin(make_notice: MakeNotice, context: Context) -> None:
    notice = make_notice(activity="Lunges", since=1_700_000_000.0, time=1_700_000_004.0)
    assert ActivityMessage.of(notice, context).facts() == {
        "schema": "harstream.activity/1",
        "node": "nuc1",
        "camera": "hall",
        "area": "Hallway",
        "activity": "Lunges",
        "confidence": 0.5,
        "since": "2023-11-14T22:13:20.000Z",
        "updated_at": "2023-11-14T22:13:24.000Z",
    }


def test_the_activity_carries_the_people_by_number(make_notice: MakeNotice, context: Context) -> None:
    people = [subject(2, "Lunges", confidence=0.93), subject(1, "unknown", 1_700_000_001.5, 0.12)]
    message = ActivityMessage.of(make_notice(activity="Lunges", subjects=people), context).facts()
    assert message["person"] == 2
    assert message["people"] == [
        {"person": 1, "activity": "unknown", "confidence": 0.12, "since": "2023-11-14T22:13:21.500Z"},
        {"person": 2, "activity": "Lunges", "confidence": 0.93, "since": "2023-11-14T22:13:20.000Z"},
    ]


def test_nobody_is_named_while_nobody_is_followed(
    make_notice: MakeNotice, make_event: MakeEvent, context: Context
) -> None:
    notice = make_notice(scores=(0.1, 0.8, 0.1), subjects=[subject(None, "unknown")])
    for message in (
        ActivityMessage.of(notice, context),
        ObservationMessage.of(notice, context, seq=1, previous=None),
        EventMessage.of(make_event(), context),
    ):
        assert not {"person", "people"} & message.facts().keys()


def test_event_and_observation_say_who_it_is(make_notice: MakeNotice, make_event: MakeEvent, context: Context) -> None:
    notice = make_notice(scores=(0.1, 0.8, 0.1), subjects=[subject(2, "Lunges"), subject(1, "unknown")])
    assert ObservationMessage.of(notice, context, seq=1, previous=None).facts()["person"] == 2
    assert EventMessage.of(make_event(person=3), context).facts()["person"] == 3


def test_health_has_every_key_of_the_contract(make_health: MakeHealth, context: Context) -> None:
    health = make_health(
        time=1_700_000_004.0, state=HealthState.WARMING, warming=(7, 20), frame_age=1.02, dropped=12, dropping=0.031415,
        overloaded=True, reconnects=2,
    )  # fmt: skip
    assert HealthMessage.of(health, context).facts() == {
        "schema": "harstream.health/1",
        "node": "nuc1",
        "camera": "hall",
        "area": "Hallway",
        "state": "warming",
        "since": "2023-11-14T22:13:20.000Z",
        "code": None,
        "reason": None,
        "window": {"frames": 7, "needed": 20},
        "fps": 25.0,
        "frame_age_s": 1,
        "overloaded": True,
        "dropping": 0.0314,
        "dropped": 12,
        "behind_s": 0.0,
        "reconnects": 2,
        "updated_at": "2023-11-14T22:13:24.000Z",
    }


def test_info_and_labels_agree_on_the_hash_of_the_labels(context: Context) -> None:
    sha = hashlib.sha256(b"Idle\nJumpingJack\nLunges").hexdigest()[:12]
    assert labels_sha(context.contract) == sha
    assert InfoMessage.of(context, PUBLISHED).labels_sha == sha
    assert InfoMessage.of(context, PUBLISHED).facts()["window"] == {"frames": 21, "span_s": 2.0, "rate_hz": 10.0}
    assert LabelsMessage.of(context).labels == ["Idle", "JumpingJack", "Lunges"]
    assert LabelsMessage.of(context).labels_sha == sha


def test_availability_is_not_published_while_connecting() -> None:
    assert {state.value: availability(state) for state in CameraState} == {
        "connecting": None, "live": "online", "offline": "offline", "disabled": "offline", "removed": "offline",
    }  # fmt: skip


def test_times_are_rounded_to_milliseconds() -> None:
    assert timestamp(0.9996) == "1970-01-01T00:00:01.000Z"


def test_only_a_frame_of_the_last_minute_has_a_delay() -> None:
    assert live_delay(100.0, 100.5) == 0.5
    assert live_delay(8.0, 1_700_000_000.0) is None
    assert live_delay(101.0, 100.0) is None


def test_topics_follow_the_contract() -> None:
    topics = Topics("nuc1")
    assert topics.status == "har/nuc1/status"
    assert topics.event("hall") == "har/nuc1/camera/hall/event"
    assert topics.availability("hall") == "har/nuc1/camera/hall/availability"
    assert topics.health("hall") == "har/nuc1/camera/hall/health"


@pytest.mark.parametrize("name", ["", "a/b", "+", "#", "häll", "a b", "x" * 65, "hall\n"])
def test_a_name_that_would_break_a_topic_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a node name is"):
        Topics(name)
    with pytest.raises(ValueError, match="a camera name is"):
        Topics("nuc1").event(name)


def test_a_value_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode_json({"p": float("nan")})
