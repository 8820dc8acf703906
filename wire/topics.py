"""The MQTT topics of one node."""

from __future__ import annotations

import re
from dataclasses import dataclass

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""The name of a node or a camera. It has no character with a special meaning in a topic."""


@dataclass(frozen=True)
class Topics:
    """The topics of one node. Raises ValueError for a name with other characters than `NAME` allows."""

    node: str

    def __post_init__(self) -> None:
        _check_name("node", self.node)

    @property
    def status(self) -> str:
        return f"har/{self.node}/status"

    @property
    def owner(self) -> str:
        """The topic that says which service runs as this node."""
        return f"har/{self.node}/owner"

    @property
    def info(self) -> str:
        return f"har/{self.node}/info"

    @property
    def labels(self) -> str:
        return f"har/{self.node}/labels"

    @property
    def emission(self) -> str:
        return f"har/{self.node}/emission"

    @property
    def stats(self) -> str:
        return f"har/{self.node}/stats"

    @property
    def error(self) -> str:
        return f"har/{self.node}/error"

    @property
    def forecaster(self) -> str:
        """The topic that says whether the node's forecaster runs."""
        return f"har/{self.node}/forecaster/status"

    @property
    def forecaster_owner(self) -> str:
        """The topic that says which forecaster runs for the node."""
        return f"har/{self.node}/forecaster/owner"

    @property
    def home_forecast(self) -> str:
        """The topic of the forecast for all cameras together."""
        return f"har/{self.node}/forecast"

    def command(self, camera: str, setting: str) -> str:
        """The topic on which clients change a camera's setting. `+` stands for any camera or setting."""
        return f"har/{self.node}/camera/{camera}/{setting}/set"

    def setting(self, camera: str, setting: str) -> str:
        """The topic that holds a setting's current value."""
        return f"{self._camera(camera, setting)}/state"

    def availability(self, camera: str) -> str:
        return self._camera(camera, "availability")

    def health(self, camera: str) -> str:
        return self._camera(camera, "health")

    def activity(self, camera: str) -> str:
        return self._camera(camera, "activity")

    def event(self, camera: str) -> str:
        return self._camera(camera, "event")

    def observation(self, camera: str) -> str:
        return self._camera(camera, "observation")

    def snapshot(self, camera: str) -> str:
        return self._camera(camera, "snapshot")

    def forecast(self, camera: str) -> str:
        """The topic of a camera's forecast. `+` stands for all cameras."""
        return f"har/{self.node}/camera/+/forecast" if camera == "+" else self._camera(camera, "forecast")

    def _camera(self, camera: str, what: str) -> str:
        _check_name("camera", camera)
        return f"har/{self.node}/camera/{camera}/{what}"


def _check_name(what: str, name: str) -> None:
    if not NAME.fullmatch(name):
        raise ValueError(f"a {what} name is 1 to 64 of A-Z a-z 0-9 _ -, got {name[:80]!r}")


def is_publishable(topic: str) -> bool:
    """Return whether a broker takes a message on this topic: no wildcard, not empty, at most 65,535 bytes of UTF-8."""
    return bool(topic) and topic.isprintable() and not set("+#") & set(topic) and len(topic.encode()) <= 65_535
