"""The recognition state of one subject: window, smoothed scores and current activity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harstream.models.box import WHOLE
from harstream.stream.recognition.causal_memory import CausalMemory
from harstream.stream.recognition.protocols import CausalRecognizer, Recognizer
from harstream.stream.recognition.row_parts import HeldParts
from harstream.stream.recognition.smoothing import ExponentialMean
from harstream.stream.recognition.stillness import Stillness
from harstream.stream.recognition.tracker import Tracker
from harstream.stream.recognition.window import Window
from harstream.wire.values import EndReason, Event, Scores, Subject, Warming


class SubjectRecognition:
    """Follows what one person does, or what goes on in front of a camera if it is not known who is there."""

    def __init__(
        self,
        recognizer: Recognizer,
        tracker: Tracker,
        smoothing: ExponentialMean,
        stride: int,
        still: Stillness | None = None,
    ) -> None:
        """`stride`: every n-th row is scored. `still`: what the model makes of pictures in which nothing moves."""
        self.tracker = tracker
        self.box = WHOLE
        """Where the subject is in the picture."""
        self.scores: Scores | None = None
        """The scores of the last frame, None if no window was due."""
        self.smoothed: NDArray[np.float32] | None = None
        self._contract = recognizer.contract
        self._lookback = recognizer.lookback
        self._window = Window(self._contract.frames - self._lookback, recognizer.row_shape, recognizer.row_dtype)
        self.parts = HeldParts(recognizer.parts)
        self.memory = CausalMemory(recognizer) if isinstance(recognizer, CausalRecognizer) else None
        """What a causal network remembers of this subject. None for a model that encodes each frame by itself."""
        self._still = still
        self._still_rows = 0
        """How many of the last rows show that nothing moves."""
        self._smoothing = smoothing
        self._stride = stride
        self._since_scored = stride
        """Rows since the last scored window."""

    @property
    def knows_stillness(self) -> bool:
        """Whether the model has a row for a picture in which nothing moves."""
        return self._still is not None

    def push(self, row: NDArray[np.generic], time: float) -> bool:
        """Add the encoder's row of a frame. Return whether the window is due for scoring."""
        self._still_rows = 0
        return self._push(row, time)

    def push_still(self, time: float) -> bool:
        """Add a row that shows that nothing moves. Return whether the window is due for scoring by the model."""
        assert self._still is not None
        self._still_rows += 1
        if not self._push(self._still.row, time):
            return False
        if self._still_rows < self._window.length:
            return True
        self.receive(self._still.scores, time)
        return False

    def rows(self) -> NDArray[np.generic]:
        """Return the rows of the complete window, a view that is valid until the next push."""
        return self._window.rows()

    def receive(self, values: NDArray[np.float32], time: float) -> None:
        """Take the values (K,) as the scores of the window that ends at `time`, in seconds."""
        span = self._window.span() + self._lookback / self._contract.live_rate
        self.scores = Scores(values, time, span, self._contract.labels, self.tracker.person)

    def observe(self, time: float) -> list[Event]:
        """Update the activity after a frame at `time`, with its scores if a window was due."""
        if self.scores:
            self.smoothed = self._smoothing.update(self.scores.values, self.scores.time)
            return self.tracker.update(self.smoothed, self.scores.time, self.scores.span)
        if not self._window.is_complete():
            return self.tracker.update_without_scores(time, self._contract.span)
        return []

    def finish(self, time: float, reason: EndReason) -> list[Event]:
        """End the current activity and forget the window."""
        events = self.tracker.finish(time, reason)
        self.clear()
        self._smoothing.forget()
        self.smoothed, self.scores = None, None
        return events

    def clear(self) -> None:
        """Forget the window, after a gap."""
        self._window.clear()
        self.parts.clear()
        if self.memory:
            self.memory.clear()

    def warming(self, looked_back_to: int) -> Warming:
        """Return frames held and frames needed. The frame that the first row looks back to counts, too."""
        return Warming(len(self._window) + looked_back_to, self._contract.frames)

    def shown(self) -> Subject:
        best = () if self.smoothed is None else self.tracker.best_three
        return Subject(self.tracker.person, self.box, self.tracker.activity, best, self.scores)

    def _push(self, row: NDArray[np.generic], time: float) -> bool:
        self._window.push(self.parts.complete(row), time)
        if not self._window.is_complete():
            self.tracker.drop_candidate()
            self._since_scored = self._stride  # the first complete window is always scored
            return False
        self._since_scored += 1
        if self._since_scored < self._stride:
            return False
        self._since_scored = 0
        return True
