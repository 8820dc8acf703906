"""Keeps the forecasts that another program publishes over MQTT for this node's cameras."""

from __future__ import annotations

import logging

from pydantic import ValidationError

from harstream.models.contract import UNKNOWN, ModelContract
from harstream.mqtt.publisher import Publisher
from harstream.resilience.outage import Outage
from harstream.wire.context import labels_sha
from harstream.wire.messages.forecast import ForecastMessage
from harstream.wire.topics import Topics
from harstream.wire.values import Forecast, HorizonForecast, NextActivity

log = logging.getLogger(__name__)

MAX_BYTES, MAX_CAMERAS = 64 * 1024, 1000
"""The longest forecast in bytes, and the largest number of cameras with a stored forecast."""
QUIET = 60.0
"""Shortest time between two reports of ignored forecasts, in seconds. A client in a loop would fill the log."""


class ForecastCache:
    """Holds the last forecast of each camera. One thread receives forecasts, and any thread may read them."""

    def __init__(self, contract: ModelContract) -> None:
        """Forecasts for the labels of another model, which a broker may still retain, are ignored."""
        self._labels = {*contract.labels, UNKNOWN}
        self._sha = labels_sha(contract)
        self._latest: dict[str, Forecast] = {}
        self._outage = Outage(
            log, "a forecast", begins="%s is ignored: %s", ends="%s can be read again; %d were ignored", quiet=QUIET
        )

    def subscribe(self, publisher: Publisher, topics: Topics) -> None:
        """Receive the forecasts of all cameras of a node. The publisher must not have started."""
        publisher.subscribe(topics.forecast("+"), self.receive)

    def receive(self, topic: str, payload: bytes, _: bool) -> None:
        """Store a message on `har/<node>/camera/<camera>/forecast`.

        Invalid messages are ignored. The log reports the first of them, and the first valid forecast after them.
        """
        camera = topic.split("/")[-2]
        try:
            forecast = self._read(payload) if payload else None
        except ValueError as error:
            self._outage.record_failure(f"{topic[:200]!r}: {error}")
            return
        self._outage.record_success()
        self._latest.pop(camera, None)
        if forecast is not None:
            self._latest[camera] = forecast
            if len(self._latest) > MAX_CAMERAS:  # any client that may publish can use arbitrary camera names
                del self._latest[next(iter(self._latest))]

    def get(self, camera: str) -> Forecast | None:
        """Return the last forecast of a camera, or None."""
        return self._latest.get(camera)

    def _read(self, payload: bytes) -> Forecast | None:
        """Return the forecast, or None for the labels of another model. Raises ValueError for an invalid payload."""
        if len(payload) > MAX_BYTES:
            raise ValueError(f"expected {MAX_BYTES} bytes at most, got {len(payload)}")
        try:
            message = ForecastMessage.model_validate_json(payload)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])).encode("unicode_escape").decode()[:100]  # keys from the network
            raise ValueError(f"{where}: {first['msg']}") from error
        if message.labels_sha != self._sha:
            return None
        follower = message.next
        forecast = Forecast(
            made_at=message.made_at,
            next=None if follower is None else NextActivity(follower.activity, follower.p, follower.expected_at),
            then=tuple(HorizonForecast(each.horizon_s, *_likeliest(each.p)) for each in message.horizons),
        )
        named = [each.activity for each in forecast.then] + ([forecast.next.activity] if forecast.next else [])
        for activity in named:
            if activity not in self._labels:
                raise ValueError(f"the model has no activity {activity[:80]!r}")
        return forecast


def _likeliest(probabilities: dict[str, float]) -> tuple[str, float]:
    if not probabilities:
        raise ValueError("expected the probabilities of a horizon, got none")
    return max(probabilities.items(), key=lambda item: item[1])
