"""The seam between a camera's device and the stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from harstream.wire.values import CameraChange, Frame


class FrameSource(Protocol):
    """One camera. Its generator opens, yields and releases the device, all on the thread that iterates it."""

    camera: str
    is_live: bool
    """A live source is never waited for: frames nobody took in time are dropped, oldest first, and counted."""

    def frames(self) -> Iterator[Frame | CameraChange]:
        """Ends with the material; a live source reconnects for ever. Raises SourceError when trying is no use."""
        ...
