"""What another program forecasts over MQTT of this node's cameras, for those who show it."""

from __future__ import annotations

import logging

from pydantic import ValidationError

from harstream.models.contract import UNKNOWN, ModelContract
from harstream.resilience.outage import Outage
from harstream.wire.context import labels_sha
from harstream.wire.messages.forecast import ForecastMessage
from harstream.wire.values import Forecast, HorizonForecast, NextActivity

log = logging.getLogger(__name__)

LONGEST, MOST = 64 * 1024, 1000
"""Bytes of a forecast; cameras of which one is kept."""


class ForecastCache:
    """The last forecast of each camera. It is heard on one thread, and may be asked for on any."""

    def __init__(self, contract: ModelContract) -> None:
        """Forecasts of another model's activities, such as those that a broker still has, are passed over."""
        self._labels = {*contract.labels, UNKNOWN}
        self._sha = labels_sha(contract)
        self._latest: dict[str, Forecast] = {}
        self._outage = Outage(
            log, "a forecast", begins="%s is passed over: %s", ends="%s can be read again; %d were passed over"
        )

    def hear(self, topic: str, payload: bytes, _: bool) -> None:
        """On `har/<node>/camera/<camera>/forecast`, on one thread. A message that is none is passed over; the first is
        logged, and when they make sense again."""
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
            if len(self._latest) > MOST:  # whoever may publish can invent cameras
                del self._latest[next(iter(self._latest))]

    def of(self, camera: str) -> Forecast | None:
        """The last forecast of a camera, whether it is watched yet or not."""
        return self._latest.get(camera)

    def _read(self, payload: bytes) -> Forecast | None:
        """Raises ValueError."""
        if len(payload) > LONGEST:
            raise ValueError(f"expected {LONGEST} bytes at most, got {len(payload)}")
        try:
            message = ForecastMessage.model_validate_json(payload)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])).encode("unicode_escape").decode()[:100]  # a stranger's keys
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
                raise ValueError(f"the model knows no activity {activity[:80]!r}")
        return forecast


def _likeliest(probabilities: dict[str, float]) -> tuple[str, float]:
    if not probabilities:
        raise ValueError("expected the probabilities of a horizon, got none")
    return max(probabilities.items(), key=lambda item: item[1])
