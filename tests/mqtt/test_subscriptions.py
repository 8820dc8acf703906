from __future__ import annotations

from collections.abc import Callable

from harstream.mqtt.subscriptions import Subscriptions


def test_message_goes_to_each_handler_with_a_matching_topic() -> None:
    handled: list[tuple[str, str, bytes, bool]] = []
    subscriptions = Subscriptions()
    for topic, qos in (("har/+/status", 1), ("har/#", 0), ("har/nuc2/status", 1)):
        subscriptions.add(topic, lambda *message, topic=topic: handled.append((topic, *message)), qos)
    subscriptions.handle("har/nuc1/status", b"online", True)
    assert subscriptions.topics == {1: ["har/+/status", "har/nuc2/status"], 0: ["har/#"]}
    assert handled == [
        ("har/+/status", "har/nuc1/status", b"online", True), ("har/#", "har/nuc1/status", b"online", True),
    ]  # fmt: skip


def test_error_of_a_handler_is_kept_and_not_raised() -> None:
    def fail(topic: str, payload: bytes, is_retained: bool) -> None:
        raise RuntimeError("no")

    subscriptions = Subscriptions()
    subscriptions.add("har/#", fail)
    assert subscriptions.failure is None
    subscriptions.handle("har/nuc1/status", b"", False)
    assert repr(subscriptions.failure) == "RuntimeError('no')"


def test_a_message_is_acknowledged_when_its_receiver_says_so() -> None:
    later, acknowledged = list[Callable[[], None]](), list[str]()
    subscriptions = Subscriptions()
    subscriptions.add("har/#", lambda *_: None)
    subscriptions.add_receiver("har/+/event", lambda topic, payload, acknowledge: later.append(acknowledge))
    for topic in ("har/nuc1/event", "har/nuc1/status"):
        subscriptions.deliver(topic, b"", False, lambda topic=topic: acknowledged.append(topic))  # type: ignore[misc]
    assert acknowledged == ["har/nuc1/status"]
    later[0]()
    assert acknowledged == ["har/nuc1/status", "har/nuc1/event"]
