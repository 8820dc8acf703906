"""The interfaces of a service: sinks that receive results, and controls that change settings while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

from harstream.stream.config.camera import CameraConfig
from harstream.stream.config.model import Config
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.stream.recognition.views.settings import ViewSettings
from harstream.stream.sources.reader import NewSource
from harstream.wire.health import Health
from harstream.wire.values import CameraControl, Notice, Step

S = TypeVar("S", covariant=True)


class EventSink(Protocol):
    """Receives notices, which hold no pixels."""

    def handle(self, notice: Notice) -> None:
        """Process a notice without blocking. May raise SinkError, which the service logs once per outage."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class HealthSink(Protocol):
    """An EventSink or FrameSink that receives the cameras' health, too."""

    def report(self, health: Health) -> None:
        """Process a camera's health, once a second, without blocking. May raise SinkError."""
        ...


@runtime_checkable
class SettlingSink(Protocol):
    """An EventSink on a background thread that has work between two notices, too."""

    def settle(self) -> None:
        """Finish work that was left. The sink's background thread calls it about once a second, and at the end."""
        ...


class FrameSink(Protocol):
    """Receives steps with their pictures, such as the live view, the recorder or the window."""

    def show(self, step: Step) -> None:
        """Process a step without blocking. May raise SinkError."""
        ...

    def is_watching(self, camera: str) -> bool:
        """Return whether it needs every frame of the camera, not only those of the model. Any thread calls it."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class NamedSink(Generic[S]):
    """A sink with its name in the log."""

    name: str
    sink: S
    most_waiting: int | None = None
    """Messages that may wait for a sink that writes to a disk or a pipe, and so may hang. None: it never hangs."""


class Controls(Protocol):
    """The settings that may change while the service runs. Every method is callable from any thread and may block."""

    def cameras(self) -> list[CameraControl]:
        """Return each camera's setting with its effective threshold."""
        ...

    def switch(self, camera: str, *, on: bool) -> None:
        """Enable or disable a camera. Raises UnknownCamera, and HarstreamError if the change fails."""
        ...

    def set_threshold(self, camera: str, threshold: float | None) -> None:
        """Set a threshold, 0 to 1. None restores the configured one. Raises the errors of `switch`."""
        ...


class CameraParts(Protocol):
    """Makes the source and the settings of a camera. All methods raise HarstreamError."""

    def new_source(self, camera: CameraConfig, *, must_open: bool) -> NewSource:
        """Return a factory for the camera's source. `must_open`: a failed first attempt ends the run."""
        ...

    def tracker_settings(self, config: Config, camera: CameraConfig, threshold: float | None) -> TrackerSettings:
        """Return the camera's settings. `threshold`: set while the service runs; None means the configured one."""
        ...

    def view_settings(self, config: Config, camera: CameraConfig) -> ViewSettings:
        """Return what the model sees of the camera."""
        ...


class SettingsListener(Protocol):
    """Receives changes of settings. CameraSettings calls both methods under its lock, so neither may block."""

    def on_setting(self, setting: CameraControl) -> None:
        """Receives a camera's setting at the start and after each change."""
        ...

    def on_config(self, config: Config) -> None:
        """Receives a new configuration before the running service applies it."""
        ...
