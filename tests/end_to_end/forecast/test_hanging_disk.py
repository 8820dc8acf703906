"""A disk that hangs holds neither forecasts nor the end, and the broker keeps what is not in the diary."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harstream.forecast.client.diary import FILE
from harstream.resilience.background_delivery import HANGS_AFTER
from harstream.wire.health import HealthState
from harstream.wire.values import EventType
from tests.end_to_end.forecast.test_forecast import FORECAST, episodes, publish
from tests.forecast.client.household import event, health, labels_message
from tests.support.broker import Mosquitto, Subscribe, Subscriber
from tests.support.command import Running, Start
from tests.support.waiting import Eventually

pytestmark = pytest.mark.mosquitto

HANGS = "hangs, forecasts go on"


@pytest.fixture
def begin(start: Start, mosquitto: Mosquitto, tmp_path: Path) -> Callable[[], Running]:
    """Returns a function that starts a forecaster of a node with one camera."""
    publish(mosquitto, "labels", labels_message().encode(), "-r")
    publish(mosquitto, "camera/hall/health", health(HealthState.LIVE, time.time()).encode(), "-r")
    return lambda: start("forecast", "run", "--broker", mosquitto.url, "--state", tmp_path / "state")


@pytest.fixture
def hanging(
    begin: Callable[[], Running], hangs: Path, mosquitto: Mosquitto, subscribe: Subscribe, eventually: Eventually,
    tmp_path: Path,
) -> tuple[Running, Subscriber]:  # fmt: skip
    """Returns a forecaster whose disk hangs since the end of the first activity."""
    subscriber, forecaster = subscribe(mosquitto.port), begin()
    eventually(lambda: subscriber.of(FORECAST), "the first forecast", 60)
    hangs.write_text(f"{tmp_path.name}/state/")
    publish(mosquitto, "camera/hall/event", event(EventType.END, "Work", time.time() - 60, time.time()).encode())
    eventually(lambda: HANGS in forecaster.output, "the report", HANGS_AFTER + 10)
    return forecaster, subscriber


def test_a_disk_that_hangs_holds_neither_forecasts_nor_the_end(
    hanging: tuple[Running, Subscriber], begin: Callable[[], Running], hangs: Path, mosquitto: Mosquitto,
    eventually: Eventually, tmp_path: Path,
) -> None:  # fmt: skip
    forecaster, subscriber = hanging
    seen = len(subscriber.of(FORECAST))
    publish(mosquitto, "camera/hall/event", event(EventType.START, "Shower", time.time()).encode())
    eventually(lambda: len(subscriber.of(FORECAST)) > seen, "a forecast after the activity has changed", 10)
    publish(mosquitto, "camera/yard/health", health(HealthState.LIVE, time.time(), "yard").encode())
    eventually(lambda: subscriber.of("camera/yard/forecast"), "a forecast of a new camera", 10)

    asked = time.monotonic()
    forecaster.signal(signal.SIGTERM)

    assert forecaster.wait(20) == 7
    assert time.monotonic() - asked < 5
    assert sum(HANGS in line for line in forecaster.stderr) == 1
    assert any("it did not take its last" in line for line in forecaster.stderr)
    assert episodes(tmp_path / "state" / FILE) == 0
    hangs.unlink()
    begin()
    eventually(lambda: episodes(tmp_path / "state" / FILE) == 1, "the broker to deliver the end again", 30)


def test_a_disk_that_hung_for_a_while_has_all_activities(
    hanging: tuple[Running, Subscriber], hangs: Path, eventually: Eventually, tmp_path: Path
) -> None:
    forecaster, _ = hanging
    hangs.unlink()

    eventually(lambda: "forecast.sqlite works again" in forecaster.output, "the recovery", 10)
    eventually(lambda: episodes(tmp_path / "state" / FILE) == 1, "the activity in the diary", 10)
    forecaster.signal(signal.SIGTERM)

    assert forecaster.wait(20) == 0
    assert not forecaster.complaints
