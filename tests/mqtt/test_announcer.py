"""Announcements against a real mosquitto: published, republished when Home Assistant starts, and cleared."""

from __future__ import annotations

import logging
import random
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harstream.mqtt.announcer import Announcer
from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.embedded_broker import EmbeddedBroker
from harstream.mqtt.outbox import Outbox
from harstream.stream.sinks.mqtt import MqttSink, new_publisher
from harstream.wire.context import Context
from harstream.wire.home_assistant import announcements
from harstream.wire.values import Notice
from tests.support.values import MakeNotice
from tests.support.waiting import Eventually

pytestmark = pytest.mark.mosquitto

HALL, YARD = "homeassistant/device/har_nuc1/hall/config", "homeassistant/device/har_nuc1/yard/config"
NODE = "homeassistant/device/har/nuc1/config"


class Run:
    """An MqttSink and the announcer of its node."""

    def __init__(self, url: str, folder: Path, context: Context) -> None:
        address = BrokerAddress.parse(url)
        self.publisher = new_publisher(address, Outbox(folder / "outbox.db"), context.node)
        self._sink = MqttSink(self.publisher, context)
        self._announcer = Announcer(self.publisher, address.url, folder / "outbox.db.announced")

    def start(self, *, must_connect: bool = True) -> None:
        self._sink.start(must_connect=must_connect)
        self._announcer.start()

    def handle(self, notice: Notice) -> None:
        self._sink.handle(notice)

    def announce(self, announcements: Mapping[str, bytes]) -> None:
        self._announcer.announce(announcements)

    def close(self) -> None:
        self._sink.close()


Begin = Callable[..., Run]


@pytest.fixture
def begin(tmp_path: Path, context: Context) -> Iterator[Begin]:
    """`begin(url, "hall", "yard")` starts a sink that announces these cameras. Without cameras, discovery is off."""
    sinks: list[Run] = []

    def begin(url: str, *cameras: str, node: str = "nuc1", folder: Path = tmp_path, **options: bool) -> Run:
        here = replace(context, node=node)
        sink = Run(url, folder, here)
        sinks.append(sink)
        sink.start(**options)
        sink.announce(announcements("homeassistant", here, cameras) if cameras else {})
        return sink

    yield begin
    for sink in sinks:
        sink.close()


@pytest.fixture
def retained(mosquitto: Any, subscribe: Any, eventually: Eventually) -> Callable[..., None]:
    """`retained(NODE, HALL)` waits until a Home Assistant that starts now discovers exactly these."""

    def discovered() -> set[str]:
        return {message.topic for message in subscribe(mosquitto.port).of("/config")}

    def check(*topics: str) -> None:
        eventually(lambda: discovered() == set(topics), f"{topics} to be the only announcements")

    return check


def test_an_announcement_stays_after_the_run(mosquitto: Any, begin: Begin, retained: Callable[..., None]) -> None:
    sink = begin(mosquitto.url, "hall")
    retained(NODE, HALL)
    sink.close()
    retained(NODE, HALL)


def test_a_camera_that_was_removed_from_the_config_leaves_home_assistant(
    mosquitto: Any, begin: Begin, retained: Callable[..., None]
) -> None:
    for cameras in (("hall", "yard"), ("hall",)):
        sink = begin(mosquitto.url, *cameras)
        sink.close()
    retained(NODE, HALL)


def test_cameras_are_announced_and_cleared_during_a_run(
    mosquitto: Any, begin: Begin, retained: Callable[..., None], context: Context
) -> None:
    sink = begin(mosquitto.url, "hall")
    retained(NODE, HALL)
    for cameras, expected in [(["yard"], (NODE, YARD)), (["yard", "hall"], (NODE, HALL, YARD))]:
        sink.announce(announcements("homeassistant", context, cameras))
        retained(*expected)


def test_a_renamed_node_clears_the_announcements_of_its_old_name(
    mosquitto: Any, begin: Begin, retained: Callable[..., None]
) -> None:
    for node in ("nuc1", "nuc2"):
        sink = begin(mosquitto.url, "hall", node=node)
        sink.close()
    retained("homeassistant/device/har/nuc2/config", "homeassistant/device/har_nuc2/hall/config")


def test_switching_discovery_off_clears_all_announcements(
    mosquitto: Any, begin: Begin, retained: Callable[..., None]
) -> None:
    for cameras in (("hall",), ()):
        sink = begin(mosquitto.url, *cameras)
        sink.close()
    retained()


def test_a_cleared_announcement_of_another_node_is_left_alone(
    mosquitto: Any, begin: Begin, retained: Callable[..., None], eventually: Eventually, tmp_path: Path
) -> None:
    for cameras in (("hall", "yard"), ("hall",)):
        sink = begin(mosquitto.url, *cameras)
        sink.close()
    subprocess.run(["mosquitto_pub", "-p", str(mosquitto.port), "-r", "-t", YARD, "-m", "another's"], check=True)
    again = begin(mosquitto.url, "hall")
    again.close()
    retained(NODE, HALL, YARD)


def test_a_camera_removed_during_an_outage_is_cleared_after_it(
    mosquitto: Any, begin: Begin, retained: Callable[..., None], eventually: Eventually
) -> None:
    first = begin(mosquitto.url, "hall", "yard")
    first.close()
    mosquitto.stop()
    second = begin(mosquitto.url, "hall", must_connect=False)
    second.close()
    mosquitto.start()
    begin(mosquitto.url, "hall")
    retained(NODE, HALL)


def test_announcements_at_another_broker_are_cleared_there(
    mosquitto: Any, begin: Begin, retained: Callable[..., None], new_port: Callable[[], int]
) -> None:
    with EmbeddedBroker(new_port()) as other:
        for url, cameras in [(mosquitto.url, ("hall", "yard")), (other.url, ("hall",)), (mosquitto.url, ("hall",))]:
            sink = begin(url, *cameras)
            sink.close()
    retained(NODE, HALL)


def test_announcements_and_states_are_republished_when_home_assistant_starts(
    mosquitto: Any, begin: Begin, subscribe: Any, eventually: Eventually,
    make_notice: MakeNotice,
) -> None:  # fmt: skip
    subscriber = subscribe(mosquitto.port)
    sink = begin(mosquitto.url, "hall")
    sink.handle(make_notice(activity="Lunges"))
    topics = [NODE, HALL, "/activity", "/info"]
    eventually(lambda: all(len(subscriber.of(topic)) == 1 for topic in topics), "all to be published")
    birth = ["mosquitto_pub", "-p", str(mosquitto.port), "-t", "homeassistant/status", "-m"]
    subprocess.run([*birth, "offline"], check=True)
    subprocess.run([*birth, "online"], check=True)
    eventually(lambda: all(len(subscriber.of(topic)) == 2 for topic in topics), "all to be republished")
    assert [message.payload for message in subscriber.of(HALL)] == [subscriber.of(HALL)[0].payload] * 2


def test_republishing_waits_for_its_delay(
    mosquitto: Any, begin: Begin, subscribe: Any, eventually: Eventually,
    monkeypatch: pytest.MonkeyPatch, make_notice: MakeNotice,
) -> None:  # fmt: skip
    monkeypatch.setattr(random, "uniform", lambda low, high: 3600.0 if (low, high) == (0, 5.0) else low)
    subscriber = subscribe(mosquitto.port)
    sink = begin(mosquitto.url, "hall")
    subprocess.run(
        ["mosquitto_pub", "-p", str(mosquitto.port), "-r", "-t", "homeassistant/status", "-m", "online"], check=True
    )
    eventually(lambda: sink.publisher.is_republishing, "the birth message to arrive")
    sink.handle(make_notice(activity="Lunges"))
    eventually(lambda: subscriber.of("/activity"), "the activity, sent meanwhile")
    assert len(subscriber.of(HALL)) == 1


def test_a_file_that_cannot_be_read_gives_a_warning(
    mosquitto: Any, begin: Begin, retained: Callable[..., None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "outbox.db.announced").write_bytes(b"\xff\xfe")
    begin(mosquitto.url, "hall")
    retained(NODE, HALL)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "a camera that leaves the config may stay in Home Assistant" in caplog.text
    remembered = (tmp_path / "outbox.db.announced").read_text().splitlines()
    assert remembered == [f"{mosquitto.url} {NODE}", f"{mosquitto.url} {HALL}"]


def test_announcements_of_an_earlier_version_are_cleared_and_those_of_another_node_stay(
    mosquitto: Any, begin: Begin, retained: Callable[..., None], tmp_path: Path
) -> None:
    old = ["homeassistant/device/har_home/config", "homeassistant/device/har_home_garage/config"]
    for topic in old:
        subprocess.run(["mosquitto_pub", "-p", str(mosquitto.port), "-r", "-t", topic, "-m", "{}"], check=True)
    url = BrokerAddress.parse(mosquitto.url).url
    (tmp_path / "outbox.db.announced").write_text("".join(f"{url} {topic}\n" for topic in old))
    begin(mosquitto.url, "garage", node="home")
    mine = "homeassistant/device/har/home/config", "homeassistant/device/har_home/garage/config"
    retained(*mine)
    (tmp_path / "outbox.db.announced").unlink()
    (tmp_path / "other").mkdir()
    begin(mosquitto.url, "hall", node="home_garage", folder=tmp_path / "other")
    others = "homeassistant/device/har/home_garage/config", "homeassistant/device/har_home_garage/hall/config"
    retained(*mine, *others)
