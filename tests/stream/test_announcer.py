"""Announcements against a real mosquitto: said, said again when Home Assistant is born, and taken back."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stream import announcer
from stream.broker import EmbeddedBroker
from stream.connection import BrokerAddress
from stream.discovery import announcements
from stream.errors import SinkError
from stream.messages import Notice
from stream.outbox import Outbox
from stream.sinks.mqtt import MqttSink
from stream.wire import Context

pytestmark = pytest.mark.mosquitto

HALL, YARD = "homeassistant/device/har_nuc1_hall/config", "homeassistant/device/har_nuc1_yard/config"
NODE = "homeassistant/device/har_nuc1/config"

MakeSink = Callable[..., MqttSink]


@pytest.fixture
def make_sink(tmp_path: Path, context: Context) -> Iterator[MakeSink]:
    """`make_sink(url, "hall", "yard")`: a sink that announces these cameras; without any, discovery is off."""
    sinks: list[MqttSink] = []

    def make(url: str, *cameras: str, node: str = "nuc1") -> MqttSink:
        here = replace(context, node=node)
        sinks.append(
            MqttSink(
                BrokerAddress.parse(url),
                context=here,
                outbox=Outbox(tmp_path / "outbox.db"),
                announcements=announcements("homeassistant", here, cameras) if cameras else {},
            )
        )
        return sinks[-1]

    yield make
    for sink in sinks:
        sink.close()


@pytest.fixture
def retained(mosquitto: Any, subscribe: Any, eventually: Callable[..., None]) -> Callable[..., None]:
    """`retained(NODE, HALL)` waits until these are what a Home Assistant that comes now would discover."""

    def discovered() -> set[str]:
        return {message.topic for message in subscribe(mosquitto.port).of("/config")}

    def check(*topics: str) -> None:
        eventually(lambda: discovered() == set(topics), f"{topics} to be all that is announced")

    return check


def test_a_camera_is_announced_and_stays_so_when_we_go(
    mosquitto: Any, make_sink: MakeSink, retained: Callable[..., None]
) -> None:
    sink = make_sink(mosquitto.url, "hall")
    sink.start()
    retained(NODE, HALL)
    sink.close()
    retained(NODE, HALL)


def test_a_camera_that_left_the_config_leaves_home_assistant(
    mosquitto: Any, make_sink: MakeSink, retained: Callable[..., None]
) -> None:
    for cameras in (("hall", "yard"), ("hall",)):
        sink = make_sink(mosquitto.url, *cameras)
        sink.start()
        sink.close()
    retained(NODE, HALL)


def test_a_node_of_another_name_takes_the_old_one_with_it(
    mosquitto: Any, make_sink: MakeSink, retained: Callable[..., None]
) -> None:
    for node in ("nuc1", "nuc2"):
        sink = make_sink(mosquitto.url, "hall", node=node)
        sink.start()
        sink.close()
    retained("homeassistant/device/har_nuc2/config", "homeassistant/device/har_nuc2_hall/config")


def test_discovery_that_is_switched_off_takes_everything_back(
    mosquitto: Any, make_sink: MakeSink, retained: Callable[..., None]
) -> None:
    for cameras in (("hall",), ()):
        sink = make_sink(mosquitto.url, *cameras)
        sink.start()
        sink.close()
    retained()


def test_what_was_taken_back_belongs_to_whoever_announces_it_next(
    mosquitto: Any, make_sink: MakeSink, retained: Callable[..., None], eventually: Callable[..., None], tmp_path: Path
) -> None:
    for cameras in (("hall", "yard"), ("hall",)):
        sink = make_sink(mosquitto.url, *cameras)
        sink.start()
        sink.close()
    subprocess.run(["mosquitto_pub", "-p", str(mosquitto.port), "-r", "-t", YARD, "-m", "another's"], check=True)
    again = make_sink(mosquitto.url, "hall")
    again.start()
    again.close()
    retained(NODE, HALL, YARD)


def test_a_camera_that_left_while_the_broker_was_away_leaves_when_it_is_back(
    mosquitto: Any, make_sink: MakeSink, retained: Callable[..., None], eventually: Callable[..., None]
) -> None:
    first = make_sink(mosquitto.url, "hall", "yard")
    first.start()
    first.close()
    mosquitto.stop()
    second = make_sink(mosquitto.url, "hall")
    second.start(must_connect=False)
    second.close()
    mosquitto.start()
    third = make_sink(mosquitto.url, "hall")
    third.start()
    retained(NODE, HALL)


def test_what_another_broker_retains_is_taken_back_there(
    mosquitto: Any, make_sink: MakeSink, retained: Callable[..., None], new_port: Callable[[], int]
) -> None:
    with EmbeddedBroker(new_port()) as other:
        for url, cameras in [(mosquitto.url, ("hall", "yard")), (other.url, ("hall",)), (mosquitto.url, ("hall",))]:
            sink = make_sink(url, *cameras)
            sink.start()
            sink.close()
    retained(NODE, HALL)


def test_announcements_and_states_are_said_again_when_home_assistant_is_born(
    mosquitto: Any, make_sink: MakeSink, subscribe: Any, eventually: Callable[..., None],
    make_notice: Callable[..., Notice],
) -> None:  # fmt: skip
    subscriber = subscribe(mosquitto.port)
    sink = make_sink(mosquitto.url, "hall")
    sink.start()
    sink.handle(make_notice(activity="Lunges"))
    topics = [NODE, HALL, "/activity", "/info"]
    eventually(lambda: all(len(subscriber.of(topic)) == 1 for topic in topics), "all to be said")
    birth = ["mosquitto_pub", "-p", str(mosquitto.port), "-t", "homeassistant/status", "-m"]
    subprocess.run([*birth, "offline"], check=True)
    subprocess.run([*birth, "online"], check=True)
    eventually(lambda: all(len(subscriber.of(topic)) == 2 for topic in topics), "all to be said again")
    assert [message.payload for message in subscriber.of(HALL)] == [subscriber.of(HALL)[0].payload] * 2


def test_what_is_said_again_waits_for_its_time(
    mosquitto: Any, make_sink: MakeSink, subscribe: Any, eventually: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch, make_notice: Callable[..., Notice],
) -> None:  # fmt: skip
    monkeypatch.setattr(announcer.random, "uniform", lambda low, high: 3600.0 if (low, high) == (0, 5.0) else low)
    subscriber = subscribe(mosquitto.port)
    sink = make_sink(mosquitto.url, "hall")
    sink.start()
    subprocess.run(
        ["mosquitto_pub", "-p", str(mosquitto.port), "-t", "homeassistant/status", "-m", "online"], check=True
    )
    eventually(lambda: sink.sender._say_again_at is not None, "the birth to be heard")
    sink.handle(make_notice(activity="Lunges"))
    eventually(lambda: subscriber.of("/activity"), "the activity, sent meanwhile")
    assert len(subscriber.of(HALL)) == 1


def test_a_file_that_cannot_be_read_is_a_warning(
    mosquitto: Any, make_sink: MakeSink, retained: Callable[..., None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "outbox.db.announced").write_bytes(b"\xff\xfe")
    sink = make_sink(mosquitto.url, "hall")
    sink.start()
    retained(NODE, HALL)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "a camera that leaves the config may stay in Home Assistant" in caplog.text
    remembered = (tmp_path / "outbox.db.announced").read_text().splitlines()
    assert remembered == [f"{mosquitto.url} {NODE}", f"{mosquitto.url} {HALL}"]


def test_a_fault_of_a_handler_is_raised_where_it_is_counted(
    mosquitto: Any, make_sink: MakeSink, eventually: Callable[..., None], make_notice: Callable[..., Notice]
) -> None:
    sink = make_sink(mosquitto.url)

    def fail(payload: bytes) -> None:
        raise RuntimeError(f"a fault of ours with {payload.decode()}")

    sink.sender.handle_messages("har/nuc1/camera/hall/enabled/set", fail)
    sink.start()
    set_topic = "har/nuc1/camera/hall/enabled/set"
    subprocess.run(["mosquitto_pub", "-p", str(mosquitto.port), "-t", set_topic, "-m", "ON"], check=True)

    def raises() -> bool:
        try:
            sink.handle(make_notice())
        except SinkError as error:
            return "a fault of ours with ON" in str(error)
        return False

    eventually(raises, "the fault")
