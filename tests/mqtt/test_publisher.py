"""The publisher keeps its promises through outages of a real broker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.broker.connection import Will
from harstream.mqtt.no_outbox import NoOutbox
from harstream.mqtt.outbox import Outbox
from harstream.mqtt.publisher import Publisher
from harstream.wire.errors import BrokerError, SinkError
from tests.support.broker import Mosquitto, Subscribe
from tests.support.waiting import Eventually

STATUS = "har/nuc1/status"
OFFLINE = (STATUS, b"offline")

NewPublisher = Callable[[str], Publisher]


@pytest.fixture
def new_publisher(tmp_path: Path) -> Iterator[NewPublisher]:
    """Makes publishers with an outbox in the test's folder, and closes them."""
    publishers: list[Publisher] = []

    def make(url: str) -> Publisher:
        outbox = Outbox(tmp_path / "outbox.sqlite")
        publishers.append(Publisher(BrokerAddress.parse(url), outbox, will=Will(STATUS, "offline")))
        return publishers[-1]

    yield make
    for publisher in publishers:
        publisher.close(OFFLINE)


@pytest.fixture
def publisher(new_publisher: NewPublisher, mosquitto: Mosquitto) -> Publisher:
    """A publisher with a connection."""
    publisher = new_publisher(mosquitto.url)
    publisher.start(must_connect=True)
    return publisher


def test_a_first_attempt_that_must_connect_fails_without_a_broker(
    new_publisher: NewPublisher, new_port: Callable[[], int]
) -> None:
    port = new_port()
    threads = threading.active_count()
    with pytest.raises(BrokerError) as caught:
        new_publisher(f"mqtt://127.0.0.1:{port}").start(must_connect=True)
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert threading.active_count() == threads


@pytest.mark.mosquitto
def test_states_that_are_retained_before_the_broker_comes_are_published_then(
    new_publisher: NewPublisher, stopped_mosquitto: Mosquitto, subscribe: Subscribe, eventually: Eventually
) -> None:
    publisher = new_publisher(stopped_mosquitto.url)
    publisher.start(must_connect=False)
    publisher.retain("har/nuc1/health", b"fine")
    publisher.publish_now("har/nuc1/seen", b"nobody is connected")
    assert (publisher.is_connected, publisher.dropped) == (False, 1)
    stopped_mosquitto.start()
    subscriber = subscribe(stopped_mosquitto.port)
    eventually(lambda: subscriber.of("/health"), "the retained state")
    assert publisher.is_connected
    assert subscriber.of("/seen") == []


@pytest.mark.mosquitto
def test_states_are_published_again_to_a_broker_that_lost_them(
    publisher: Publisher, mosquitto: Mosquitto, subscribe: Subscribe, eventually: Eventually
) -> None:
    publisher.retain("har/nuc1/health", b"old")
    publisher.retain("har/nuc1/health", b"new")
    mosquitto.stop(forget=True)
    eventually(lambda: not publisher.is_connected, "the loss")
    mosquitto.start()
    subscriber = subscribe(mosquitto.port)
    eventually(lambda: subscriber.of("/health"), "the state")
    assert [one.payload for one in subscriber.of("/health")] == ["new"]


@pytest.mark.mosquitto
def test_the_last_state_of_close_is_retained_and_the_thread_ends(
    publisher: Publisher, mosquitto: Mosquitto, subscribe: Subscribe
) -> None:
    publisher.retain(STATUS, b"online")
    publisher.close(OFFLINE)
    assert [(one.payload, one.retained) for one in subscribe(mosquitto.port).of("/status")] == [("offline", True)]
    assert not any(thread.name == "mqtt" for thread in threading.enumerate())


@pytest.mark.mosquitto
def test_a_handler_receives_its_topic_and_its_error_is_raised_by_check(
    new_publisher: NewPublisher, mosquitto: Mosquitto, eventually: Eventually
) -> None:
    received: list[object] = []

    def handle(*message: object) -> None:
        received.append(message)
        raise RuntimeError("no such camera")

    publisher = new_publisher(mosquitto.url)
    publisher.subscribe("har/nuc1/+/set", handle)
    publisher.start(must_connect=True)
    publisher.check()
    publisher.publish_now("har/nuc1/hall/set", b"ON")
    eventually(lambda: received, "the command")
    with pytest.raises(SinkError, match="no such camera"):
        publisher.check()


@pytest.mark.mosquitto
def test_a_cleared_topic_of_an_earlier_run_is_gone_when_it_is_confirmed(
    new_publisher: NewPublisher, mosquitto: Mosquitto, subscribe: Subscribe, eventually: Eventually
) -> None:
    earlier = new_publisher(mosquitto.url)
    earlier.start(must_connect=True)
    earlier.retain("har/nuc1/attic/state", b"idle")
    earlier.close(OFFLINE)
    publisher, cleared = new_publisher(mosquitto.url), threading.Event()
    publisher.start(must_connect=True)
    publisher.clear("har/nuc1/attic/state", cleared.set)
    eventually(cleared.is_set, "the confirmation")
    assert subscribe(mosquitto.port).of("/attic/state") == []


@pytest.mark.mosquitto
def test_states_are_published_again_on_request(
    publisher: Publisher, mosquitto: Mosquitto, subscribe: Subscribe, eventually: Eventually
) -> None:
    subscriber = subscribe(mosquitto.port)
    publisher.retain("har/nuc1/health", b"fine")
    eventually(lambda: len(subscriber.of("/health")) == 1, "the state")
    publisher.republish(0.0)
    eventually(lambda: len(subscriber.of("/health")) == 2, "the state again")
    eventually(lambda: not publisher.is_republishing, "the end of the schedule")


@pytest.mark.mosquitto
def test_a_publisher_without_events_has_no_outbox_and_speaks_of_none(
    tmp_path: Path, new_port: Callable[[], int], eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    publisher = Publisher(
        BrokerAddress.parse(f"mqtt://127.0.0.1:{new_port()}"), NoOutbox(tmp_path / "own"), will=Will(STATUS, "offline")
    )
    publisher.start(must_connect=False)
    eventually(lambda: "still retrying" in caplog.text, "the first failed attempt")
    publisher.close(OFFLINE)

    assert "events wait" not in caplog.text
    assert [file.name for file in tmp_path.iterdir()] == ["own.client-id"]
    assert publisher.counts.waiting == 0
