"""The seams of a service: who receives what was recognized, and what may change while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

from harstream.stream.config.model import CameraConfig, Config
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.stream.sources.reader import NewSource
from harstream.wire.values import CameraControl, Health, Notice, Step

S = TypeVar("S", covariant=True)


class EventSink(Protocol):
    """Receives notices, and so never pixels."""

    def handle(self, notice: Notice) -> None:
        """Must not block. May raise SinkError; the service counts it and logs it once per outage."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class HealthSink(Protocol):
    """An EventSink or FrameSink that receives the cameras' health, too."""

    def report(self, health: Health) -> None:
        """Called once a second per camera. Must not block; may raise SinkError."""
        ...


class FrameSink(Protocol):
    """Receives steps with their pictures: live view, recorder, window."""

    def show(self, step: Step) -> None:
        """Must not block; may raise SinkError."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Named(Generic[S]):
    """A sink with its name in the log."""

    name: str
    sink: S


class Controls(Protocol):
    """What may change while the service runs. Every method may be called from any thread and may wait a moment."""

    def cameras(self) -> list[CameraControl]:
        """How each camera is set, with the threshold in force."""
        ...

    def switch(self, camera: str, *, on: bool) -> None:
        """Raises UnknownCamera if there is no such camera, and HarstreamError if the switch fails."""
        ...

    def set_threshold(self, camera: str, threshold: float | None) -> None:
        """`threshold` is 0 to 1; None means: as configured. Raises the errors of `switch`."""
        ...


class CameraParts(Protocol):
    """Makes what a service needs to watch one camera. Both methods raise HarstreamError."""

    def new_source(self, camera: CameraConfig, *, must_open: bool) -> NewSource:
        """`must_open`: a first attempt that fails ends the run."""
        ...

    def tracker_settings(self, config: Config, camera: CameraConfig, threshold: float | None) -> TrackerSettings:
        """`threshold` was asked for while the service ran; None means: as configured."""
        ...


class SettingsListener(Protocol):
    """Learns what changed. Neither method may block. Both are called under the lock of CameraSettings."""

    def show_setting(self, setting: CameraControl) -> None:
        """Called for each camera at the start and at every change of it."""
        ...

    def take_config(self, config: Config) -> None:
        """Called with each later configuration, before a running service takes it."""
        ...
