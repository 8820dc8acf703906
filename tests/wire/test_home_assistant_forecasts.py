"""The announcements of forecasts, rendered as Home Assistant renders them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jinja2 import StrictUndefined
from jinja2.nativetypes import NativeEnvironment

from harstream.wire.home_assistant_forecasts import components_of, forecast_announcements

FORECAST = {
    "next": {"activity": "Punch", "p": 0.715, "expected_at": "2026-11-20T10:00:20.500Z"},
    "horizons": [
        {"horizon_s": 60.0, "p": {}, "begins": {"Punch": 0.1, 'Say "hi"': 0.0}},
        {"horizon_s": 900.0, "p": {}, "begins": {"Punch": 0.634, 'Say "hi"': 0.2}},
    ],
    "unusual": {"kind": "lasts_long", "activity": "Punch", "p": 0.001, "since": "2026-11-20T09:00:00.000Z"},
    "skill": {"value": 0.12, "changes": 40, "days": 3.0},
    "surprise": 1.5,
}
NOT_KNOWN = {"next": None, "next_reason": "6 of 30 changes seen", "horizons": FORECAST["horizons"]}


@pytest.fixture
def hall() -> Any:
    (payload,) = forecast_announcements("ha", "nuc1", ["hall"], ["Punch", 'Say "hi"'], "0.1.0").values()
    return json.loads(payload)


def rendered(component: Any, message: Any, template: str = "value_template") -> Any:
    environment = NativeEnvironment(undefined=StrictUndefined)
    environment.policies["json.dumps_kwargs"] = {}
    return environment.from_string(component[template]).render(value_json=message)


def test_each_camera_has_a_topic_that_no_node_uses() -> None:
    assert list(forecast_announcements("ha", "nuc1", ["hall", "yard"], [], "0.1.0")) == [
        "ha/device/har-forecast_nuc1/hall/config", "ha/device/har-forecast_nuc1/yard/config",
    ]  # fmt: skip


def test_the_entities_belong_to_the_cameras_device_and_leave_its_name_alone(hall: Any) -> None:
    assert hall["device"] == {"identifiers": "har/nuc1/hall"}


def test_every_entity_needs_the_node_and_its_forecaster_and_expires(hall: Any) -> None:
    for component in hall["components"].values():
        topics = [each["topic"] for each in component["availability"]]
        assert topics == ["har/nuc1/status", "har/nuc1/forecaster/status"]
        assert (component["availability_mode"], component["expire_after"]) == ("all", 180)


def test_a_forecast_with_a_next_activity(hall: Any) -> None:
    states = {key: rendered(component, FORECAST) for key, component in hall["components"].items()}
    assert states == {
        "next_activity": "Punch", "next_activity_probability": 72, "next_activity_at": "2026-11-20T10:00:20.500Z",
        "unusual": "on", "forecast_skill": 12, "surprise": 1.5, "soon/Punch": 63, 'soon/Say "hi"': 20,
    }  # fmt: skip
    why = rendered(hall["components"]["unusual"], FORECAST, "json_attributes_template")
    assert why == {"kind": "lasts_long", "activity": "Punch", "since": "2026-11-20T09:00:00.000Z"}


def test_a_forecast_without_a_next_activity_gives_the_reason(hall: Any) -> None:
    states = {key: rendered(component, NOT_KNOWN) for key, component in hall["components"].items()}
    assert (states.pop("next_activity"), states.pop("unusual")) == ("unknown", "off")
    assert set(states.values()) == {None}
    reason = rendered(hall["components"]["next_activity"], NOT_KNOWN, "json_attributes_template")
    assert reason == {"reason": "6 of 30 changes seen"}


def test_what_begins_soon_is_switched_off_at_first(hall: Any) -> None:
    off = [key for key, component in hall["components"].items() if component.get("enabled_by_default") is False]
    assert off == ["soon/Punch", 'soon/Say "hi"']


def test_the_entities_of_the_home_belong_to_the_node_and_read_its_topic() -> None:
    ((topic, payload),) = forecast_announcements("ha", "nuc1", [None], ["Punch"], "0.1.0").items()
    home = json.loads(payload)

    assert topic == "ha/device/har-forecast/nuc1/config"
    assert home["device"] == {"identifiers": "har/nuc1"}
    assert {component["state_topic"] for component in home["components"].values()} == {"har/nuc1/forecast"}
    assert home["components"]["unusual"]["default_entity_id"] == "binary_sensor.harstream_nuc1_unusual"


def test_the_components_of_an_earlier_model_are_removed() -> None:
    """Home Assistant removes a component that has only a platform."""
    before = forecast_announcements("ha", "nuc1", ["hall"], ["Punch", "Sleep"], "0.1.0")
    earlier = {topic: components_of(payload) for topic, payload in before.items()}

    (payload,) = forecast_announcements("ha", "nuc1", ["hall"], ["Punch"], "0.1.0", earlier).values()

    components = json.loads(payload)["components"]
    assert components["soon/Sleep"] == {"platform": "sensor"}
    assert components["soon/Punch"]["name"] == "Punch within 15 min"
    assert len(components) == len(components_of(payload)) == 8


@pytest.mark.parametrize("payload", [b"", b"null", b"[]", b"{", b'{"components": 1}', b'{"components": {"a": {}}}'])
def test_the_announcement_of_another_program_has_no_components(payload: bytes) -> None:
    assert components_of(payload) == {}
