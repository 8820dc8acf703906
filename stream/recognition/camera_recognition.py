"""The recognition state of one camera: time grid, window, smoothed scores and current activity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harstream.models.sampling import Taken, TimeGrid
from harstream.stream.recognition.picture_check import PictureCheck
from harstream.stream.recognition.protocols import Recognizer
from harstream.stream.recognition.smoothing import ExponentialMean
from harstream.stream.recognition.tracker import Tracker
from harstream.stream.recognition.window import Window
from harstream.wire.values import CameraChange, EndReason, Event, Frame, Notice, Scores, Warming


class CameraRecognition:
    """Follows one camera. Its caller runs the model, for several cameras at once.

    For each frame the caller calls `take`, encodes the result, calls `push` with the row, scores `rows` if the window
    is due, and calls `observe`.
    """

    def __init__(
        self, name: str, recognizer: Recognizer, tracker: Tracker, smoothing: ExponentialMean, stride: int
    ) -> None:
        """`stride`: every n-th frame on the grid is scored."""
        self.tracker = tracker
        self._name = name
        self._contract = recognizer.contract
        self._lookback = recognizer.lookback
        self._smoothing = smoothing
        self._stride = stride
        self._grid = TimeGrid(self._contract.live_rate)
        self._window = Window(self._contract.frames - self._lookback, recognizer.row_shape, recognizer.row_dtype)
        self._check = PictureCheck()
        self._earlier: NDArray[np.uint8] | None = None
        """The last frame on the grid, as the model sees it."""
        self._smoothed: NDArray[np.float32] | None = None
        self._since_scored = stride
        """Rows since the last scored window."""
        self._time = 0.0

    def take(self, frame: Frame) -> NDArray[np.uint8] | None:
        """Return the encoder's input for a frame on the grid, (H, W, 3) or (2, H, W, 3) uint8 RGB.

        Returns None for a frame off the grid, and for a first frame if the encoder needs the frame before it. A frame
        older than the camera's last one is skipped, because events would go back in time.
        """
        if frame.time < self._time or (taken := self._grid.take(frame.time, frame.previous)) is None:
            return None
        if taken is Taken.FIRST:
            self._window.clear()
            self._earlier = None
        earlier, self._earlier = self._earlier, frame.picture.model_frame(self._contract.height, self._contract.width)
        self._check.update(self._earlier, frame.time)
        if not self._lookback:
            return self._earlier
        return None if earlier is None else np.stack([earlier, self._earlier])

    def push(self, row: NDArray[np.generic], time: float) -> bool:
        """Add the row of a taken frame. Return whether the window is due for scoring."""
        self._window.push(row, time)
        if not self._window.is_complete():
            self.tracker.drop_candidate()
            self._since_scored = self._stride  # the first complete window is always scored
            return False
        self._since_scored += 1
        if self._since_scored < self._stride:
            return False
        self._since_scored = 0
        return True

    def rows(self) -> NDArray[np.generic]:
        """Return the rows of the complete window, a view that is valid until the next push."""
        return self._window.rows()

    def scores(self, values: NDArray[np.float32], time: float) -> Scores:
        """Return the values (K,) as the scores of the window that ends at `time`, in seconds."""
        span = self._window.span() + self._lookback / self._contract.live_rate
        return Scores(values, time, span, self._contract.labels)

    def observe(self, frame: Frame, scores: Scores | None) -> Notice:
        """Update the activity after a frame. `scores` is None if no window was due."""
        self._time = max(self._time, frame.time)
        events: list[Event] = []
        if scores:
            self._smoothed = self._smoothing.update(scores.values, scores.time)
            events = self.tracker.update(self._smoothed, scores.time, scores.span)
        elif not self._window.is_complete():
            events = self.tracker.update_without_scores(self._time, self._contract.span)
        return self._notice(events, scores=scores)

    def change(self, change: CameraChange) -> Notice:
        """Record the camera's new state. If it sends no frames in that state, end the activity and clear the window."""
        self._time = max(self._time, change.time)
        events: list[Event] = []
        if change.state.is_away:
            events = self.tracker.finish(self._time, EndReason.CAMERA_OFFLINE)
            self._window.clear()
            self._earlier = None
            self._check = PictureCheck()
            self._smoothing.forget()
            self._smoothed = None
        return self._notice(events, change=change)

    def finish(self) -> Notice | None:
        """End the current activity at the end of the stream. Returns None if there is no activity."""
        events = self.tracker.finish(self._time, EndReason.SHUTDOWN)
        return self._notice(events) if events else None

    def _notice(
        self, events: Sequence[Event], *, scores: Scores | None = None, change: CameraChange | None = None
    ) -> Notice:
        return Notice(
            camera=self._name,
            time=self._time,
            activity=self.tracker.activity,
            warming=self._warming(),
            scores=scores,
            smoothed=self._smoothed,
            best=() if self._smoothed is None else self.tracker.best_three,
            events=tuple(events),
            change=change,
            lit=self._check.lit,
            unchanged=self._check.unchanged,
        )

    def _warming(self) -> Warming:
        """Return frames held and frames needed. The frame that the first row looks back to counts, too."""
        looked_back_to = self._lookback if self._earlier is not None else 0
        return Warming(len(self._window) + looked_back_to, self._contract.frames)
