"""Keeps the forecasts that another program publishes over MQTT for this node's cameras."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from pydantic import ValidationError

from harstream.models.contract import UNKNOWN, ModelContract
from harstream.mqtt.publisher import Publisher
from harstream.resilience.outage import QUIET, Outage
from harstream.wire.context import labels_sha
from harstream.wire.messages.forecast import ForecastMessage
from harstream.wire.messages.message import why_invalid
from harstream.wire.payloads import OFFLINE
from harstream.wire.topics import Topics
from harstream.wire.values import Forecast, NextActivity, SoonActivity, UnusualActivity

log = logging.getLogger(__name__)

MAX_BYTES, MAX_CAMERAS = 64 * 1024, 1000
"""The longest forecast in bytes, and the largest number of cameras with a stored forecast."""
OLDEST = 180.0
"""Seconds for which a forecast holds. A forecaster publishes one every 60 s."""
LIKELY = 0.3
"""The probability from which an activity is said to begin soon."""
SOONEST = 3
"""The largest number of activities that are said to begin soon."""
LONGEST_REASON = 200
"""Letters."""


class ForecastCache:
    """Holds the last forecast of each camera. One thread receives forecasts, and any thread may read them."""

    def __init__(self, contract: ModelContract, clock: Callable[[], float] = time.time) -> None:
        """Forecasts for the labels of another model, which a broker may still retain, are ignored.

        `clock` returns seconds since the epoch.
        """
        self._labels = {*contract.labels, UNKNOWN}
        self._sha = labels_sha(contract)
        self._clock = clock
        self._latest: dict[str | None, Forecast] = {}
        """By camera. None stands for the home."""
        self._is_offline = False
        self._outage = Outage(
            log, "a forecast", begins="%s is ignored: %s", ends="%s can be read again; %d were ignored", quiet=QUIET
        )

    def subscribe(self, publisher: Publisher, topics: Topics) -> None:
        """Receive the forecasts of all cameras of a node, or of its home. The publisher must not have started."""
        publisher.subscribe(topics.forecast("+"), self.receive)
        publisher.subscribe(topics.home_forecast, self.receive)
        publisher.subscribe(topics.forecaster, self.receive_status)

    def receive(self, topic: str, payload: bytes, _: bool) -> None:
        """Store a message on `har/<node>/camera/<camera>/forecast`, or on `har/<node>/forecast`.

        Invalid messages are ignored. The log reports the first of them, and the first valid forecast after them.
        """
        parts = topic.split("/")
        camera = parts[-2] if parts[-3] == "camera" else None
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

    def receive_status(self, _: str, payload: bytes, __: bool) -> None:
        """Follow `har/<node>/forecaster/status`. A forecaster that is killed leaves its retained forecasts behind."""
        self._is_offline = payload == OFFLINE.encode()

    def get(self, camera: str | None) -> Forecast | None:
        """Return the last forecast of a camera, or of the home for None.

        If it no longer holds, because it is too old or its forecaster is offline, only the reason is left.
        """
        forecast = self._latest.get(camera)
        if forecast is None:
            return None
        if self._is_offline:
            return _without_content(forecast, "the forecaster is offline")
        if self._clock() - forecast.made_at > OLDEST:
            return _without_content(forecast, f"the last one is older than {OLDEST / 60:.0f} minutes")
        return forecast

    def _read(self, payload: bytes) -> Forecast | None:
        """Return the forecast, or None for the labels of another model. Raises ValueError for an invalid payload."""
        if len(payload) > MAX_BYTES:
            raise ValueError(f"expected {MAX_BYTES} bytes at most, got {len(payload)}")
        try:
            message = ForecastMessage.model_validate_json(payload)
        except ValidationError as error:
            raise ValueError(why_invalid(error)) from error
        if message.labels_sha != self._sha:
            return None
        forecast = _forecast(message)
        for activity in _activities(forecast):
            if activity not in self._labels:
                raise ValueError(f"the model has no activity {activity[:80]!r}")
        return forecast


def _forecast(message: ForecastMessage) -> Forecast:
    follower, unusual = message.next, message.unusual
    return Forecast(
        made_at=message.made_at,
        next=None if follower is None else NextActivity(follower.activity, follower.p, follower.expected_at),
        next_reason=(message.next_reason or "")[:LONGEST_REASON],
        soon=() if follower is None else _soon(message),
        unusual=None if unusual is None else UnusualActivity(unusual.kind, unusual.activity, unusual.since),
        activity=message.activity,
    )


def _without_content(forecast: Forecast, reason: str) -> Forecast:
    return Forecast(forecast.made_at, next=None, next_reason=reason, soon=(), unusual=None)


def _soon(message: ForecastMessage) -> tuple[SoonActivity, ...]:
    """Return each activity that is likely to begin, with the shortest horizon for which that holds."""
    soon: dict[str, SoonActivity] = {}
    for horizon in message.horizons:
        for activity, probability in (horizon.begins or {}).items():
            if probability >= LIKELY and activity not in soon:
                soon[activity] = SoonActivity(activity, probability, horizon.horizon_s)
    return tuple(sorted(soon.values(), key=lambda each: (each.horizon, -each.probability))[:SOONEST])


def _activities(forecast: Forecast) -> list[str]:
    named = [forecast.next, forecast.unusual, *forecast.soon]
    return [forecast.activity, *(each.activity for each in named if each is not None)]
