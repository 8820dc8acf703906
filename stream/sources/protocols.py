"""The interface between a camera's device and the service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from harstream.wire.values import CameraChange, Frame


class FrameSource(Protocol):
    """One camera. Its generator opens, reads and releases the device on the thread that iterates it."""

    camera: str
    is_live: bool
    """Whether the inbox drops and counts frames of this source that recognition does not take in time."""

    def frames(self) -> Iterator[Frame | CameraChange]:
        """Yield frames until the recording ends. A live source reconnects forever.

        Raises SourceError if a retry cannot help.
        """
        ...
