"""Receives what a running service publishes about its cameras, and when."""

from __future__ import annotations

import bisect
import json
import threading
import time
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

MISSING = "missing"
"""The sign of an observation that says that a camera is away. The other signs are states of health."""
LIVE = "live"


@dataclass
class _Camera:
    signs: list[tuple[float, str]] = field(default_factory=list)
    """Changes of health and missing observations, with their times."""
    windows: list[float] = field(default_factory=list)
    """Times at which an observation of a complete window came."""


class CameraWatch:
    """A subscriber. All times are seconds of the monotonic clock."""

    def __init__(self, port: int) -> None:
        self._cameras: defaultdict[str, _Camera] = defaultdict(_Camera)
        self._open: dict[str, bool] = {}
        self._overloaded_at: list[float] = []
        self._lock = threading.Lock()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._receive
        self._client.connect("127.0.0.1", port)
        self._client.subscribe([("har/+/camera/+/event", 1), ("har/+/camera/+/observation", 0),
                                ("har/+/camera/+/health", 1)])  # fmt: skip
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def sign_at(self, camera: str, signs: Collection[str], since: float) -> float | None:
        """Return when the first of these signs came, or None."""
        with self._lock:
            return next((at for at, sign in self._cameras[camera].signs if at >= since and sign in signs), None)

    def whole_at(self, camera: str, since: float) -> float | None:
        """Return when the camera was live and had a complete window. None if it is not so now."""
        with self._lock:
            states = [one for one in self._cameras[camera].signs if one[1] != MISSING]
            window = next(iter(_from(self._cameras[camera].windows, since)), None)
        is_live = bool(states) and states[-1][1] == LIVE
        return max(window, states[-1][0]) if is_live and window is not None else None

    def states(self, camera: str, since: float) -> set[str]:
        """Return all signs since a time."""
        with self._lock:
            return {sign for at, sign in self._cameras[camera].signs if at >= since}

    def longest_pause(self, camera: str, since: float) -> float:
        """Return the longest time without a complete window, in seconds, until now."""
        with self._lock:
            times = [since, *_from(self._cameras[camera].windows, since), time.monotonic()]
        return max(after - before for before, after in pairwise(times))

    def is_overloaded(self, since: float) -> bool:
        """Return whether the service reported since then that the machine cannot keep up."""
        with self._lock:
            return bool(self._overloaded_at) and self._overloaded_at[-1] >= since

    def events(self) -> tuple[int, list[str]]:
        """Return the number of activities, and the ids of those without an end."""
        with self._lock:
            return len(self._open), [key for key, is_open in self._open.items() if is_open]

    def _receive(self, _: paho.Client, __: Any, message: paho.MQTTMessage) -> None:
        camera, kind = message.topic.split("/")[-2:]
        content, now = json.loads(message.payload), time.monotonic()
        with self._lock:
            if kind == "event":
                self._open[content["id"]] = self._open.get(content["id"], True) and content["event_type"] != "end"
            elif kind == "observation" and content["valid"]:
                self._cameras[camera].windows.append(now)
            else:
                if content.get("overloaded"):
                    self._overloaded_at.append(now)
                self._add_sign(self._cameras[camera], now, content.get("state", MISSING))

    def _add_sign(self, camera: _Camera, now: float, sign: str) -> None:
        """Keep changes alone: health is repeated once a minute."""
        if sign == MISSING or sign != next((old for _, old in reversed(camera.signs) if old != MISSING), None):
            camera.signs.append((now, sign))


def _from(times: list[float], since: float) -> list[float]:
    return times[bisect.bisect_left(times, since) :]
