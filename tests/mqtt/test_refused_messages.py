"""Messages that the broker refuses or that are too large are never lost silently, and hold back nothing else."""

from __future__ import annotations

import getpass
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.broker.connection import Will
from harstream.mqtt.outbox import Outbox
from harstream.mqtt.publisher import Publisher
from harstream.wire.context import Context
from harstream.wire.messages.event import EventMessage
from tests.support.broker import Mosquitto, Subscribe
from tests.support.fake_broker import ACCEPT, FakeBroker
from tests.support.values import MakeEvent
from tests.support.waiting import Eventually

STATUS = "har/nuc1/status"
HALL, YARD = "har/nuc1/camera/hall/event", "har/nuc1/camera/yard/event"
QUOTA = 0x97

NewPublisher = Callable[..., Publisher]


@pytest.fixture
def new_publisher(tmp_path: Path) -> Iterator[NewPublisher]:
    publishers: list[Publisher] = []

    def make(url: str, *, mqtt5: bool = True, set_aside_after: float = 3600.0) -> Publisher:
        address = replace(BrokerAddress.parse(url), supports_mqtt5=mqtt5)
        outbox = Outbox(tmp_path / "outbox.sqlite")
        publishers.append(Publisher(address, outbox, will=Will(STATUS, "offline"), set_aside_after=set_aside_after))
        publishers[-1].start(must_connect=True)
        return publishers[-1]

    yield make
    for publisher in publishers:
        publisher.close((STATUS, b"offline"))


@pytest.fixture
def put(make_event: MakeEvent, context: Context) -> Callable[[Publisher, str, int], list[str]]:
    """Publishes events on a topic, and returns their ids."""
    counts = iter(range(1000))

    def put_events(publisher: Publisher, topic: str, count: int) -> list[str]:
        ids = [f"{next(counts):026}" for _ in range(count)]
        for one in ids:
            publisher.publish_event(topic, EventMessage.of(make_event(id=one), context, delay=None))
        return ids

    return put_events


def ids(payloads: list[bytes]) -> list[str]:
    return [str(json.loads(payload)["id"]) for payload in payloads]


def warnings(caplog: pytest.LogCaptureFixture, part: str) -> list[str]:
    return [record.getMessage() for record in caplog.records if part in record.getMessage()]


def test_refused_events_are_retried_in_order_without_holding_back_others(
    new_publisher: NewPublisher, fake_broker: FakeBroker, put: Callable[[Publisher, str, int], list[str]],
    eventually: Eventually, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    allow = threading.Event()
    fake_broker.answer = lambda topic, _: QUOTA if topic == HALL and not allow.is_set() else ACCEPT
    publisher = new_publisher(fake_broker.url)
    hall, yard = put(publisher, HALL, 3), put(publisher, YARD, 3)
    eventually(lambda: ids(fake_broker.payloads("yard/event")) == yard, "the events of the other camera")
    eventually(lambda: fake_broker.asked.count(HALL) >= 2, "a repetition")
    eventually(lambda: publisher.counts.refused >= 2, "the count")
    assert publisher.waiting == 3
    (line,) = warnings(caplog, HALL)
    assert "quota exceeded" in line
    allow.set()
    eventually(lambda: ids(fake_broker.payloads("hall/event")) == hall, "the refused events")
    eventually(lambda: publisher.waiting == 0, "the acknowledgement")
    assert fake_broker.connections == 1


@pytest.mark.mosquitto
def test_events_that_an_acl_forbids_are_set_aside_after_a_while(
    new_publisher: NewPublisher, stopped_mosquitto: Mosquitto, put: Callable[[Publisher, str, int], list[str]],
    subscribe: Subscribe, eventually: Eventually, caplog: pytest.LogCaptureFixture, tmp_path: Path,
) -> None:  # fmt: skip
    acl = tmp_path / "acl"
    acl.write_text("topic read #\ntopic write ready\ntopic write har/nuc1/camera/yard/#\n")
    stopped_mosquitto.configure(
        f"listener {stopped_mosquitto.port} 127.0.0.1\nallow_anonymous true\nuser {getpass.getuser()}\nacl_file {acl}\n"
    )
    stopped_mosquitto.start()
    subscriber = subscribe(stopped_mosquitto.port)
    publisher = new_publisher(stopped_mosquitto.url, set_aside_after=2.0)
    hall, yard = put(publisher, HALL, 2), put(publisher, YARD, 1)
    eventually(lambda: [one.json["id"] for one in subscriber.of("yard/event")] == yard, "the allowed event")
    aside = tmp_path / "outbox.sqlite.refused.jsonl"
    eventually(lambda: aside.exists() and len(aside.read_text().splitlines()) == 2, "both events in the file", 20)
    rows = [json.loads(line) for line in aside.read_text().splitlines()]
    assert [row["payload"]["id"] for row in rows] == hall
    assert {row["topic"] for row in rows} == {HALL}
    assert rows[0]["reason"] == "not authorized"
    eventually(lambda: publisher.waiting == 0, "the outbox to be empty")
    assert publisher.counts.set_aside == 2
    first, last = warnings(caplog, HALL)
    assert "not authorized" in first
    assert str(aside) in last


def test_a_broker_that_disconnects_at_a_topic_still_gets_the_others(
    new_publisher: NewPublisher, fake_broker: FakeBroker, put: Callable[[Publisher, str, int], list[str]],
    eventually: Eventually, tmp_path: Path,
) -> None:  # fmt: skip
    fake_broker.version = 4
    fake_broker.answer = lambda topic, _: None if topic == HALL else ACCEPT
    publisher = new_publisher(fake_broker.url)
    hall, yard = put(publisher, HALL, 1), put(publisher, YARD, 2)
    eventually(lambda: ids(fake_broker.payloads("yard/event")) == yard, "the events of the other camera", 30)
    aside = tmp_path / "outbox.sqlite.refused.jsonl"
    eventually(aside.exists, "the event in the file", 60)
    assert [json.loads(line)["payload"]["id"] for line in aside.read_text().splitlines()] == hall
    put(publisher, YARD, 1)
    eventually(lambda: len(fake_broker.payloads("yard/event")) == 3, "another event", 30)
    connections = fake_broker.connections
    put(publisher, HALL, 1)
    put(publisher, YARD, 1)
    eventually(lambda: len(fake_broker.payloads("yard/event")) == 4, "an event while the topic is on hold")
    assert fake_broker.connections == connections
    assert ids(fake_broker.payloads("hall/event")) == []
    eventually(lambda: publisher.waiting == 1, "the event on hold alone")


@pytest.mark.mosquitto
@pytest.mark.parametrize("mqtt5", [True, False])
def test_a_message_over_the_brokers_limit_is_left_out(
    new_publisher: NewPublisher, stopped_mosquitto: Mosquitto, put: Callable[[Publisher, str, int], list[str]],
    subscribe: Subscribe, eventually: Eventually, caplog: pytest.LogCaptureFixture, mqtt5: bool,
) -> None:  # fmt: skip
    stopped_mosquitto.configure(
        f"listener {stopped_mosquitto.port} 127.0.0.1\nallow_anonymous true\nuser {getpass.getuser()}\n"
        "max_packet_size 2000\n"
    )
    stopped_mosquitto.start()
    subscriber = subscribe(stopped_mosquitto.port)
    publisher = new_publisher(stopped_mosquitto.url, mqtt5=mqtt5)
    publisher.retain("har/nuc1/camera/hall/snapshot", b"x" * 5000, qos=0)
    publisher.retain(STATUS, b"online")
    events = put(publisher, HALL, 2)
    eventually(lambda: [one.json["id"] for one in subscriber.of("hall/event")] == events, "the events", 30)
    eventually(lambda: warnings(caplog, "hall/snapshot"), "the warning")
    (line,) = warnings(caplog, "hall/snapshot")
    assert "5,0" in line
    losses = len(warnings(caplog, "lost the broker"))
    assert losses in ((0,) if mqtt5 else (2, 3))
    publisher.retain("har/nuc1/camera/hall/snapshot", b"y" * 5000, qos=0)
    put(publisher, HALL, 1)
    eventually(lambda: len(subscriber.of("hall/event")) == 3, "another event")
    assert len(warnings(caplog, "lost the broker")) == losses
    assert len(warnings(caplog, "hall/snapshot")) == 1
    assert publisher.counts.too_large >= 2


def test_an_event_over_the_limit_is_set_aside_at_once(
    new_publisher: NewPublisher, fake_broker: FakeBroker, put: Callable[[Publisher, str, int], list[str]],
    eventually: Eventually, tmp_path: Path,
) -> None:  # fmt: skip
    fake_broker.max_packet = 300
    publisher = new_publisher(fake_broker.url)
    (event,) = put(publisher, HALL, 1)
    aside = tmp_path / "outbox.sqlite.refused.jsonl"
    eventually(lambda: aside.exists() and aside.read_text().endswith("\n"), "the event in the file")
    assert json.loads(aside.read_text())["payload"]["id"] == event
    eventually(lambda: publisher.waiting == 0, "the outbox to be empty")
    assert fake_broker.asked == []


def test_a_lost_connection_gives_a_reason(
    new_publisher: NewPublisher, fake_broker: FakeBroker, eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    publisher = new_publisher(fake_broker.url)
    fake_broker.answer = lambda topic, _: None
    publisher.publish_now("har/nuc1/seen", b"1")
    eventually(lambda: warnings(caplog, "lost the broker"), "the loss")
    (line, *_) = warnings(caplog, "lost the broker")
    assert "unspecified" not in line
    assert "it closed the connection without a reason" in line
