"""Commands over a real mosquitto switch cameras and set thresholds. An invalid command gets an answer."""

from __future__ import annotations

import json
import secrets
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.broker.connection import Connection
from harstream.mqtt.embedded_broker import EmbeddedBroker
from harstream.mqtt.outbox import Outbox
from harstream.stream.service.camera_commands import CameraCommands
from harstream.stream.service.change_queue import ChangeQueue
from harstream.stream.sinks.mqtt import MqttSink, new_publisher
from harstream.wire.context import Context
from harstream.wire.errors import ControlError
from harstream.wire.values import CameraControl, CameraState
from tests.support.values import MakeHealth, MakeNotice
from tests.support.waiting import Eventually

pytestmark = pytest.mark.mosquitto


class RecordingControls:
    """Controls of one camera that remember each request."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, object]] = []

    def cameras(self) -> list[CameraControl]:
        return []

    def switch(self, camera: str, *, on: bool) -> None:
        self._check(camera)
        self.requests.append((camera, "enabled", on))

    def set_threshold(self, camera: str, threshold: float | None) -> None:
        self._check(camera)
        self.requests.append((camera, "threshold", threshold))

    def _check(self, camera: str) -> None:
        if camera != "hall":
            raise ControlError(f"there is no camera {camera[:80]!r}; the cameras are hall")


@pytest.fixture
def controls() -> RecordingControls:
    return RecordingControls()


class Node:
    """An MqttSink with its commands and the thread that carries them out."""

    def __init__(self, address: BrokerAddress, controls: RecordingControls, context: Context, folder: Path) -> None:
        self.sink = MqttSink(new_publisher(address, Outbox(folder / "outbox.db"), context.node), context)
        self._changes = ChangeQueue()
        CameraCommands(self.sink.publisher, self.sink.topics, controls, self._changes)

    def start(self) -> None:
        self.sink.start()
        self._changes.start()

    def close(self) -> None:
        self._changes.close()
        self.sink.close()


@pytest.fixture
def node(mosquitto: Any, controls: RecordingControls, context: Context, tmp_path: Path) -> Iterator[Node]:
    node = Node(BrokerAddress.parse(mosquitto.url), controls, context, tmp_path)
    node.start()
    yield node
    node.close()


@pytest.fixture
def sink(node: Node) -> MqttSink:
    return node.sink


@pytest.fixture
def publish(mosquitto: Any, sink: MqttSink) -> Callable[[str, bytes], None]:
    def send(topic: str, payload: bytes) -> None:
        command = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(mosquitto.port), "-q", "1", "-t", topic]
        command.append("-s" if payload else "-n")
        subprocess.run(command, input=payload, check=True)

    return send


def test_commands_are_carried_out(publish: Any, controls: RecordingControls, eventually: Eventually) -> None:
    publish("har/nuc1/camera/hall/enabled/set", b"OFF")
    publish("har/nuc1/camera/hall/enabled/set", b" on\n")
    publish("har/nuc1/camera/hall/threshold/set", b"0.65")
    publish("har/nuc1/camera/hall/threshold/set", b"default")
    publish("har/nuc2/camera/hall/enabled/set", b"OFF")
    publish("har/nuc1/camera/hall/enabled/state", b"OFF")
    publish("har/nuc1/camera/hall/threshold/set", b"1")
    eventually(lambda: len(controls.requests) == 5, "the five requests")
    assert controls.requests == [
        ("hall", "enabled", False), ("hall", "enabled", True), ("hall", "threshold", 0.65), ("hall", "threshold", None),
        ("hall", "threshold", 1.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("topic", "payload", "why"),
    [
        ("hall/enabled", b"perhaps", "expected ON or OFF, got 'perhaps'"),
        ("hall/enabled", b"", "expected ON or OFF, got ''"),
        ("hall/enabled", b"\xff\x00", "expected ON or OFF, got '\ufffd\\x00'"),
        ("hall/enabled", b"O" * 5000, "expected a word or a number, got 5000 bytes"),
        ("hall/threshold", b"high", "expected a number between 0 and 1, or default, got 'high'"),
        ("hall/volume", b"11", "expected enabled or threshold in the topic, got 'volume'"),
        ("attic/enabled", b"OFF", "there is no camera 'attic'; the cameras are hall"),
        ("<b>\u00e9/enabled", b"OFF", "there is no camera '<b>\u00e9'; the cameras are hall"),
    ],
)
def test_invalid_command_is_answered(
    topic: str, payload: bytes, why: str, publish: Any, controls: RecordingControls, mosquitto: Any, subscribe: Any,
    eventually: Eventually,
) -> None:  # fmt: skip
    subscriber = subscribe(mosquitto.port)
    publish(f"har/nuc1/camera/{topic}/set", payload)
    eventually(lambda: subscriber.of("/error"), "the answer")
    answer = subscriber.of("/error")[0]
    assert (answer.topic, answer.retained) == ("har/nuc1/error", False)
    assert (answer.json["topic"], answer.json["detail"]) == (f"har/nuc1/camera/{topic}/set", why)
    assert controls.requests == []
    publish("har/nuc1/camera/hall/enabled/set", b"ON")
    eventually(lambda: controls.requests == [("hall", "enabled", True)], "the next command to be carried out")


def test_a_repeated_refusal_is_logged_once_a_minute(
    publish: Any, mosquitto: Any, subscribe: Any, eventually: Eventually, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    subscriber = subscribe(mosquitto.port)

    def ask(payload: bytes, count: int) -> None:
        publish("har/nuc1/camera/hall/enabled/set", payload)
        eventually(lambda: len(subscriber.of("/error")) == count, "the answer")

    ask(b"perhaps", 1)
    ask(b"perhaps", 2)
    ask(b"so", 3)
    monkeypatch.setattr("harstream.stream.service.camera_commands.LOG_INTERVAL", 0.0)
    ask(b"no", 4)
    first, later = (record.getMessage() for record in caplog.records if "refused" in record.getMessage())
    for line, payload in ((first, "'perhaps'"), (later, "'no'")):
        assert "har/nuc1/camera/hall/enabled/set" in line
        assert f"expected ON or OFF, got {payload}" in line
    assert "2 more" in later


def packet(kind: int, body: bytes) -> bytes:
    """Returns an MQTT packet. Source: MQTT 3.1.1, section 2.2."""
    length, left = b"", len(body)
    while not length or left:
        left, digit = divmod(left, 128)
        length += bytes([digit | (128 if left else 0)])
    return bytes([kind]) + length + body


def text(words: bytes) -> bytes:
    return struct.pack(">H", len(words)) + words


def send_raw(port: int, topic: bytes, payload: bytes, strangers: ExitStack) -> None:
    """Sends as a client that breaks the rules. The broker may close the connection or stop answering.

    The connection stays open until `strangers` closes, because amqtt drops what it has not forwarded when a client
    leaves.
    """
    connected = strangers.enter_context(socket.create_connection(("127.0.0.1", port), 1))
    with suppress(OSError):
        client_id = b"stranger" + secrets.token_hex(4).encode()
        connected.sendall(packet(0x10, text(b"MQTT") + b"\x04\x02\x00\x3c" + text(client_id)))
        connected.recv(4)
        connected.sendall(packet(0x30, text(topic) + payload))
        connected.sendall(packet(0xC0, b""))  # a ping: the broker answers it when it has read everything before
        connected.recv(2)


HOSTILE = [
    *((b"har/nuc1/camera/" + name + b"/enabled/set", b"OFF") for name in (
        b"+", b"#", b"", b"a/b", b"..", b"<script>alert(1)</script>", b"a\0b", b"\x1b[31m", b"\xff\xfe",
        b"\xed\xa0\x80", "\u202eh\u00e4ll".encode(), b"x" * 60_000,
    )),
    *((b"har/nuc1/camera/hall/" + setting + b"/set", b"OFF") for setting in (b"+", b"", b"__class__", b"y" * 60_000)),
    *((b"har/nuc1/camera/hall/threshold/set", payload) for payload in (
        b"", b"\xff\xfe\x00", b"nan-nan", b"[" * 100_000, b"{" * 31, b"0" * 1_000_000, b"\0", b"0x1p3",
    )),
    *((b"har/nuc1/camera/hall/enabled/set", payload) for payload in (b"\x80" * 32, b"ON\0", b"O" * 1_000_000, b"{}")),
    (b"homeassistant/status", b"\xff" * 1_000_000),
]  # fmt: skip


@pytest.fixture(params=["mosquitto", "embedded"])
def either_broker(request: pytest.FixtureRequest, new_port: Callable[[], int]) -> Iterator[BrokerAddress]:
    if request.param == "mosquitto":
        yield BrokerAddress("127.0.0.1", request.getfixturevalue("mosquitto").port)
    else:
        with EmbeddedBroker(new_port()) as broker:
            yield broker.address


def test_any_input_of_a_stranger_is_answered_or_ignored_and_changes_nothing(
    either_broker: BrokerAddress, controls: RecordingControls, context: Context, tmp_path: Path,
    eventually: Eventually,
    validate: Callable[[Any], None],
) -> None:  # fmt: skip
    answers: list[bytes] = []
    strangers = ExitStack()
    listener = Connection(either_broker, on_message=lambda _, payload, __: answers.append(payload))
    listener.open()
    listener.subscribe("har/nuc1/error")
    node = Node(either_broker, controls, context, tmp_path)
    node.start()
    try:
        eventually(lambda: node.sink.publisher.is_connected, "the connection")
        for topic, payload in HOSTILE:
            send_raw(either_broker.port, topic, payload, strangers)

        send_raw(either_broker.port, b"har/nuc1/camera/hall/threshold/set", b"loud", strangers)
        eventually(lambda: answers and b"loud" in answers[-1], "an answer to the last command")
        assert controls.requests == []
        send_raw(either_broker.port, b"har/nuc1/camera/hall/enabled/set", b"ON", strangers)
        eventually(lambda: controls.requests == [("hall", "enabled", True)], "the valid command to be carried out")
        node.sink.publisher.check()
        assert len(answers) > 12
        for answer in answers:
            assert len(answer) < 1000
            validate(json.loads(answer))
    finally:
        strangers.close()
        node.close()
        listener.close()


def test_a_topic_that_is_not_utf8_is_ignored(eventually: Eventually) -> None:
    """A broker of three packets is needed: real brokers do not forward such a topic."""
    topics: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        address = BrokerAddress("127.0.0.1", port, supports_mqtt5=False)
        connection = Connection(address, on_message=lambda topic, _, __: topics.append(topic))
        opening = threading.Thread(target=connection.open)
        opening.start()
        client, _ = server.accept()
        with client:
            client.recv(1000)
            client.sendall(packet(0x20, b"\0\0"))
            client.sendall(packet(0x30, text(b"har/\xff") + b"OFF") + packet(0x30, text(b"har/nuc1") + b"OFF"))
            eventually(lambda: topics == ["har/nuc1"], "the message after it")
        opening.join()
        connection.close()


def test_a_retained_command_is_refused_because_it_would_be_repeated_forever(
    node: Node, controls: RecordingControls, mosquitto: Any, subscribe: Any, context: Context, tmp_path: Path,
    eventually: Eventually,
) -> None:  # fmt: skip
    subscriber = subscribe(mosquitto.port)
    command = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(mosquitto.port), "-r", "-m", "OFF"]
    subprocess.run([*command, "-t", "har/nuc1/camera/hall/enabled/set"], check=True)
    eventually(
        lambda: controls.requests == [("hall", "enabled", False)],
        "the command, which a connected subscriber receives as not retained",
    )
    node.close()
    restarted = Node(BrokerAddress.parse(mosquitto.url), controls, context, tmp_path)
    restarted.start()
    eventually(lambda: subscriber.of("/error"), "the answer to the retained command", 40)
    restarted.close()
    assert "send it without retain" in subscriber.of("/error")[0].json["detail"]
    assert controls.requests == [("hall", "enabled", False)]


def test_the_settings_of_a_camera_are_retained(
    sink: MqttSink, mosquitto: Any, subscribe: Any, eventually: Eventually
) -> None:
    sink.on_setting(CameraControl("hall", is_enabled=False, threshold=0.85))
    first = subscribe(mosquitto.port)
    eventually(lambda: len(first.of("/state")) == 2, "both settings")
    late = subscribe(mosquitto.port)
    eventually(lambda: len(late.of("/state")) == 2, "what is retained")
    assert {message.topic: message.payload for message in late.of("/state")} == {
        "har/nuc1/camera/hall/enabled/state": "OFF",
        "har/nuc1/camera/hall/threshold/state": "0.85",
    }


def test_the_retained_states_of_a_removed_camera_say_that_it_is_removed(
    sink: MqttSink, mosquitto: Any, subscribe: Any, make_notice: MakeNotice,
    make_health: MakeHealth, eventually: Eventually,
) -> None:  # fmt: skip
    sink.handle(make_notice(state=CameraState.LIVE, activity="Lunges"))
    sink.report(make_health())
    before = subscribe(mosquitto.port)
    eventually(lambda: before.of("hall/activity") and before.of("hall/health"), "its activity and its health")
    sink.handle(make_notice(state=CameraState.REMOVED))

    def retained(what: str) -> Any:
        late = subscribe(mosquitto.port)
        eventually(lambda: late.of(f"hall/{what}"), "what is retained")
        return late.of(f"hall/{what}")[0]

    eventually(lambda: retained("health").json["reason"] == "it is no longer watched", "the reason")
    assert retained("health").json["state"] == "offline"
    assert retained("availability").payload == "offline"
    assert retained("activity").json["activity"] == "unknown"
