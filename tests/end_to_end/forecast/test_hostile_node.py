"""Whatever other clients publish as the node, the forecaster goes on, and then forecasts again."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator

import paho.mqtt.client as paho
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from harstream.wire.health import HealthState
from harstream.wire.messages.message import Message as WireMessage
from harstream.wire.values import EventType
from tests.forecast.client.household import emission_message, event, health, labels_message, observation
from tests.support.broker import Mosquitto
from tests.support.command import Start
from tests.support.damage import DAMAGES
from tests.support.hostile_messages import Message, hostile_settings, levels, messages, payloads
from tests.support.waiting import Eventually

pytestmark = [pytest.mark.mosquitto, pytest.mark.timeout(max(300, 3 * DAMAGES))]

BATCH = 20
"""Messages of one input, at most."""
PATIENCE = 30.0
CAMERA = "office"
"""Nothing hostile comes about it."""


def of_kind(kind: str, sample: WireMessage) -> SearchStrategy[Message]:
    """Return a strategy for messages about a camera."""
    return messages(st.builds(f"har/home/camera/{{}}/{kind}".format, levels), payloads(content(sample)))


def content(sample: WireMessage) -> dict[str, object]:
    return dict(json.loads(sample.encode()))


NOW = time.time()
hostile = st.one_of(
    messages(st.just("har/home/labels"), payloads(content(labels_message()))),
    messages(st.just("har/home/emission"), payloads(content(emission_message()))),
    of_kind("observation", observation(NOW, "Work")),
    of_kind("event", event(EventType.START, "Work", NOW)),
    of_kind("event", event(EventType.END, "Work", NOW - 60, NOW)),
    of_kind("health", health(HealthState.LIVE, NOW)),
    of_kind("health", health(HealthState.OFFLINE, NOW)),
)


@pytest.fixture
def client(mosquitto: Mosquitto) -> Iterator[paho.Client]:
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


def test_no_message_of_a_node_stops_the_forecaster(
    start: Start, mosquitto: Mosquitto, client: paho.Client, eventually: Eventually
) -> None:
    forecasts = list[bytes]()
    client.on_message = lambda _, __, message: forecasts.append(bytes(message.payload))
    client.subscribe(f"har/home/camera/{CAMERA}/forecast")

    def describe() -> None:
        for topic, message in (("labels", labels_message()), ("emission", emission_message())):
            client.publish(f"har/home/{topic}", message.encode(), 1, retain=True).wait_for_publish(PATIENCE)

    def works() -> bool:
        """Show one more window of work, and return whether the forecast knows it."""
        window = observation(time.time(), "Work", camera=CAMERA)
        client.publish(f"har/home/camera/{CAMERA}/observation", window.encode())
        time.sleep(0.1)
        return bool(forecasts) and json.loads(forecasts[-1])["activity"] == "Work"

    describe()
    forecaster = start("forecast", "run", "--broker", mosquitto.url, "--state", "diary", "--zone", "Europe/Berlin")
    eventually(lambda: "connected to" in forecaster.output, "the forecaster", PATIENCE)

    @settings(parent=hostile_settings, max_examples=DAMAGES // 4)
    @given(st.lists(hostile, min_size=1, max_size=BATCH))
    def attack(batch: list[Message]) -> None:
        for one in batch:
            info = client.publish(one.topic, one.payload, one.qos, one.retain, one.properties)
            info.wait_for_publish(PATIENCE)
        assert not forecaster.is_over(), forecaster.output

    attack()
    describe()
    eventually(works, "a forecast after the attack", 60)
    # The broker now retains hostile messages, which the next run finds at its start.
    forecaster.signal(signal.SIGTERM)
    assert forecaster.wait(15) == 0, forecaster.output
    assert forecaster.complaints == []
    assert len([line for line in forecaster.stderr if re.search("WARNING|ERROR", line)]) < 20, forecaster.output
    forecasts.clear()
    again = start("forecast", "run", "--broker", mosquitto.url, "--state", "diary", "--zone", "Europe/Berlin")
    eventually(works, "a forecast of the next run", 60)
    again.signal(signal.SIGTERM)
    assert again.wait(15) == 0, again.output
    assert again.complaints == []
