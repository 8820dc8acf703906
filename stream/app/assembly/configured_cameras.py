"""Makes the source and the settings of a configured camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harstream.models.contract import ModelContract
from harstream.stream.config.camera import CameraConfig
from harstream.stream.config.effective_tracker_settings import effective_tracker_settings
from harstream.stream.config.model import Config
from harstream.stream.recognition.protocols import Detector
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.stream.recognition.views.settings import ViewSettings
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.reader import NewSource
from harstream.stream.sources.registry import new_source


@dataclass(frozen=True)
class ConfiguredCameras:
    """The CameraParts of `harstream run`."""

    clock: Clock
    contract: ModelContract
    detector: Callable[[], Detector]
    """Returns what finds people. Raises ModelError if it cannot be loaded."""

    def new_source(self, camera: CameraConfig, *, must_open: bool) -> NewSource:
        """Return a factory for the camera's source. Raises SourceError for a file that does not exist."""
        return new_source(camera.name, camera.parsed_source, self.clock, must_open=must_open)

    def tracker_settings(self, config: Config, camera: CameraConfig, threshold: float | None) -> TrackerSettings:
        """Return the camera's settings. Raises ConfigError if the configuration does not fit the model."""
        return effective_tracker_settings(config, self.contract, camera, threshold)

    def view_settings(self, config: Config, camera: CameraConfig) -> ViewSettings:
        """Return what the model sees of the camera. Raises ModelError if that needs a network that cannot be loaded."""
        settings = config.view_settings(self.contract, camera)
        if settings.kind == "person":
            self.detector()
        return settings
