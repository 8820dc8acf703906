"""The seams of a service: who is handed what was recognized, and what may be changed while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from harstream.wire.values import CameraControl, Health, Notice, Step


class EventSink(Protocol):
    """Is handed notices, and so never pixels."""

    def handle(self, notice: Notice) -> None:
        """Must not block; may raise SinkError, which is counted and logged once an outage."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class HealthSink(Protocol):
    """An EventSink or FrameSink that is told how the cameras fare, too."""

    def report(self, health: Health) -> None:
        """Once a second for each camera. Must not block; may raise SinkError."""
        ...


class FrameSink(Protocol):
    """Is handed steps, with their pictures: live view, recorder, window."""

    def show(self, step: Step) -> None:
        """Must not block; may raise SinkError."""
        ...

    def close(self) -> None: ...


class Controls(Protocol):
    """What may be changed while the service runs. Every method from any thread; it may wait a moment."""

    def ask(self, change: Callable[[], object], refused: Callable[[str], None]) -> None:
        """Make a change without waiting for it; `refused` is told why not, in one line."""
        ...

    def cameras(self) -> list[CameraControl]: ...

    def switch(self, camera: str, *, on: bool) -> None:
        """Raises ControlError if there is no such camera, and HarstreamError if it cannot be done."""
        ...

    def set_threshold(self, camera: str, threshold: float | None) -> None:
        """0 to 1; None: as configured. Raises as `switch` does."""
        ...

    def reload(self) -> str:
        """Take what config.yaml says now; what came of it, for a person. Raises HarstreamError."""
        ...
