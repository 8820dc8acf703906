"""What waits to be published, without a broker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from harstream.mqtt.publish_queue import MAX_MESSAGES, Message, PublishQueue
from harstream.mqtt.retained_states import RetainedState

STATUS = RetainedState("har/nuc1/status", b"online", 1)


@pytest.fixture
def connected() -> PublishQueue:
    queue = PublishQueue()
    queue.connect()
    return queue


def taken(queue: PublishQueue) -> tuple[list[RetainedState], list[Message]]:
    return queue.take(must_stop=lambda: True)


def in_thread(action: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=action)
    thread.start()
    return thread


def test_states_and_messages_are_taken_once_in_their_order(connected: PublishQueue) -> None:
    second = RetainedState("har/nuc1/health", b"{}", 1)
    connected.retain(STATUS)
    connected.retain(second)
    for number in (b"1", b"2"):
        connected.publish_now(Message("har/nuc1/seen", number))
    states, messages = taken(connected)
    assert states == [STATUS, second]
    assert [message.payload for message in messages] == [b"1", b"2"]
    assert taken(connected) == ([], [])


def test_only_the_last_payload_of_a_topic_is_taken(connected: PublishQueue) -> None:
    connected.retain(RetainedState(STATUS.topic, b"offline", 1))
    connected.retain(STATUS)
    assert taken(connected)[0] == [STATUS]


def test_a_message_without_a_connection_is_dropped_and_counted() -> None:
    queue = PublishQueue()
    queue.publish_now(Message("har/a", b"1"))
    assert (queue.is_connected, queue.dropped, taken(queue)[1]) == (False, 1, [])


def test_messages_above_the_limit_are_dropped_and_counted(connected: PublishQueue) -> None:
    for number in range(MAX_MESSAGES + 2):
        connected.publish_now(Message("har/a", str(number).encode()))
    messages = taken(connected)[1]
    assert (len(messages), messages[-1].payload, connected.dropped) == (MAX_MESSAGES, b"999", 2)


def test_a_lost_connection_drops_the_waiting_messages_and_keeps_the_states(connected: PublishQueue) -> None:
    connected.retain(STATUS)
    connected.publish_now(Message("har/a", b"1"))
    connected.disconnect()
    assert (connected.is_connected, connected.dropped) == (False, 1)
    assert taken(connected) == ([STATUS], [])


def test_a_new_connection_publishes_all_states_again(connected: PublishQueue) -> None:
    connected.retain(STATUS)
    taken(connected)
    connected.connect()
    assert taken(connected)[0] == [STATUS]


def test_states_are_published_again_after_the_delay(connected: PublishQueue) -> None:
    connected.retain(STATUS)
    taken(connected)
    connected.republish(0.05)
    assert connected.is_republishing
    began = time.monotonic()
    assert connected.take(must_stop=lambda: False)[0] == [STATUS]
    assert time.monotonic() - began >= 0.04
    assert not connected.is_republishing


def test_the_function_of_a_cleared_topic_is_called_when_it_is_confirmed(
    connected: PublishQueue,
) -> None:
    confirmed: list[str] = []
    connected.retain(STATUS)
    connected.clear(STATUS.topic, lambda: confirmed.append("cleared"))
    (state,) = taken(connected)[0]
    assert (state.topic, state.payload) == (STATUS.topic, b"")
    assert confirmed == []
    connected.confirm_cleared(STATUS.topic)
    assert confirmed == ["cleared"]


def test_a_topic_with_a_new_payload_is_not_confirmed_as_cleared(connected: PublishQueue) -> None:
    confirmed: list[str] = []
    connected.clear(STATUS.topic, lambda: confirmed.append("cleared"))
    taken(connected)
    connected.retain(STATUS)
    connected.confirm_cleared(STATUS.topic)
    assert confirmed == []
    assert taken(connected)[0] == [STATUS]


def test_the_function_of_a_cleared_topic_may_use_the_queue(connected: PublishQueue) -> None:
    connected.clear(STATUS.topic, lambda: connected.retain(STATUS))
    taken(connected)
    confirming = in_thread(lambda: connected.confirm_cleared(STATUS.topic))
    confirming.join(5)
    assert not confirming.is_alive()
    assert taken(connected)[0] == [STATUS]


@pytest.mark.parametrize("put", [
    lambda queue: queue.retain(STATUS),
    lambda queue: queue.publish_now(Message("har/a", b"1")),
    lambda queue: queue.clear("har/b", lambda: None),
    lambda queue: queue.republish(0.0),
])  # fmt: skip
def test_a_waiting_thread_wakes_when_something_is_put(
    connected: PublishQueue, put: Callable[[PublishQueue], None]
) -> None:
    connected.retain(RetainedState("har/first", b"1", 1))
    taken(connected)
    found: list[object] = []
    waiting = in_thread(lambda: found.append(connected.take(must_stop=lambda: False)))
    time.sleep(0.02)  # lets it wait; the test is right either way
    put(connected)
    waiting.join(5)
    assert not waiting.is_alive()
    assert found not in ([], [([], [])])


def test_a_waiting_thread_stops_when_it_is_woken_and_must_stop(connected: PublishQueue) -> None:
    must_stop = threading.Event()
    taken(connected)
    waiting = in_thread(lambda: connected.take(must_stop=must_stop.is_set))
    time.sleep(0.02)
    must_stop.set()
    connected.wake()
    waiting.join(5)
    assert not waiting.is_alive()
