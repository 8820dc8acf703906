"""A real Home Assistant follows the announcements of forecasts when the model changes, and those of a home."""

from __future__ import annotations

import subprocess

import pytest

from harstream.wire.home_assistant_forecasts import components_of, forecast_announcements
from tests.support.broker import Mosquitto
from tests.support.home_assistant import HomeAssistant
from tests.support.waiting import Eventually

pytestmark = [pytest.mark.homeassistant, pytest.mark.mosquitto]


def retain(port: int, announcements: dict[str, bytes]) -> None:
    """Announces all entities as enabled. Home Assistant never removes one that is disabled."""
    for topic, payload in announcements.items():
        enabled = payload.replace(b'"enabled_by_default":false', b'"enabled_by_default":true')
        subprocess.run(
            ["mosquitto_pub", "-p", str(port), "-r", "-q", "1", "-t", topic, "-s"], input=enabled, check=True
        )


def names(home_assistant: HomeAssistant) -> set[str]:
    return {each["entity_id"] for each in home_assistant.registry("entity")}


def test_the_entities_of_an_earlier_model_are_removed(
    home_assistant: HomeAssistant, module_mosquitto: Mosquitto, eventually: Eventually
) -> None:
    old, kept = "sensor.gym_sleep_within_15_min", "sensor.gym_punch_within_15_min"
    before = forecast_announcements("homeassistant", "nuc1", ["gym"], ["Punch", "Sleep"], "1")
    retain(module_mosquitto.port, before)
    eventually(lambda: {old, kept} <= names(home_assistant), "the entities of the first model", 30)

    earlier = {topic: components_of(payload) for topic, payload in before.items()}
    after = forecast_announcements("homeassistant", "nuc1", ["gym"], ["Punch"], "1", earlier)
    retain(module_mosquitto.port, after)

    eventually(lambda: old not in names(home_assistant), "the entity of the old activity to go", 30)
    assert kept in names(home_assistant)


def test_the_entities_of_the_home_are_on_the_device_of_the_node(
    home_assistant: HomeAssistant, module_mosquitto: Mosquitto, eventually: Eventually
) -> None:
    retain(module_mosquitto.port, forecast_announcements("homeassistant", "nuc1", [None], ["Punch"], "1"))
    eventually(lambda: "sensor.harstream_nuc1_next_activity" in names(home_assistant), "the home's entity", 30)

    device = home_assistant.device("har/nuc1")["id"]
    assert device in {
        each["device_id"]
        for each in home_assistant.registry("entity")
        if each["entity_id"] == "sensor.harstream_nuc1_next_activity"
    }
