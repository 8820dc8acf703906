"""The interface between a camera's device and the stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from harstream.wire.values import CameraChange, Frame


class FrameSource(Protocol):
    """One camera. Its generator opens, reads and releases the device on the thread that iterates it."""

    camera: str
    is_live: bool
    """A live source is not slowed down: frames that are not taken in time are dropped, oldest first, and counted."""

    def frames(self) -> Iterator[Frame | CameraChange]:
        """Yield frames until the material ends; a live source reconnects without end.

        Raises SourceError where a retry cannot help.
        """
        ...
