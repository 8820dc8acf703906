"""The wire contract in files: the code generates them, and messages match them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from harstream.wire import asyncapi
from harstream.wire.context import Context
from harstream.wire.health import DeliveryCounts, Health, HealthState, NodeStats
from harstream.wire.messages.camera import ActivityMessage, HealthMessage, ObservationMessage
from harstream.wire.messages.event import EventMessage
from harstream.wire.messages.message import Message
from harstream.wire.messages.node import ErrorMessage, InfoMessage, LabelsMessage, StatsMessage
from harstream.wire.schemas import PUBLISHED
from harstream.wire.values import CameraState, EndReason, Event, EventType, Notice
from tests.support.values import subject

FOLDER = Path(__file__).parents[2] / "docs" / "mqtt"
Make = Callable[..., Any]


def test_the_files_are_those_that_the_code_generates() -> None:
    written = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.iterdir() if file.suffix != ".md"}
    assert written == asyncapi.files(), "generate them again: python -m harstream.wire.asyncapi docs/mqtt"


def test_the_document_lists_every_topic_for_subscribers() -> None:
    channels = yaml.safe_load((FOLDER / "asyncapi.yaml").read_text())["channels"]
    assert {channel["address"] for channel in channels.values()} == {
        *(f"har/{{node}}/{what}" for what in ("status", "owner", "info", "labels", "emission", "stats", "error",
                                        "forecast", "forecaster/status", "forecaster/owner")),
        *(f"har/{{node}}/camera/{{camera}}/{what}" for what in ("availability", "health", "activity", "event",
                                                                "observation", "snapshot", "forecast", "enabled/set",
                                                                "enabled/state", "threshold/set",
                                                                "threshold/state")),
    }  # fmt: skip
    assert set(channels["event"]["parameters"]) == {"node", "camera"}
    assert set(channels["status"]["parameters"]) == {"node"}


def test_every_reference_of_the_document_resolves() -> None:
    document = yaml.safe_load((FOLDER / "asyncapi.yaml").read_text())
    found = list(references(document))
    assert len(found) > 30
    for reference in found:
        file, _, path = reference.partition("#/")
        node = json.loads((FOLDER / file).read_text()) if file else document
        for part in path.split("/") if path else ():
            node = node[part]


def references(node: object) -> Any:
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "$ref")
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from references(item)


def test_each_message_matches_its_schema(
    make_event: Make, make_notice: Make, make_health: Make, context: Context, validate: Callable[[Any], None]
) -> None:
    event: Event = make_event()
    notice: Notice = make_notice(scores=(0.1, 0.8, 0.1))
    people: Notice = make_notice(scores=(0.1, 0.8, 0.1), subjects=[subject(2, "Lunges"), subject(1, "unknown")])
    gone: Notice = make_notice(state=CameraState.OFFLINE)
    health: Health = make_health(state=HealthState.FROZEN, frame_age=None)
    stats = NodeStats(
        time=1_700_000_000.0, uptime=0.0, provider="CPU", cameras=1, live=0, frames=0, dropped=0, windows=0, unknown=0,
        starts=0, ends=0, latency=None, cpu=None, memory=None,
    )  # fmt: skip
    messages: tuple[Message, ...] = (
        EventMessage.of(event, context),
        EventMessage.of(make_event(EventType.END, seq=2), context, delay=0.02),
        EventMessage.of(make_event(EventType.END, person=2, end_reason=EndReason.PERSON_LEFT), context),
        ObservationMessage.of(notice, context, seq=1, previous=None),
        ObservationMessage.of(gone, context, seq=2, previous=3.0),
        ActivityMessage.of(notice, context),
        ObservationMessage.of(people, context, seq=1, previous=None),
        ActivityMessage.of(people, context),
        HealthMessage.of(health, context),
        InfoMessage.of(context, PUBLISHED),
        LabelsMessage.of(context),
        StatsMessage.of(stats, context, DeliveryCounts(dropped_observations=3)),
        ErrorMessage.of("nuc1", "har/nuc1/camera/a b/enabled/set", "there is no camera 'a b'", 1_700_000_000.0),
    )
    for message in messages:
        validate(message.facts())


@pytest.mark.parametrize(
    "change",
    [{"seq": 0}, {"event_type": "begin"}, {"started_at": "2026-11-20"}, {"confidence": {"mean": 2}}, {"camera": "a/b"},
     {"latency": 3}, {"topk": [["Lunges", 1.5]]}, {"end_reason": "boredom"},
     {"person": 0}, {"person": "Anna"}],
)  # fmt: skip
def test_a_message_that_does_not_match_its_schema_is_refused(
    change: dict[str, Any], make_event: Make, context: Context, validate: Callable[[Any], None]
) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validate({**EventMessage.of(make_event(), context).facts(), **change})


FORECAST = {
    "schema": "harstream.forecast/1", "node": "nuc1", "camera": "hall", "area": "Hallway",
    "made_at": "2026-11-20T07:08:01.120Z", "activity": "Lunges", "dwell_s": 12.5,
    "horizons": [
        {"horizon_s": 60, "p": {"JumpingJack": 0.1, "Lunges": 0.7, "unknown": 0.2}},
        {"horizon_s": 900, "p": {"JumpingJack": 0.2, "Lunges": 0.1, "unknown": 0.7}},
    ],
    "next": {"activity": "unknown", "p": 0.8, "expected_at": "2026-11-20T07:09:30.000Z"},
    "labels_sha": "c0ffee",
    "predictor": {"name": "hmm", "version": "1.0.0", "trained_until": None},
}  # fmt: skip


@pytest.mark.parametrize("change", [{}, {"next": None}])
def test_a_forecast_matches_its_schema(change: dict[str, Any], validate: Callable[[Any], None]) -> None:
    validate(FORECAST | change)


@pytest.mark.parametrize(
    "change",
    [{"horizons": []}, {"horizons": [{"horizon_s": 0, "p": {}}]}, {"horizons": [{"horizon_s": 60, "p": {"Lunges": 2}}]},
     {"horizons": [{"horizon_s": 60, "p": {}, "q": 1}]}, {"next": {"activity": "Lunges"}}, {"mood": "good"}],
)  # fmt: skip
def test_a_forecast_that_does_not_match_its_schema_is_refused(
    change: dict[str, Any], validate: Callable[[Any], None]
) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validate(FORECAST | change)


def test_topics_of_another_program_are_not_topics_of_the_node(context: Context) -> None:
    assert "harstream.event/1" in PUBLISHED
    assert "harstream.forecast/1" not in PUBLISHED
