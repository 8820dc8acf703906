"""Decides which live cameras lose frames while the machine cannot keep up: whole cameras in turn, not all a little."""

from __future__ import annotations

from collections.abc import Callable

TURN = 5.0
"""Seconds after which a paused camera comes back. A window needs about half of it."""
PATIENCE = 1.0
"""Seconds between two pauses. The pause of one camera needs some time to help the others."""


class Turns:
    """Pauses the camera that has been served longest, and lets the one that has waited longest come back.

    If every camera lost some frames, no camera would ever have a complete window. It is not thread-safe.

    too slow for:        a    b    c    (no more than two cameras at once)
    served:         abc  bc   ca   ab
    """

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` returns seconds."""
        self._now = now
        self._served: dict[str, None] = {}
        """The served cameras, the one that has been served longest first."""
        self._paused: dict[str, None] = {}
        """The paused cameras, the one that has waited longest first."""
        self._changed_at = float("-inf")

    def is_paused(self, camera: str) -> bool:
        return camera in self._paused

    def add(self, camera: str) -> None:
        """Serve a camera, unless it is known already."""
        if camera not in self._paused:
            self._served.setdefault(camera)

    def remove(self, camera: str) -> None:
        """Forget a camera that sends no frames any more."""
        self._served.pop(camera, None)
        self._paused.pop(camera, None)

    def pause_longest_served(self) -> str | None:
        """Pause a camera and return it. Return None if it is the only one, or if the last change is too new."""
        if len(self._served) < 2 or self._now() - self._changed_at < PATIENCE:
            return None
        longest = next(iter(self._served))
        del self._served[longest]
        self._paused[longest] = None
        self._changed_at = self._now()
        return longest

    def resume_due(self) -> None:
        """Serve the camera again that has waited longest, if the last change is a turn ago."""
        if self._paused and self._now() - self._changed_at >= TURN:
            longest = next(iter(self._paused))
            del self._paused[longest]
            self._served[longest] = None
            self._changed_at = self._now()
