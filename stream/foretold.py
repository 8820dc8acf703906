"""What `harstream forecast` says over MQTT of this node's cameras, for those who show it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from models.contract import UNKNOWN, ModelContract
from stream.messages import Forecast
from stream.schemas import ForecastMessage
from stream.wire import labels_sha

log = logging.getLogger(__name__)

LONGEST = 64 * 1024
"""Bytes of a forecast."""

Listener = Callable[[str, Forecast | None], None]
"""Told a camera's name, and what is expected before it; None: nothing any more."""


class Foretold:
    """The last forecast of each camera. Every method may be called from any thread."""

    def __init__(self, contract: ModelContract) -> None:
        """Forecasts of another model's activities, such as those that a broker still has, are passed over."""
        self._labels = {*contract.labels, UNKNOWN}
        self._sha = labels_sha(contract)
        self._schema = TypeAdapter(ForecastMessage)
        self._latest: dict[str, Forecast] = {}
        self._listener: Listener | None = None
        self._is_wrong = False
        self._changing = threading.Lock()

    def hear(self, topic: str, payload: bytes, _: bool) -> None:
        """On `har/<node>/camera/<camera>/forecast`. A message that is none is passed over; the first is logged."""
        camera = topic.split("/")[-2]
        try:
            forecast = self._read(payload) if payload else None
        except ValueError as error:
            if not self._is_wrong:
                log.warning("a forecast on %r is passed over: %s", topic[:200], error)
            self._is_wrong = True
            return
        self._is_wrong = False
        with self._changing:
            if forecast is not None:
                self._latest[camera] = forecast
            else:
                self._latest.pop(camera, None)
            if self._listener is not None:
                self._listener(camera, forecast)

    def follow(self, listener: Listener) -> None:
        """`listener` is told what is known now, and whatever comes; it must not block."""
        with self._changing:
            self._listener = listener
            for camera, forecast in self._latest.items():
                listener(camera, forecast)

    def _read(self, payload: bytes) -> Forecast | None:
        """Raises ValueError."""
        if len(payload) > LONGEST:
            raise ValueError(f"expected {LONGEST} bytes at most, got {len(payload)}")
        try:
            message = self._schema.validate_json(payload)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        if message["labels_sha"] != self._sha:
            return None
        follower = message["next"]
        forecast = Forecast(
            made_at=_seconds(message["made_at"]),
            next=follower and (follower["activity"], follower["p"], _seconds(follower["expected_at"])),
            then=tuple((each["horizon_s"], *_likeliest(each["p"])) for each in message["horizons"]),
        )
        for activity in [each[1] for each in forecast.then] + ([forecast.next[0]] if forecast.next else []):
            if activity not in self._labels:
                raise ValueError(f"the model knows no activity {activity[:80]!r}")
        return forecast


def _likeliest(probabilities: dict[str, float]) -> tuple[str, float]:
    if not probabilities:
        raise ValueError("expected the probabilities of a horizon, got none")
    return max(probabilities.items(), key=lambda item: item[1])


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
