"""Applies settings to a running service: cameras off and on, thresholds, and another configuration."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from harstream.stream.config.model import CameraConfig, Config
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.stream.service.config_changes import ConfigChanges
from harstream.stream.service.protocols import CameraParts, SettingsListener
from harstream.stream.service.service import Service
from harstream.stream.service.settings_file import SettingsFile
from harstream.wire.errors import ControlError, UnknownCamera
from harstream.wire.values import CameraControl

log = logging.getLogger(__name__)

LONGEST_START = 60.0
"""Seconds that a caller waits for the service to start: the broker may be far away and the model large."""


class CameraSettings:
    """Every method may be called from any thread. Changes are made one after the other.

    A camera that is switched off stays off over restarts.
    """

    def __init__(
        self, service: Service, config: Config, kept: SettingsFile, parts: CameraParts, listener: SettingsListener
    ) -> None:
        self._service = service
        self._config = config
        self._kept = kept
        self._parts = parts
        self._listener = listener
        self._changing = threading.Lock()
        self._has_begun = threading.Event()
        """Has `start` or `close` ended?"""
        self._is_started = False

    def start(self, *, must_open: bool) -> None:
        """Watch all cameras. `must_open`: a first attempt that fails ends the run. Raises HarstreamError."""
        with self._changing:
            self._kept.start()
            for camera in self._config.cameras:
                self._watch(camera, must_open=must_open)
            self._is_started = True
        self._has_begun.set()

    def close(self) -> None:
        """Let go of those who still wait for the start."""
        self._has_begun.set()

    @property
    def config(self) -> Config:
        """The configuration that the service runs with."""
        return self._config

    def wait_until_started(self) -> None:
        """Raises ControlError if the service does not start."""
        self._has_begun.wait(LONGEST_START)
        if not self._is_started:
            raise ControlError("the service is still starting: ask again in a moment")

    def cameras(self) -> list[CameraControl]:
        with self._changing:
            return [self._in_force(camera.name) for camera in self._config.cameras]

    def switch(self, camera: str, *, on: bool) -> None:
        """Raises UnknownCamera if there is no such camera, and HarstreamError if its source is not there."""
        with self._change():
            configured = self._camera(camera)
            if self._kept.get(camera).is_enabled == on:
                return
            new_source = self._parts.new_source(configured, must_open=False) if on else None
            self._kept.put(replace(self._kept.get(camera), is_enabled=on))
            log.info("camera %s is switched %s", camera, "on" if on else "off", extra={"camera": camera})
            if new_source is None:
                self._service.switch_off(camera)
            else:
                self._service.watch(camera, new_source)
            self._listener.show_setting(self._in_force(camera))

    def set_threshold(self, camera: str, threshold: float | None) -> None:
        """Set the score, 0 to 1, at which activities of this camera start; None means: as configured.

        Raises ControlError for another number, and UnknownCamera if there is no such camera.
        """
        if threshold is not None and not 0 <= threshold <= 1:
            raise ControlError(f"expected a threshold between 0 and 1, got {threshold:g}")
        with self._change():
            self._camera(camera)
            self._kept.put(replace(self._kept.get(camera), threshold=threshold))
            self._tune(camera)

    def take(self, config: Config) -> ConfigChanges:
        """Apply cameras and activities of `config`, and return what changed. Raises HarstreamError; then nothing
        changes."""
        with self._change():
            for camera in config.cameras:
                self._parts.new_source(camera, must_open=False)
                self._parts.tracker_settings(config, camera, None)
            changes = ConfigChanges(self._config, config)
            self._config = config
            self._listener.take_config(config)
            for name in changes.removed:
                self._service.unwatch(name)
            for camera in changes.to_open:
                self._watch(camera, must_open=False)
            for camera in config.cameras:
                self._tune(camera.name)
            return changes

    def _watch(self, camera: CameraConfig, *, must_open: bool) -> None:
        asked = self._kept.get(camera.name)
        if asked.threshold is not None:
            text = "camera %s: its threshold is %g; it was set while running, and wins over config.yaml"
            log.info(text, camera.name, asked.threshold)
        self._tune(camera.name)
        if asked.is_enabled:
            self._service.watch(camera.name, self._parts.new_source(camera, must_open=must_open))
        else:
            self._service.switch_off(camera.name)

    def _tune(self, camera: str) -> None:
        """Make the thresholds in force those of the service, and publish them."""
        self._service.retune(camera, self._tracker_settings(camera))
        self._listener.show_setting(self._in_force(camera))

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
        raise UnknownCamera(f"there is no camera {name[:80]!r}; there are {known}")

    def _tracker_settings(self, camera: str) -> TrackerSettings:
        return self._parts.tracker_settings(self._config, self._camera(camera), self._kept.get(camera).threshold)

    def _in_force(self, camera: str) -> CameraControl:
        """The camera's setting, with the threshold in force."""
        return replace(self._kept.get(camera), threshold=self._tracker_settings(camera).start_above)
