"""The frames and changes of one camera that wait for recognition."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from time import monotonic

from harstream.models.sampling import TimeGrid
from harstream.wire.values import CameraChange, Frame


class CameraQueue:
    """Keeps frames on the time grid and changes in order, and of the other frames the newest.

    Its users share a lock, except for `next_needed`, which only the camera's own thread calls.

    grid of 10 Hz, put:   0.00  0.04  0.08  0.10
    waiting:              0.00              0.10
    newest other frame:         0.04  0.08  ~
    """

    def __init__(self, rate: float) -> None:
        """`rate`: hertz of the grid."""
        self.is_live = True
        """Whether the last frame came from a live camera, not from a file."""
        self.is_draining = False
        """Whether the camera takes no frame until all waiting ones are taken."""
        self.frames = 0
        """Number of waiting frames on the grid."""
        self._grid = TimeGrid(rate)
        self._last: float | None = None
        """The time of the camera's last frame."""
        self._waiting: deque[tuple[float, Frame | CameraChange]] = deque()
        """Each item with the time at which it was put here."""
        self._other: Frame | None = None
        self._follows_gap = False

    def __len__(self) -> int:
        return len(self._waiting) + (self._other is not None)

    @property
    def waited(self) -> float:
        """Seconds for which the oldest item has waited."""
        return monotonic() - self._waiting[0][0] if self._waiting else 0.0

    def next_needed(self, frame: Frame) -> Frame | None:
        """Advance the grid to the camera's next frame. Return it for `put` if recognition needs it, else None."""
        previous, self._last = self._last, frame.time
        return None if self._grid.take(frame.time) is None else replace(frame, previous=previous)

    def put(self, item: Frame | CameraChange) -> None:
        """Add a frame of `next_needed`, or a change. It supersedes a frame off the grid."""
        self._other = None
        if isinstance(item, Frame):
            self.frames += 1
            if self._follows_gap:
                self._follows_gap, item = False, replace(item, previous=None)
        self._waiting.append((monotonic(), item))

    def put_other(self, frame: Frame) -> None:
        """Replace the newest frame off the grid."""
        self._other = frame

    def pop(self) -> Frame | CameraChange:
        """Remove and return the next item. Raises IndexError if there is none."""
        if not self._waiting and self._other is not None:
            other, self._other = self._other, None
            return other
        _, item = self._waiting.popleft()
        self.frames -= isinstance(item, Frame)
        self.is_draining = self.is_draining and self.frames > 0
        return item

    def drain(self) -> None:
        """Take no frame until all waiting ones are taken. The next frame then follows a gap."""
        self.is_draining = self._follows_gap = True

    def drop_frames(self) -> int:
        """Remove all frames, so that the next frame follows a gap. Return the number of those on the grid."""
        dropped, self.frames, self._other, self._follows_gap = self.frames, 0, None, True
        self._waiting = deque(entry for entry in self._waiting if isinstance(entry[1], CameraChange))
        return dropped
