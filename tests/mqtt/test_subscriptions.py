from __future__ import annotations

from harstream.mqtt.subscriptions import Subscriptions


def test_message_goes_to_each_handler_with_a_matching_topic() -> None:
    handled: list[tuple[str, str, bytes, bool]] = []
    subscriptions = Subscriptions()
    for topic in ("har/+/status", "har/#", "har/nuc2/status"):
        subscriptions.add(topic, lambda *message, topic=topic: handled.append((topic, *message)))
    subscriptions.handle("har/nuc1/status", b"online", True)
    assert subscriptions.topics == ["har/+/status", "har/#", "har/nuc2/status"]
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
