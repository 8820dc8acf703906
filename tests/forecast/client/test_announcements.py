"""What an earlier run has retained is cleared or removed, also after the run was killed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harstream.forecast.client import announcements
from harstream.forecast.client.announcements import ForecastAnnouncements
from harstream.forecast.client.diary import Diary
from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.broker.connection import Will
from harstream.mqtt.no_outbox import NoOutbox
from harstream.mqtt.publisher import Publisher
from harstream.wire.messages.forecast import ForecastMessage
from tests.forecast.client.household import MONDAY, AtOnce, new_forecaster, observation
from tests.support.broker import Mosquitto, Subscribe
from tests.support.waiting import Eventually

pytestmark = pytest.mark.mosquitto

TOPIC = "homeassistant/device/har-forecast_home/hall/config"
STATUS = "har/home/forecaster/status"

Run = Callable[[], tuple[Publisher, ForecastAnnouncements]]


@pytest.fixture
def run(mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Begins a run. All runs have the same state folder."""
    monkeypatch.setattr(announcements, "SETTLED", 0.0)
    publishers: list[Publisher] = []

    def begin() -> tuple[Publisher, ForecastAnnouncements]:
        publisher = Publisher(
            BrokerAddress.parse(mosquitto.url), NoOutbox(tmp_path / f"{len(publishers)}"), will=Will(STATUS, "offline")
        )
        found = ForecastAnnouncements(publisher, mosquitto.url, tmp_path, "home", "homeassistant", AtOnce())
        found.start()
        publisher.start(must_connect=True)
        publishers.append(publisher)
        return publisher, found

    yield begin
    for publisher in publishers:
        publisher.close((STATUS, b"offline"))


@pytest.fixture
def forecast(diary: Diary) -> ForecastMessage:
    forecaster = new_forecaster(diary)
    forecaster.observe(observation(MONDAY, "Work"), MONDAY)
    return forecaster.tick(MONDAY)[0]


def components(payload: str) -> Any:
    return json.loads(payload)["components"] if payload else {}


def test_entities_of_an_earlier_model_are_removed(
    run: Run, mosquitto: Mosquitto, subscribe: Subscribe, eventually: Eventually
) -> None:
    subscriber = subscribe(mosquitto.port)
    publisher, first = run()
    first.announce(["hall"], ("Punch", "Sleep"))
    eventually(lambda: subscriber.of(TOPIC), "the first announcement")
    assert "soon/Sleep" in components(subscriber.of(TOPIC)[-1].payload)
    publisher.close((STATUS, b"offline"))

    _, second = run()
    eventually(lambda: second.has_read(TOPIC), "what the broker retains")
    second.announce(["hall"], ("Punch",))

    eventually(lambda: len(subscriber.of(TOPIC)) > 1, "the second announcement")
    assert components(subscriber.of(TOPIC)[-1].payload)["soon/Sleep"] == {"platform": "sensor"}


def test_a_forecast_of_a_killed_run_is_cleared_when_its_place_is_gone(
    run: Run, mosquitto: Mosquitto, subscribe: Subscribe, eventually: Eventually, forecast: ForecastMessage
) -> None:
    """A run with the other scope has other places."""
    subscriber = subscribe(mosquitto.port)
    _, killed = run()
    killed.retain(forecast)
    eventually(lambda: subscriber.of("camera/hall/forecast"), "the forecast of the first run")

    _, next_run = run()
    next_run.retain(forecast.model_copy(update={"camera": None, "scope": "home"}))
    next_run.announce([None], ("Punch",))

    eventually(lambda: subscriber.of("camera/hall/forecast")[-1].payload == "", "the old forecast to be cleared")
    eventually(lambda: subscriber.of("home/forecast"), "the forecast of the home")
    assert subscriber.of("home/forecast")[-1].json["camera"] is None
