from __future__ import annotations

from harstream.mqtt.retained_states import RetainedState, RetainedStates
from tests.support.clock import SettableClock


def state(topic: str, payload: bytes = b"on") -> RetainedState:
    return RetainedState(topic, payload, qos=1)


def test_only_the_last_payload_of_a_topic_is_published() -> None:
    states = RetainedStates()
    states.set(state("a", b"1"))
    states.set(state("b", b"2"))
    states.set(state("a", b"3"))
    assert states.is_waiting
    assert states.take_unpublished() == [state("a", b"3"), state("b", b"2")]
    assert not states.is_waiting
    assert states.take_unpublished() == []


def test_all_states_are_due_again_after_the_delay() -> None:
    clock = SettableClock(100.0)
    states = RetainedStates(clock)
    states.set(state("a"))
    states.take_unpublished()
    states.republish(5.0)
    assert (states.is_waiting, states.seconds_until_due) == (False, 5.0)
    clock.now += 5.0
    assert states.is_waiting
    assert states.take_unpublished() == [state("a")]
    assert (states.is_waiting, states.seconds_until_due) == (False, None)


def test_is_waiting_changes_nothing() -> None:
    states = RetainedStates()
    states.set(state("a"))
    states.republish()
    assert (states.is_waiting, states.is_waiting) == (True, True)
    assert states.take_unpublished() == [state("a")]


def test_cleared_topic_is_forgotten_once_the_broker_has_acknowledged_it() -> None:
    called: list[str] = []
    states = RetainedStates()
    states.set(state("a"))
    states.clear("a", lambda: called.append("a"))
    assert states.take_unpublished() == [state("a", b"")]
    then = states.take_cleared("a")
    assert then is not None
    then()
    assert called == ["a"]
    states.republish()
    assert states.take_unpublished() == []


def test_topic_that_is_retained_again_while_it_is_cleared_stays() -> None:
    states = RetainedStates()
    states.clear("a", lambda: None)
    states.take_unpublished()
    states.set(state("a", b"new"))
    assert states.take_cleared("a") is None
    assert states.take_unpublished() == [state("a", b"new")]
