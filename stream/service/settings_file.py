"""Stores the camera settings that were changed while a service ran, so that they survive a restart."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from harstream.resilience.set_aside import set_aside
from harstream.resilience.whole_file import write_whole
from harstream.wire.errors import SinkError
from harstream.wire.values import CameraControl

log = logging.getLogger(__name__)

FILE = "controls.json"
"""The name of the file in the state folder."""


class SettingsFile:
    """The camera settings on disk. It is not thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._settings: dict[str, CameraControl] = {}

    def start(self) -> None:
        """Read the file, if there is one. A file without settings is set aside. Raises SinkError if the disk fails."""
        try:
            self._settings = _read(self._path) if self._path.exists() else {}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            log.warning(
                "the cameras' settings in %s cannot be read (%r): they are moved to %s, and config.yaml applies",
                self._path,
                error,
                set_aside(self._path),
            )
        except OSError as error:
            raise SinkError(f"expected the cameras' settings in {self._path}, got: {error}") from error

    def get(self, camera: str) -> CameraControl:
        """Return the camera's stored setting. A threshold of None means the configured one."""
        return self._settings.get(camera) or CameraControl(camera)

    def put(self, setting: CameraControl) -> None:
        """Store a setting. If the file cannot be written, the setting still applies until the service ends."""
        self._settings[setting.camera] = setting
        kept = {name: {"enabled": one.is_enabled, "threshold": one.threshold} for name, one in self._settings.items()}
        try:
            write_whole(self._path, json.dumps(kept, indent=1))
        except OSError as error:
            log.warning("camera %s: this setting will be lost at the next start: %s", setting.camera, error)


def _read(path: Path) -> dict[str, CameraControl]:
    kept = json.loads(path.read_bytes())
    return {
        name: CameraControl(name, is_enabled=bool(one["enabled"]), threshold=_checked(one["threshold"]))
        for name, one in kept.items()
    }


def _checked(threshold: float | None) -> float | None:
    """Return the threshold. Raises ValueError or TypeError for a value that is not a threshold."""
    if isinstance(threshold, bool) or (threshold is not None and not 0 <= threshold <= 1):
        raise ValueError(f"a threshold of {threshold}")
    return threshold
