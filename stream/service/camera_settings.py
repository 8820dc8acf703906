"""Applies settings to a running service: cameras off and on, thresholds, and a new configuration."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from harstream.stream.config.camera import CameraConfig
from harstream.stream.config.model import Config
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.stream.service.config_changes import ConfigChanges
from harstream.stream.service.protocols import CameraParts, SettingsListener
from harstream.stream.service.service import Service
from harstream.stream.service.settings_file import SettingsFile
from harstream.wire.errors import ControlError, UnknownCamera
from harstream.wire.values import CameraControl

log = logging.getLogger(__name__)

LONGEST_START = 60.0
"""Longest wait of a caller for the service to start, in seconds. The broker may be slow and the model large."""


class CameraSettings:
    """Applies one change at a time. Every method is callable from any thread.

    A camera that is switched off stays off after a restart.
    """

    def __init__(
        self,
        service: Service,
        config: Config,
        file: SettingsFile,
        parts: CameraParts,
        listener: SettingsListener,
    ) -> None:
        self._service = service
        self._config = config
        self._file = file
        self._parts = parts
        self._listener = listener
        self._changing = threading.Lock()
        self._has_begun = threading.Event()
        """Set when `start` has succeeded or `close` is called."""
        self._is_started = False

    def start(self, *, must_open: bool) -> None:
        """Watch all cameras. `must_open`: a failed first attempt ends the run. Raises HarstreamError."""
        with self._changing:
            self._file.start()
            for camera in self._config.cameras:
                self._watch(camera, must_open=must_open)
            self._is_started = True
        self._has_begun.set()

    def close(self) -> None:
        """Release the callers that still wait for the start."""
        self._has_begun.set()

    @property
    def config(self) -> Config:
        """The current configuration."""
        return self._config

    def wait_until_started(self) -> None:
        """Raises ControlError if the service does not start in time."""
        self._has_begun.wait(LONGEST_START)
        if not self._is_started:
            raise ControlError("the service is still starting: try again in a moment")

    def cameras(self) -> list[CameraControl]:
        """Return the effective setting of each camera."""
        with self._changing:
            return [self._effective(camera.name) for camera in self._config.cameras]

    def switch(self, camera: str, *, on: bool) -> None:
        """Enable or disable a camera.

        Raises UnknownCamera if there is no such camera, and HarstreamError if its source does not exist.
        """
        with self._change():
            configured = self._camera(camera)
            if self._file.get(camera).is_enabled == on:
                return
            new_source = self._parts.new_source(configured, must_open=False) if on else None
            self._file.put(replace(self._file.get(camera), is_enabled=on))
            log.info("camera %s is switched %s", camera, "on" if on else "off", extra={"camera": camera})
            if new_source is None:
                self._service.disable(camera)
            else:
                self._service.watch(camera, new_source)
            self._listener.on_setting(self._effective(camera))

    def set_threshold(self, camera: str, threshold: float | None) -> None:
        """Set the score, 0 to 1, at which activities of this camera start. None restores the configured threshold.

        Raises ControlError for another number, and UnknownCamera if there is no such camera.
        """
        if threshold is not None and not 0 <= threshold <= 1:
            raise ControlError(f"expected a threshold between 0 and 1, got {threshold:g}")
        with self._change():
            self._camera(camera)
            self._file.put(replace(self._file.get(camera), threshold=threshold))
            self._apply_tracker_settings(camera)

    def apply_config(self, config: Config) -> ConfigChanges:
        """Apply cameras and activities of `config` and return the changes.

        Raises HarstreamError and then changes nothing.
        """
        with self._change():
            for camera in config.cameras:
                self._parts.new_source(camera, must_open=False)
                self._parts.tracker_settings(config, camera, None)
                self._parts.view_settings(config, camera)
            changes = ConfigChanges(self._config, config)
            self._config = config
            self._listener.on_config(config)
            for name in changes.removed:
                self._service.remove(name)
            for camera in changes.to_open:
                self._watch(camera, must_open=False)
            for camera in config.cameras:
                self._apply_tracker_settings(camera.name)
                self._service.set_view(camera.name, self._parts.view_settings(config, camera))
            return changes

    def try_refused_again(self) -> list[str]:
        """Open the cameras at once that refused the login. Return their names. Raises HarstreamError."""
        with self._change():
            refused = [camera for camera in self._config.cameras if camera.name in self._service.refused()]
            for camera in refused:
                self._watch(camera, must_open=False)
            return [camera.name for camera in refused]

    def _watch(self, camera: CameraConfig, *, must_open: bool) -> None:
        asked = self._file.get(camera.name)
        if asked.threshold is not None:
            text = "camera %s: its threshold is %g; it was set while the service ran and overrides config.yaml"
            log.info(text, camera.name, asked.threshold)
        self._apply_tracker_settings(camera.name)
        self._service.set_view(camera.name, self._parts.view_settings(self._config, camera))
        if asked.is_enabled:
            self._service.watch(camera.name, self._parts.new_source(camera, must_open=must_open))
        else:
            self._service.disable(camera.name)

    def _apply_tracker_settings(self, camera: str) -> None:
        """Give the service the camera's effective thresholds, and publish them."""
        self._service.set_tracker_settings(camera, self._tracker_settings(camera))
        self._listener.on_setting(self._effective(camera))

    @contextmanager
    def _change(self) -> Iterator[None]:
        self.wait_until_started()
        with self._changing:
            yield

    def _camera(self, name: str) -> CameraConfig:
        for camera in self._config.cameras:
            if camera.name == name:
                return camera
        known = ", ".join(camera.name for camera in self._config.cameras)
        raise UnknownCamera(f"there is no camera {name[:80]!r}; the cameras are {known}")

    def _tracker_settings(self, camera: str) -> TrackerSettings:
        return self._parts.tracker_settings(self._config, self._camera(camera), self._file.get(camera).threshold)

    def _effective(self, camera: str) -> CameraControl:
        """Return the camera's setting with its effective threshold."""
        return replace(self._file.get(camera), threshold=self._tracker_settings(camera).start_above)
