"""Shows each camera in an OpenCV window. The keys q and Esc end the run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import cv2

from harstream.stream.sinks.annotate import annotate
from harstream.wire.errors import SinkError
from harstream.wire.values import CameraState, Step

ESCAPE = 27
WINDOW_SIZE = (960, 720)
"""The size of a new window, in pixels."""
USE_LIVE_VIEW = "use the live view in a browser instead"


class Display:
    """A FrameSink. OpenCV requires one thread for all windows, so one thread must make all calls of `show`."""

    def __init__(self) -> None:
        self._on_quit: Callable[[], None] = lambda: None
        self._windows: set[str] = set()

    def start(self) -> None:
        """Check that there is a screen. It opens no window yet. Raises SinkError."""
        if not cv2.currentUIFramework():
            raise SinkError(f"this OpenCV was built without windows (opencv-python-headless): {USE_LIVE_VIEW}")
        # Without a screen, Qt ends the process instead of raising an error.
        if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise SinkError(f"there is no screen, neither DISPLAY nor WAYLAND_DISPLAY is set: {USE_LIVE_VIEW}")
        # OpenCV's copy of Qt warns several times per window about a missing folder of fonts.
        os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")

    def on_quit(self, handler: Callable[[], None]) -> None:
        """Set the handler for the keys q and Esc. Call it before the first `show`."""
        self._on_quit = handler

    def show(self, step: Step) -> None:
        window = f"harstream - {step.notice.camera}"
        if step.notice.change is not None and step.notice.change.state in (CameraState.DISABLED, CameraState.REMOVED):
            self._close(window)  # a disabled camera must not be visible
        if step.frame is None:
            return
        try:
            if window not in self._windows:
                cv2.namedWindow(window, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
                cv2.resizeWindow(window, *WINDOW_SIZE)
                self._windows.add(window)
            cv2.imshow(window, annotate(step))
            key = cv2.waitKey(1) & 0xFF
        except cv2.error as error:
            raise SinkError(
                f"the window of camera {step.notice.camera} cannot be drawn ({error.err}): {USE_LIVE_VIEW}"
            ) from error
        if key in (ord("q"), ESCAPE):
            self._on_quit()

    def is_watching(self, camera: str) -> bool:
        return True

    def close(self) -> None:
        for window in list(self._windows):
            self._close(window)

    def _close(self, window: str) -> None:
        if window in self._windows:
            cv2.destroyWindow(window)
            self._windows.discard(window)
