"""The seams of a stream: what varies is one of these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from models.catalogue import ModelFiles
from models.contract import ModelContract
from stream.messages import CameraChange, CameraControl, Frame, Health, Notice, Step


class FrameSource(Protocol):
    """One camera. Its generator opens, yields and releases the device, all on the thread that iterates it."""

    camera: str
    is_live: bool
    """A live source is never waited for: frames nobody took in time are dropped, oldest first, and counted."""

    def frames(self) -> Iterator[Frame | CameraChange]:
        """Ends with the material; a live source reconnects for ever. Raises SourceError when trying is no use."""
        ...


class Recognizer(Protocol):
    """A model that runs. `encode` is paid once a frame, `score` once a recognition."""

    contract: ModelContract
    lookback: int
    """Frames before the newest that `encode` needs for a row, 0 or 1; a window has contract.frames - lookback rows."""
    row_shape: tuple[int, ...]
    row_dtype: np.dtype[np.generic]

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        """Model frames (N, H, W, 3) RGB to rows (N, *row_shape); with lookback (N, 2, H, W, 3), the earlier first."""
        ...

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        """Windows of rows (N, contract.frames - lookback, *row_shape) to scores (N, K) that sum to 1."""
        ...


class Engine(Recognizer, Protocol):
    """A recognizer that was loaded from files."""

    files: ModelFiles

    @property
    def provider(self) -> str:
        """What really runs it, for a person to read."""
        ...


class EventSink(Protocol):
    """Is handed notices, and so never pixels."""

    def handle(self, notice: Notice) -> None:
        """Must not block; may raise SinkError, which is counted and logged once an outage."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class HealthSink(Protocol):
    """An EventSink or FrameSink that is told how the cameras fare, too."""

    def tell(self, health: Health) -> None:
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
