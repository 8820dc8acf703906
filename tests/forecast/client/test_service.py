"""Between two ticks, the service leaves out observations, but none that changes what the others mean."""

from __future__ import annotations

from pathlib import Path

from harstream.forecast.client.learned import ForecasterSettings, Scope
from harstream.forecast.client.service import ForecastService, Settings
from harstream.mqtt.broker.address import BrokerAddress
from tests.forecast.client.household import MONDAY, ZONE, labels_message, observation


def test_a_replay_that_starts_again_between_two_ticks_is_followed(tmp_path: Path) -> None:
    settings = Settings(ForecasterSettings("home", Scope.CAMERA, "mix", ZONE), tmp_path)
    service = ForecastService(BrokerAddress.parse("mqtt://localhost"), settings, wall_clock=lambda: MONDAY + 60)
    service._threads.start()
    service._handle("har/home/labels", labels_message().encode())
    for time, step in ((MONDAY, 0.1), (MONDAY - 30, -30.0), (MONDAY - 29.9, 0.1), (MONDAY - 29.0, 0.9)):
        message = observation(time, "Work").model_copy(update={"dt": step})
        service._receive_observation("har/home/camera/hall/observation", message.encode(), False)
        if time in (MONDAY, MONDAY - 29.9, MONDAY - 29.0):
            observed = list(service._observed.items())
            for topic, payload in observed:
                service._handle(topic, payload)
            service._observed.clear()

    assert service._forecaster is not None
    assert not service._forecaster.observations.dropped
    assert service._threads.close()
