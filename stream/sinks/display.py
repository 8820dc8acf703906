"""Shows each camera in an OpenCV window; q or Esc ends the run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import cv2

from harstream.stream.sinks.annotate import annotate
from harstream.wire.errors import SinkError
from harstream.wire.values import CameraState, Step

ESCAPE = 27
SIZE = (960, 720)
"""The size of a new window, in pixels."""
INSTEAD = "use the live view in a browser instead"


class Display:
    """A FrameSink. OpenCV requires one thread for all of its windows: the thread that calls `show`."""

    def __init__(self) -> None:
        self._on_quit: Callable[[], None] = lambda: None
        self._windows: set[str] = set()

    def start(self) -> None:
        """Opens no window yet. Raises SinkError when there is no screen."""
        if not cv2.currentUIFramework():
            raise SinkError(f"this OpenCV was built without windows (opencv-python-headless): {INSTEAD}")
        # Without a screen Qt does not raise, it ends the process.
        if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise SinkError(f"there is no screen, neither DISPLAY nor WAYLAND_DISPLAY is set: {INSTEAD}")
        # OpenCV's own Qt warns several times per window about a missing folder of fonts.
        os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")

    def on_quit(self, handler: Callable[[], None]) -> None:
        """Before the first `show`. The handler is called each time that somebody presses q or Esc."""
        self._on_quit = handler

    def show(self, step: Step) -> None:
        window = f"harstream - {step.notice.camera}"
        if step.notice.change is not None and step.notice.change.state in (CameraState.DISABLED, CameraState.REMOVED):
            self._close(window)  # nobody may look through it any more
        if step.frame is None:
            return
        try:
            if window not in self._windows:
                cv2.namedWindow(window, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
                cv2.resizeWindow(window, *SIZE)
                self._windows.add(window)
            cv2.imshow(window, annotate(step))
            key = cv2.waitKey(1) & 0xFF
        except cv2.error as error:
            raise SinkError(
                f"the window of camera {step.notice.camera} cannot be drawn ({error.err}): {INSTEAD}"
            ) from error
        if key in (ord("q"), ESCAPE):
            self._on_quit()

    def close(self) -> None:
        for window in list(self._windows):
            self._close(window)

    def _close(self, window: str) -> None:
        if window in self._windows:
            cv2.destroyWindow(window)
            self._windows.discard(window)
