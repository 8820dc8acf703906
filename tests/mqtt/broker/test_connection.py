from __future__ import annotations

import queue
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.broker.connection import Connection, Will
from harstream.wire.errors import BrokerError
from tests.support.waiting import Eventually


@pytest.mark.mosquitto
def test_connection_uses_mqtt_5_and_carries_a_message_to_the_broker_and_back(mosquitto: Any) -> None:
    received: queue.Queue[tuple[str, bytes, bool]] = queue.Queue()
    connection = Connection(BrokerAddress.parse(mosquitto.url), on_message=lambda *message: received.put(message))
    connection.open()
    connection.subscribe("har/#")
    connection.publish("har/nuc1/status", b"online", qos=1, retain=False)
    assert received.get(timeout=10) == ("har/nuc1/status", b"online", False)
    assert connection.version == "5"
    connection.close()
    assert connection.lost.is_set()


@pytest.mark.mosquitto
def test_connection_uses_mqtt_3_1_1_if_the_broker_lacks_mqtt_5(mosquitto: Any) -> None:
    connection = Connection(BrokerAddress("127.0.0.1", mosquitto.port, supports_mqtt5=False))
    connection.open()
    assert connection.version == "3.1.1"
    connection.close()


@pytest.mark.mosquitto
def test_last_message_of_close_replaces_the_will(mosquitto: Any, subscribe: Any, eventually: Eventually) -> None:
    subscriber = subscribe(mosquitto.port)
    connection = Connection(BrokerAddress.parse(mosquitto.url), will=Will("har/nuc1/status", "offline"))
    connection.open()
    connection.publish("har/nuc1/status", b"online", qos=1, retain=False)
    connection.close()
    again = Connection(BrokerAddress.parse(mosquitto.url))
    again.open()
    again.publish("har/nuc2/status", b"online", qos=1, retain=False)
    eventually(lambda: len(subscriber.of("/status")) == 2, "the message after the last one of close")
    again.close()
    assert [message.payload for message in subscriber.of("/status")] == ["online", "online"]


@pytest.mark.mosquitto
def test_lost_broker_is_reported_once(mosquitto: Any, eventually: Eventually) -> None:
    lost: list[bool] = []
    connection = Connection(BrokerAddress.parse(mosquitto.url), on_lost=lambda: lost.append(True))
    connection.open()
    mosquitto.stop()
    eventually(connection.lost.is_set, "the loss")
    connection.close()
    assert lost == [True]


def test_a_missing_broker_gives_a_one_line_error(free_port: int) -> None:
    with pytest.raises(BrokerError) as caught:
        Connection(BrokerAddress("127.0.0.1", free_port)).open()
    assert f"expected a broker at mqtt://127.0.0.1:{free_port}, got connection refused" in str(caught.value)


def test_server_that_does_not_answer_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        accepting = threading.Thread(target=lambda: [server.accept() for _ in range(2)])
        accepting.start()
        with pytest.raises(BrokerError, match=r"neither MQTT 5 nor 3\.1\.1"):
            Connection(BrokerAddress("127.0.0.1", server.getsockname()[1])).open()
        accepting.join()


def test_closed_connection_refuses_a_message() -> None:
    with pytest.raises(BrokerError, match="expected an open connection"):
        Connection(BrokerAddress("127.0.0.1", 1)).publish("topic", b"", qos=0, retain=False)


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="there is no IPv6")
@pytest.mark.mosquitto
def test_broker_may_have_an_ipv6_address(stopped_mosquitto: Any) -> None:
    stopped_mosquitto.use_ipv6()
    stopped_mosquitto.start()
    connection = Connection(BrokerAddress.parse(stopped_mosquitto.url))
    connection.open()
    assert connection.version == "5"
    connection.close()
