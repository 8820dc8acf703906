"""A session publishes over a real connection until it is lost or the publisher closes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.broker.connection import Connection
from harstream.mqtt.delivery import Delivery
from harstream.mqtt.outbox import Outbox
from harstream.mqtt.publish_queue import Message, PublishQueue
from harstream.mqtt.refusals import Refusals
from harstream.mqtt.retained_states import RetainedState
from harstream.mqtt.session import CloseRequest, Session
from tests.support.broker import Mosquitto, Subscribe, Subscriber
from tests.support.waiting import Eventually

pytestmark = pytest.mark.mosquitto

LAST = RetainedState("har/nuc1/status", b"offline", 1)


class OneSession:
    """A session with its parts. `run` runs it on a thread of its own, as the publisher does."""

    def __init__(self, url: str, file: Path) -> None:
        self.connection = Connection(BrokerAddress.parse(url), on_lost=lambda: self.queue.wake())
        self.queue = PublishQueue()
        self.outbox = Outbox(file)
        self.close_request = CloseRequest()
        self.acknowledged: list[tuple[float | None, float]] = []
        delivery = Delivery(Refusals(self.outbox))
        self._session = Session(self.connection, self.queue, self.outbox, self.close_request, delivery, self._note)
        self._thread = threading.Thread(target=self._session.run)

    def start(self) -> None:
        self.outbox.start()
        self.connection.open()
        self.queue.connect()

    def run(self) -> None:
        self._thread.start()

    def put(self, topic: str, payload: bytes, delay: float | None = None) -> None:
        self.outbox.put(topic, payload, delay)
        self.queue.wake()

    def finish(self, seconds: float = 3.0) -> None:
        """Requests the close, and waits for the end of the session."""
        self.close_request.begin(LAST, seconds)
        self.queue.wake()
        self.join()

    def join(self) -> None:
        self._thread.join(10)
        assert not self._thread.is_alive()

    def close(self) -> None:
        self.connection.lost.set()
        self.queue.wake()
        if self._thread.ident is not None:
            self._thread.join(10)
        self.connection.close()
        self.outbox.close()

    def _note(self, delay: float | None, seconds: float) -> None:
        self.acknowledged.append((delay, seconds))


@pytest.fixture
def session(mosquitto: Mosquitto, tmp_path: Path) -> Iterator[OneSession]:
    session = OneSession(mosquitto.url, tmp_path / "outbox.sqlite")
    session.start()
    yield session
    session.close()


@pytest.fixture
def subscriber(mosquitto: Mosquitto, subscribe: Subscribe) -> Subscriber:
    return subscribe(mosquitto.port)


def test_everything_that_waits_is_published_before_the_last_state(
    session: OneSession, subscriber: Subscriber, eventually: Eventually
) -> None:
    session.queue.retain(RetainedState("har/nuc1/health", b"fine", 1))
    session.queue.publish_now(Message("har/nuc1/seen", b"now"))
    for number in (b"1", b"2", b"3"):
        session.put("har/nuc1/event", number)
    session.run()
    session.finish()
    eventually(lambda: subscriber.of("/status"), "the last state")
    assert [(one.topic, one.payload, one.qos) for one in subscriber.received if one.topic.startswith("har/")] == [
        ("har/nuc1/health", "fine", 1),
        ("har/nuc1/seen", "now", 0),
        ("har/nuc1/event", "1", 1),
        ("har/nuc1/event", "2", 1),
        ("har/nuc1/event", "3", 1),
        ("har/nuc1/status", "offline", 1),
    ]
    assert len(session.outbox) == 0


def test_states_are_retained_by_the_broker_and_events_are_not(
    session: OneSession, mosquitto: Mosquitto, subscribe: Subscribe
) -> None:
    session.queue.retain(RetainedState("har/nuc1/health", b"fine", 1))
    session.put("har/nuc1/event", b"1")
    session.run()
    session.finish()
    later = subscribe(mosquitto.port)
    assert {one.topic for one in later.received if one.retained} >= {"har/nuc1/health", "har/nuc1/status"}
    assert later.of("/event") == []


def test_a_cleared_topic_is_confirmed_after_the_broker_acknowledges(
    session: OneSession, mosquitto: Mosquitto, subscribe: Subscribe, eventually: Eventually
) -> None:
    cleared = threading.Event()
    session.queue.retain(RetainedState("har/nuc1/health", b"fine", 1))
    session.run()
    session.queue.clear("har/nuc1/health", cleared.set)
    eventually(cleared.is_set, "the confirmation")
    assert subscribe(mosquitto.port).of("/health") == []


def test_an_acknowledged_event_is_reported_with_its_delay_and_its_time(
    session: OneSession, eventually: Eventually
) -> None:
    session.run()
    session.put("har/nuc1/event", b"1", delay=0.25)
    eventually(lambda: session.acknowledged, "the acknowledgement")
    ((delay, seconds),) = session.acknowledged
    assert delay == 0.25
    assert 0 < seconds < 5


def test_a_session_ends_when_the_connection_is_lost_and_keeps_the_events(
    session: OneSession, mosquitto: Mosquitto
) -> None:
    session.run()
    mosquitto.stop()
    session.join()
    session.put("har/nuc1/event", b"1")
    assert len(session.outbox) == 1
    assert not session.close_request.event.is_set()


def test_a_close_request_is_late_after_its_deadline() -> None:
    request = CloseRequest()
    assert not request.is_late
    request.begin(LAST, 60.0)
    assert (request.event.is_set(), request.last_state, request.is_late) == (True, LAST, False)
    request.begin(LAST, -0.001)
    assert request.is_late


def test_a_late_close_leaves_the_remaining_events_for_the_next_run(session: OneSession) -> None:
    for number in range(200):
        session.put("har/nuc1/event", str(number).encode())
    session.close_request.begin(LAST, -1.0)
    began = time.monotonic()
    session.run()
    session.join()
    assert time.monotonic() - began < 2
    assert len(session.outbox) >= 199
