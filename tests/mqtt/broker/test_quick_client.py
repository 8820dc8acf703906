"""Messages come from a broker whole, whichever way they take through paho."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from harstream.mqtt.broker.quick_client import QuickClient
from tests.support.waiting import Eventually

pytestmark = pytest.mark.mosquitto

V5, V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
Begin = Callable[[paho.Client], paho.Client]


@pytest.fixture
def begin(mosquitto: Any) -> Iterator[Begin]:
    """Returns a function that connects a client. It disconnects with the test."""
    clients: list[paho.Client] = []

    def connect(client: paho.Client) -> paho.Client:
        client.connect("127.0.0.1", mosquitto.port)
        client.loop_start()
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.disconnect()
        client.loop_stop()


@pytest.mark.parametrize("protocol", [V5, V311])
def test_plain_messages_take_the_short_way_and_the_others_take_that_of_paho(
    begin: Begin, protocol: MQTTProtocolVersion, eventually: Eventually
) -> None:
    sender = begin(paho.Client(CallbackAPIVersion.VERSION2, protocol=V5))
    sender.publish("t/kept", b"before", qos=1, retain=True).wait_for_publish(10)
    plain, ordinary = list[tuple[str, bytes, bool]](), list[tuple[str, bytes, bool]]()
    subscribed: list[int] = []
    client = QuickClient(CallbackAPIVersion.VERSION2, protocol=protocol)
    client.on_plain_message = lambda *message: plain.append(message)
    client.on_message = lambda _, __, each: ordinary.append((each.topic, bytes(each.payload), each.retain))
    client.on_subscribe = lambda _, __, mid, ___, ____: subscribed.append(mid)
    begin(client).subscribe([("t/#", 0), ("q/#", 1)])
    eventually(lambda: subscribed, "the subscription")

    typed = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    typed.ContentType = "text/plain"
    for topic, payload in (("t/küche", b"one"), ("t/long", b"x" * 100_000), ("t/empty", b"")):
        sender.publish(topic, payload)
    sender.publish("q/sure", b"two", qos=1)
    sender.publish("t/typed", b"three", properties=typed)

    way = ordinary if protocol is V5 else plain  # MQTT 3.1.1 has no properties
    eventually(lambda: ("t/typed", b"three", False) in way, "the last message")
    expected = [("t/kept", b"before", True), ("t/küche", b"one", False), ("t/long", b"x" * 100_000, False)]
    assert plain[:4] == [*expected, ("t/empty", b"", False)]
    assert ordinary[0] == ("q/sure", b"two", False)
