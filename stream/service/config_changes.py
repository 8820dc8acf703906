"""The differences between two configurations."""

from __future__ import annotations

from dataclasses import dataclass

from harstream.stream.config.camera import CameraConfig
from harstream.stream.config.model import Config

APPLIED_WHILE_RUNNING = {"cameras", "activities", "view"}
"""Sections that a running service can apply. Changes in any other section need a restart."""
WITHOUT_OPENING = ("activities", "title", "view", "crop")
"""Keys of a camera that change without opening it again."""


@dataclass(frozen=True)
class ConfigChanges:
    """The changes from one configuration to the next."""

    before: Config
    after: Config

    @property
    def needs_restart(self) -> bool:
        """Whether a running service cannot apply the changes."""
        sections = [name for name in type(self.after).model_fields if name not in APPLIED_WHILE_RUNNING]
        return self.after.activities.smoothing != self.before.activities.smoothing or any(
            getattr(self.after, name) != getattr(self.before, name) for name in sections
        )

    @property
    def removed(self) -> list[str]:
        """Names of the cameras that are no longer configured, sorted."""
        return sorted(_cameras(self.before).keys() - _cameras(self.after).keys())

    @property
    def to_open(self) -> list[CameraConfig]:
        """Cameras that are new or must be opened again."""
        known = _cameras(self.before)
        return [
            camera
            for camera in self.after.cameras
            if camera.name not in known or not _have_same_source(camera, known[camera.name])
        ]

    def __str__(self) -> str:
        known = _cameras(self.before)
        opened = [f"{camera.name} {'changed' if camera.name in known else 'is new'}" for camera in self.to_open]
        return ", ".join([*opened, *(f"{name} is removed" for name in self.removed), *self._settings()])

    def _settings(self) -> list[str]:
        known = _cameras(self.before)
        for_all = [key for key in ("activities", "view") if getattr(self.after, key) != getattr(self.before, key)]
        return [f"{key} changed" for key in for_all] + [
            f"{key} of {camera.name} changed"
            for camera in self.after.cameras
            for key in WITHOUT_OPENING
            if camera.name in known and getattr(camera, key) != getattr(known[camera.name], key)
        ]


def _cameras(config: Config) -> dict[str, CameraConfig]:
    return {camera.name: camera for camera in config.cameras}


def _have_same_source(camera: CameraConfig, other: CameraConfig) -> bool:
    return camera.model_copy(update={key: getattr(other, key) for key in WITHOUT_OPENING}) == other
