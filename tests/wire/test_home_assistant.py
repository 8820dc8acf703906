"""The announcements to Home Assistant, worked out by hand from its documentation of MQTT device discovery."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from jinja2 import Environment

from harstream.wire.context import Context
from harstream.wire.health import HealthState
from harstream.wire.home_assistant import announcements
from harstream.wire.messages.camera import ActivityMessage, HealthMessage
from tests.support.values import NOON, MakeHealth, MakeNotice, subject

NODE_IS_THERE = {
    "topic": "har/nuc1/status",
    "payload_available": "online",
    "payload_not_available": "offline",
}
CAMERA_IS_THERE = {
    "topic": "har/nuc1/camera/hall/availability",
    "payload_available": "online",
    "payload_not_available": "offline",
}


def announced(context: Context, *cameras: str, page: str | None = None) -> dict[str, Any]:
    return {topic: json.loads(text) for topic, text in announcements("ha", context, cameras, page).items()}


@pytest.fixture
def hall(context: Context) -> Any:
    return announced(context, "hall")["ha/device/har_nuc1/hall/config"]


def test_the_node_comes_before_its_cameras(context: Context) -> None:
    assert list(announced(context, "hall", "yard")) == [
        "ha/device/har/nuc1/config", "ha/device/har_nuc1/hall/config", "ha/device/har_nuc1/yard/config"
    ]  # fmt: skip


def test_a_camera_is_a_device_of_its_node(hall: Any) -> None:
    assert hall["device"] == {
        "identifiers": "har/nuc1/hall",
        "name": "Hall",
        "manufacturer": "harstream",
        "model": "lrcn 1.0.0",
        "sw_version": "0.1.0",
        "via_device": "har/nuc1",
        "suggested_area": "Hallway",
    }
    assert hall["origin"] == {"name": "harstream", "sw_version": "0.1.0"}


def test_a_camera_without_an_area_suggests_none(context: Context) -> None:
    assert "suggested_area" not in announced(context, "yard")["ha/device/har_nuc1/yard/config"]["device"]


def test_a_page_that_other_machines_can_open_is_linked(context: Context) -> None:
    devices = announced(context, "hall", page="http://nuc1.lan:8080/").values()
    assert {each["device"]["configuration_url"] for each in devices} == {
        "http://nuc1.lan:8080/", "http://nuc1.lan:8080/#hall",
    }  # fmt: skip


def test_the_activity_is_unknown_or_a_label_other_than_background(hall: Any) -> None:
    assert hall["components"]["activity"] == {
        "platform": "sensor",
        "name": "Activity",
        "unique_id": "har/nuc1/hall/activity",
        "default_entity_id": "sensor.hall_activity",
        "device_class": "enum",
        "options": ["JumpingJack", "Lunges", "unknown"],
        "state_topic": "har/nuc1/camera/hall/activity",
        "value_template": "{{ value_json.activity }}",
        "json_attributes_topic": "har/nuc1/camera/hall/activity",
        "json_attributes_template": "{{ {'since': value_json.since} | tojson }}",
        "expire_after": 180,
        "qos": 1,
        "availability": [NODE_IS_THERE, CAMERA_IS_THERE],
        "availability_mode": "all",
    }


def test_a_camera_that_follows_people_counts_them_and_says_who_does_what(
    context: Context, make_notice: MakeNotice
) -> None:
    following = replace(context, following=frozenset({"hall"}))
    components = announced(following, "hall")["ha/device/har_nuc1/hall/config"]["components"]
    count = components["people"]
    assert {
        key: count[key] for key in ("platform", "unique_id", "default_entity_id", "state_topic", "expire_after")
    } == {
        "platform": "sensor",
        "unique_id": "har/nuc1/hall/people",
        "default_entity_id": "sensor.hall_people",
        "state_topic": "har/nuc1/camera/hall/activity",
        "expire_after": 180,
    }
    people = [subject(2, "Lunges", NOON, 0.93), subject(1, "unknown", NOON - 5, 0.12)]
    message = ActivityMessage.of(make_notice(activity="Lunges", subjects=people), following).facts()
    assert rendered(count, "value_template", message) == "2"
    assert json.loads(rendered(components["activity"], "json_attributes_template", message)) == {
        "since": "2023-11-14T22:13:20.000Z",
        "person": 2,
        "people": [
            {"person": 1, "activity": "unknown", "since": "2023-11-14T22:13:15.000Z"},
            {"person": 2, "activity": "Lunges", "since": "2023-11-14T22:13:20.000Z"},
        ],
    }


def test_nobody_in_front_of_a_camera_is_zero_people(context: Context, make_notice: MakeNotice) -> None:
    following = replace(context, following=frozenset({"hall"}))
    components = announced(following, "hall")["ha/device/har_nuc1/hall/config"]["components"]
    message = ActivityMessage.of(make_notice(), following).facts()
    assert rendered(components["people"], "value_template", message) == "0"
    attributes = json.loads(rendered(components["activity"], "json_attributes_template", message))
    assert (attributes["person"], attributes["people"]) == (None, [])


def test_a_camera_that_follows_nobody_loses_an_earlier_count(hall: Any) -> None:
    """A component with nothing but a platform is removed."""
    assert hall["components"]["people"] == {"platform": "sensor"}


def test_events_are_starts_and_ends(hall: Any) -> None:
    assert hall["components"]["event"] == {
        "platform": "event",
        "name": "Event",
        "unique_id": "har/nuc1/hall/event",
        "default_entity_id": "event.hall_event",
        "event_types": ["start", "end"],
        "state_topic": "har/nuc1/camera/hall/event",
        "value_template": "{{ value if value_json.event_type != 'update' }}",
        "qos": 1,
        "availability": [NODE_IS_THERE, CAMERA_IS_THERE],
        "availability_mode": "all",
    }


def test_the_state_of_a_lost_camera_stays_available(hall: Any) -> None:
    with_the_node = {key for key, each in hall["components"].items() if each.get("availability") == [NODE_IS_THERE]}
    assert with_the_node == {
        "connectivity",
        "problem",
        "enabled",
        "threshold",
        "fps",
        "frame_age",
        "reconnects",
        "dropped",
    }
    connectivity = hall["components"]["connectivity"]
    assert connectivity["state_topic"] == "har/nuc1/camera/hall/availability"
    assert (connectivity["payload_on"], connectivity["payload_off"]) == ("online", "offline")


def test_a_camera_can_be_switched_off_and_on_again(hall: Any) -> None:
    switch, threshold = hall["components"]["enabled"], hall["components"]["threshold"]
    assert switch["platform"] == "switch"
    assert switch["command_topic"] == "har/nuc1/camera/hall/enabled/set"
    assert switch["state_topic"] == "har/nuc1/camera/hall/enabled/state"
    assert (threshold["platform"], threshold["min"], threshold["max"]) == ("number", 0, 1)
    assert threshold["command_topic"] == "har/nuc1/camera/hall/threshold/set"


def rendered(component: Any, key: str, message: Any) -> str:
    """Renders a Jinja template of a component as Home Assistant does."""
    return Environment().from_string(component[key]).render(value_json=json.loads(json.dumps(message)))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({}, "off"), ({"state": HealthState.CONNECTING}, "off"), ({"state": HealthState.WARMING}, "off"),
     ({"state": HealthState.STALLED}, "on"), ({"state": HealthState.OFFLINE, "reason": "no route"}, "on"),
     ({"state": HealthState.WARMING, "reason": "too slow for this model"}, "on"), ({"overloaded": True}, "on"),
     ({"state": HealthState.FROZEN}, "on"), ({"state": HealthState.DARK}, "on"),
     ({"state": HealthState.DISABLED}, "off")],
)  # fmt: skip
def test_a_problem_is_a_state_in_which_a_camera_cannot_be_watched(
    hall: Any, make_health: MakeHealth, context: Context, changes: dict[str, Any], expected: str
) -> None:
    problem = hall["components"]["problem"]
    assert rendered(problem, "value_template", HealthMessage.of(make_health(**changes), context).facts()) == expected
    assert (problem["payload_on"], problem["payload_off"]) == ("on", "off")


def test_a_problem_carries_its_reason(hall: Any, make_health: MakeHealth, context: Context) -> None:
    message = HealthMessage.of(make_health(state=HealthState.OFFLINE, reason="no route"), context).facts()
    why = rendered(hall["components"]["problem"], "json_attributes_template", message)
    assert json.loads(why) == {"health": "offline", "reason": "no route", "overloaded": False}


@pytest.mark.parametrize(("activity", "expected"), [("Lunges", "50"), ("unknown", "None")])
def test_confidence_is_a_percentage_while_an_activity_is_recognized(
    hall: Any, make_notice: MakeNotice, context: Context, activity: str, expected: str
) -> None:
    message = ActivityMessage.of(make_notice(activity=activity), context).facts()
    assert rendered(hall["components"]["confidence"], "value_template", message) == expected


def test_the_frame_age_before_the_first_frame_is_none(hall: Any, make_health: MakeHealth, context: Context) -> None:
    message = HealthMessage.of(make_health(frame_age=None), context).facts()
    assert rendered(hall["components"]["frame_age"], "value_template", message) == "None"


def test_a_snapshot_is_announced_only_if_snapshots_are_on(hall: Any, context: Context) -> None:
    assert hall["components"]["snapshot"] == {"platform": "image"}  # this removes an image that was announced before
    announced_messages = announcements("ha", context, ["hall"], snapshots=True)
    assert json.loads(announced_messages["ha/device/har_nuc1/hall/config"])["components"]["snapshot"] == {
        "platform": "image",
        "name": "Snapshot",
        "unique_id": "har/nuc1/hall/snapshot",
        "default_entity_id": "image.hall_snapshot",
        "image_topic": "har/nuc1/camera/hall/snapshot",
        "content_type": "image/jpeg",
        "qos": 1,
        "availability": [NODE_IS_THERE],
        "availability_mode": "all",
    }


def test_diagnostic_figures_are_hidden(hall: Any) -> None:
    hidden = {key for key, each in hall["components"].items() if each.get("enabled_by_default") is False}
    assert hidden == {"fps", "frame_age", "reconnects", "dropped"}
    assert all(hall["components"][key]["entity_category"] == "diagnostic" for key in hidden)


def test_only_the_status_of_the_node_reports_its_presence(context: Context) -> None:
    node = announced(context)["ha/device/har/nuc1/config"]
    assert node["device"]["name"] == "harstream nuc1"
    assert node["components"]["connectivity"] == {
        "platform": "binary_sensor",
        "name": "Connectivity",
        "unique_id": "har/nuc1/connectivity",
        "default_entity_id": "binary_sensor.harstream_nuc1_connectivity",
        "device_class": "connectivity",
        "entity_category": "diagnostic",
        "state_topic": "har/nuc1/status",
        "payload_on": "online",
        "payload_off": "offline",
        "qos": 1,
    }


@pytest.mark.parametrize(
    ("camera", "name", "entity"),
    [("living-room", "Living room", "sensor.living_room_activity"), ("Yard_2", "Yard 2", "sensor.yard_2_activity"),
     ("frontDoor", "FrontDoor", "sensor.frontdoor_activity"), ("-", "Camera", "sensor.camera_activity")],
)  # fmt: skip
def test_a_camera_has_a_readable_name(context: Context, camera: str, name: str, entity: str) -> None:
    payload = announced(replace(context, areas={}), camera)[f"ha/device/har_nuc1/{camera}/config"]
    assert payload["device"]["name"] == name
    assert payload["components"]["activity"]["default_entity_id"] == entity


def test_no_name_of_a_node_gives_the_device_of_another_nodes_camera(context: Context) -> None:
    home = announced(replace(context, node="home"), "garage", "garage_connectivity")
    garage = announced(replace(context, node="home_garage"), "connectivity")
    assert not home.keys() & garage.keys()
    ids = [
        {component.get("unique_id") for payload in node.values() for component in payload["components"].values()}
        for node in (home, garage)
    ]
    assert ids[0] & ids[1] == {None}  # a component that is removed has no id
    devices = [{payload["device"]["identifiers"] for payload in node.values()} for node in (home, garage)]
    assert not devices[0] & devices[1]


def test_a_title_names_the_device_and_leaves_the_ids_of_its_entities(context: Context) -> None:
    titled = announced(replace(context, titles={"hall": "Küche"}), "hall")["ha/device/har_nuc1/hall/config"]
    plain = announced(context, "hall")["ha/device/har_nuc1/hall/config"]
    assert titled["device"]["name"] == "Küche"
    assert titled["components"] == plain["components"]
