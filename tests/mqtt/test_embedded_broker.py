"""The embedded broker runs inside the process."""

from __future__ import annotations

import queue
import socket
import threading
import time
from pathlib import Path

import pytest

from harstream.mqtt.address import BrokerAddress
from harstream.mqtt.connection import Connection, Will
from harstream.mqtt.embedded_broker import EmbeddedBroker
from harstream.mqtt.outbox import Outbox
from harstream.stream.sinks.mqtt import MqttSink, new_publisher
from harstream.wire.context import Context
from harstream.wire.errors import SinkError
from tests.support.values import MakeEvent, MakeNotice


def connected(broker: EmbeddedBroker, messages: queue.Queue[tuple[str, bytes]] | None = None) -> Connection:
    received = messages or queue.Queue()
    connection = Connection(
        BrokerAddress.parse(broker.url), on_message=lambda topic, payload, _: received.put((topic, payload))
    )
    connection.open()
    return connection


def test_a_client_falls_back_to_the_version_that_the_broker_supports(free_port: int) -> None:
    with EmbeddedBroker(free_port) as broker:
        connection = connected(broker)
        assert connection.version == "3.1.1"
        connection.close()


def test_a_client_falls_back_when_the_broker_is_silent(free_port: int) -> None:
    # amqtt reads the will of an MQTT 5 packet as the start of a longer packet, and waits for the rest.
    with EmbeddedBroker(free_port) as broker:
        connection = Connection(BrokerAddress.parse(broker.url), will=Will("har/nuc1/status", "offline"))
        connection.open()
        assert connection.version == "3.1.1"
        connection.close()


def test_the_sink_sends_events_and_retains_states(
    free_port: int, tmp_path: Path, context: Context, make_event: MakeEvent,
    make_notice: MakeNotice,
) -> None:  # fmt: skip
    messages: queue.Queue[tuple[str, bytes]] = queue.Queue()
    with EmbeddedBroker(free_port) as broker:
        sink = MqttSink(new_publisher(broker.address, Outbox(tmp_path / "outbox.db"), "nuc1"), context)
        sink.start()
        listener = connected(broker, messages)
        listener.subscribe("har/#")
        of_node = {f"har/nuc1/{kind}" for kind in ("status", "owner", "info", "labels")}
        received: set[str] = set()
        while received != of_node:
            received.add(messages.get(timeout=5)[0])
        sink.handle(make_notice(make_event()))
        of_camera = {f"har/nuc1/camera/hall/{kind}" for kind in ("event", "activity", "availability")}
        while received != of_node | of_camera:
            received.add(messages.get(timeout=5)[0])
        sink.close()
        listener.close()


def test_a_port_in_use_gives_a_one_line_error() -> None:
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", 0))
        occupied.listen()
        port = occupied.getsockname()[1]
        with pytest.raises(SinkError) as caught, EmbeddedBroker(port):
            pass
    line = str(caught.value)
    assert "\n" not in line
    assert f"port {port} is in use" in line
    assert f"--broker mqtt://127.0.0.1:{port}" in line
    assert "mqtt.embedded_port" in line


def test_broker_stops_in_time_and_leaves_no_thread(free_port: int) -> None:
    with EmbeddedBroker(free_port) as broker:
        connection = connected(broker)
        began = time.monotonic()
    assert time.monotonic() - began < 3
    connection.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "broker"]


def test_the_port_is_free_after_the_broker_has_stopped(free_port: int) -> None:
    for _ in range(2):
        with EmbeddedBroker(free_port) as broker:
            connected(broker).close()


def test_broker_logs_nothing(free_port: int, caplog: pytest.LogCaptureFixture) -> None:
    with EmbeddedBroker(free_port) as broker:
        connected(broker).close()
    assert caplog.records == []
