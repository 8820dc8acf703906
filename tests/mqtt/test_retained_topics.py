from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.broker.connection import Will
from harstream.mqtt.outbox import Outbox
from harstream.mqtt.publisher import Publisher
from harstream.mqtt.retained_topics import RetainedTopics
from tests.support.waiting import Eventually

pytestmark = pytest.mark.mosquitto


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "topics"


@pytest.fixture
def run(mosquitto: Any, memory: Path, tmp_path: Path) -> Iterator[Callable[[], tuple[Publisher, RetainedTopics]]]:
    """`run()` starts another run of one node and closes the previous one."""
    publishers: list[Publisher] = []

    def begin() -> tuple[Publisher, RetainedTopics]:
        for publisher in publishers:
            publisher.close(("har/nuc1/status", b"offline"))
        publishers.clear()
        address = BrokerAddress.parse(mosquitto.url)
        publisher = Publisher(address, Outbox(tmp_path / "outbox.db"), will=Will("har/nuc1/status", "offline"))
        publishers.append(publisher)
        topics = RetainedTopics(publisher, address.url, memory, if_lost="a picture may stay")
        publisher.start(must_connect=True)
        topics.start()
        return publisher, topics

    yield begin
    for publisher in publishers:
        publisher.close(("har/nuc1/status", b"offline"))


def test_topic_that_a_later_run_does_not_keep_is_cleared(
    run: Any, memory: Path, mosquitto: Any, subscribe: Any, eventually: Eventually
) -> None:
    publisher, topics = run()
    topics.keep(["har/nuc1/camera/hall/snapshot", "har/nuc1/camera/yard/snapshot"])
    for camera in ("hall", "yard"):
        publisher.retain(f"har/nuc1/camera/{camera}/snapshot", b"picture")
    _, later = run()
    later.keep(["har/nuc1/camera/hall/snapshot"])
    kept = f"{BrokerAddress.parse(mosquitto.url).url} har/nuc1/camera/hall/snapshot"
    eventually(lambda: memory.read_text().splitlines() == [kept], "the other topic to be forgotten")
    subscriber = subscribe(mosquitto.port)
    assert [message.topic for message in subscriber.of("/snapshot")] == ["har/nuc1/camera/hall/snapshot"]


def test_topics_are_remembered_before_anything_is_published(run: Any, memory: Path) -> None:
    _, topics = run()
    topics.keep(["har/nuc1/camera/hall/snapshot"])
    assert memory.read_text().endswith(" har/nuc1/camera/hall/snapshot\n")


def test_topics_of_another_broker_are_remembered_and_left_alone(run: Any, memory: Path) -> None:
    memory.write_text("mqtt://elsewhere:1883 har/nuc1/camera/yard/snapshot\n")
    _, topics = run()
    topics.keep([])
    assert memory.read_text() == "mqtt://elsewhere:1883 har/nuc1/camera/yard/snapshot\n"


def test_file_that_cannot_be_read_is_logged_with_the_consequence(
    run: Any, memory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    memory.write_bytes(b"\xff\xfe")
    with caplog.at_level(logging.WARNING):
        run()
    assert "a picture may stay" in caplog.text
