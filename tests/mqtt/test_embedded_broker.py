"""The embedded broker runs inside the process."""

from __future__ import annotations

import queue
import socket
import threading
import time
from pathlib import Path

import pytest

from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.broker.connection import Connection, Will
from harstream.mqtt.embedded_broker import EmbeddedBroker
from harstream.mqtt.outbox import Outbox
from harstream.stream.sinks.mqtt import MqttSink, new_publisher
from harstream.wire.context import Context
from harstream.wire.errors import SinkError
from tests.support.values import MakeEvent, MakeNotice
from tests.support.waiting import Eventually


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


def test_a_client_gets_only_what_it_subscribed_to(free_port: int, eventually: Eventually) -> None:
    with EmbeddedBroker(free_port) as broker:
        everything: queue.Queue[tuple[str, bytes]] = queue.Queue()
        first = connected(broker, everything)
        first.subscribe("har/#")
        for topic in ("har/nuc1/labels", "har/nuc1/camera/hall/health"):
            first.publish(topic, b"x", qos=1, retain=True)
        eventually(lambda: everything.qsize() == 2, "both messages")
        messages: queue.Queue[tuple[str, bytes]] = queue.Queue()
        second = connected(broker, messages)
        second.subscribe("har/nuc1/camera/+/health")
        assert messages.get(timeout=5) == ("har/nuc1/camera/hall/health", b"x")
        with pytest.raises(queue.Empty):
            messages.get(timeout=0.5)
        first.close()
        second.close()


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
        sink.publish_events(make_notice(make_event()))
        sink.handle(make_notice())
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


def is_closed(client: socket.socket) -> bool:
    client.settimeout(0)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_idle_sockets_are_closed_and_do_not_keep_clients_out(free_port: int, eventually: Eventually) -> None:
    with EmbeddedBroker(free_port, time_until_connect=1.0) as broker:
        idle = [socket.create_connection(("127.0.0.1", free_port)) for _ in range(300)]
        eventually(lambda: all(is_closed(one) for one in idle), "the idle sockets to be closed")
        connection = connected(broker)
        assert connection.version == "3.1.1"
        connection.close()
        assert broker.refused == 300
    for one in idle:
        one.close()


GARBAGE = [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00",  # the begin of a TLS handshake
    b"\x10\xff\xff\xff\x7f" + b"x" * 100,  # a CONNECT of 268 MB
    b"\x10\xff\xff\xff\xff\xff",  # a length without end
    b"\x10\x00",
    b"\x10\x0c\x00\x04MQTT\x04\xff\x00\x05\x00\x00",
    b"\x10\x08\x00\x02\xff\xfe\x04\x02\x00\x05",
    b"\x30\x05\x00\x01ax",
    b"\x00" * 1000,
]


def test_garbage_gives_one_line_and_no_traceback(
    free_port: int, eventually: Eventually, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with EmbeddedBroker(free_port, time_until_connect=1.0) as broker:
        for _ in range(5):
            for garbage in GARBAGE:
                with socket.create_connection(("127.0.0.1", free_port)) as client:
                    client.sendall(garbage)
        # amqtt itself closes the connection with a CONNECT whose flags are wrong.
        eventually(lambda: broker.refused >= 5 * (len(GARBAGE) - 1), "all of them to be counted")
        connected(broker).close()
    (line,) = [record.getMessage() for record in caplog.records]
    assert "refused" in line
    assert not any(record.exc_info for record in caplog.records)
    assert "Traceback" not in capfd.readouterr().err


def test_a_packet_over_the_limit_ends_its_connection_alone(free_port: int, eventually: Eventually) -> None:
    messages: queue.Queue[tuple[str, bytes]] = queue.Queue()
    with EmbeddedBroker(free_port) as broker:
        sender, listener = connected(broker), connected(broker, messages)
        listener.subscribe("har/#")
        sender.publish("har/nuc1/large", b"x" * 20_000_000, qos=0, retain=False)
        eventually(sender.lost.is_set, "the sender to be disconnected")
        again = connected(broker)
        again.publish("har/nuc1/small", b"x" * 500_000, qos=1, retain=False)
        assert messages.get(timeout=10)[0] == "har/nuc1/small"
        for connection in (sender, again, listener):
            connection.close()
