"""The signals of a run have one owner. A service after another gets them, and none ends the process in between."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from harstream.stream.service.signals import RunSignals

STOPPING = (signal.SIGINT, signal.SIGTERM)


class Ended(Exception):
    """What the process's own handler raises in place of ending it."""


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    """Makes a signal that nobody owns raise Ended."""

    def end(number: int, _: object) -> None:
        raise Ended

    earlier = {number: signal.signal(number, end) for number in (*STOPPING, signal.SIGHUP)}
    yield
    for number, handler in earlier.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", STOPPING)
def test_a_signal_stops_the_service_that_runs(number: signal.Signals) -> None:
    stops = list[str]()
    with RunSignals() as signals:
        with signals.stop_with(lambda: stops.append("first")):
            pass
        with signals.stop_with(lambda: stops.append("second")):
            signal.raise_signal(number)
        assert stops == ["second"]
        assert signals.is_stopping


@pytest.mark.parametrize("number", STOPPING)
def test_a_signal_between_two_services_stops_the_second_at_once(number: signal.Signals) -> None:
    stops = list[str]()
    with RunSignals() as signals:
        with signals.stop_with(lambda: stops.append("first")):
            pass
        signal.raise_signal(number)
        assert signals.is_stopping
        assert stops == []
        with signals.stop_with(lambda: stops.append("second")):
            assert stops == ["second"]


@pytest.mark.parametrize("number", STOPPING)
def test_a_signal_ends_the_process_before_the_first_service_and_after_the_last(number: signal.Signals) -> None:
    with RunSignals() as signals:
        with pytest.raises(Ended):
            signal.raise_signal(number)
        with signals.stop_with(lambda: None):
            pass
    with pytest.raises(Ended):
        signal.raise_signal(number)


def test_the_second_signal_of_a_kind_ends_the_process() -> None:
    stops = list[str]()
    with RunSignals() as signals, signals.stop_with(lambda: stops.append("service")):
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(Ended):
            signal.raise_signal(signal.SIGINT)
    assert stops == ["service"]


def test_a_reload_reaches_the_service_that_runs_or_the_next_one_once() -> None:
    reloads = list[str]()
    with RunSignals() as signals:
        signal.raise_signal(signal.SIGHUP)
        with signals.reload_with(lambda: reloads.append("first")):
            assert reloads == ["first"]
            signal.raise_signal(signal.SIGHUP)
            assert reloads == ["first", "first"]
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)
        with signals.reload_with(lambda: reloads.append("second")):
            assert reloads == ["first", "first", "second"]
    with pytest.raises(Ended):
        signal.raise_signal(signal.SIGHUP)
