"""The recognition state of one camera: time grid, what the model sees of its pictures, and its subjects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harstream.models.sampling import Taken, TimeGrid
from harstream.stream.recognition.picture_check import PictureCheck
from harstream.stream.recognition.protocols import Recognizer
from harstream.stream.recognition.subject_recognition import SubjectRecognition
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.stream.recognition.views.encoder_input import EncoderInput
from harstream.stream.recognition.views.motion import Motion
from harstream.stream.recognition.views.settings import ViewSettings
from harstream.stream.recognition.views.view import NewView, PictureView, Sight, View
from harstream.wire.values import CameraChange, EndReason, Event, Frame, Notice

NewSubject = Callable[[], SubjectRecognition]


class Taking(NamedTuple):
    """What the model must see of a subject in a frame."""

    subject: SubjectRecognition
    cut: NDArray[np.uint8] | None
    """The encoder's input, (H, W, 3) or (2, H, W, 3) uint8 RGB. None if nothing moves."""
    larger: Mapping[int, NDArray[np.uint8]]
    """The pictures of the parts that are due, (*size, 3) uint8 RGB, by the number of the part."""


LEAD = 0.2
"""How much more certain another person must be for the camera to show theirs. Else it would change with each window."""

MEMORY = 3.0
"""Seconds without a frame after which it is no longer known who is where. A shorter gap only empties the windows."""


class CameraRecognition:
    """Follows one camera. Its caller runs the model, for several cameras at once.

    For each frame the caller calls `take`. For each subject that it returns, the caller encodes the input and calls
    `push` with the row, or `push_still`, and scores `rows` if the window is due. Then it calls `observe`.
    """

    def __init__(self, name: str, recognizer: Recognizer, new_view: NewView, new_subject: NewSubject) -> None:
        self._name = name
        self._contract = recognizer.contract
        self._parts = recognizer.parts
        self._new_view = new_view
        self._view_settings = ViewSettings()
        self._view: View = PictureView()
        self._new_subject = new_subject
        self._grid = TimeGrid(self._contract.live_rate)
        self._input = EncoderInput(self._contract, recognizer.lookback)
        self._motion = Motion(self._contract.frames)
        self._check = PictureCheck()
        self._subjects: dict[int | None, SubjectRecognition] = {None: new_subject()}
        """By the number of the person. None: it is not known who is there, or whether anybody is."""
        self._foremost = self._subjects[None]
        """The subject whose activity is that of the camera."""
        self._ended: list[Event] = []
        """The ends of activities of people who left."""
        self._time = 0.0

    @property
    def has_activity(self) -> bool:
        return any(subject.tracker.certainty[0] for subject in self._subjects.values())

    def set_tracker_settings(self, settings: TrackerSettings) -> None:
        for subject in self._subjects.values():
            subject.tracker.settings = settings

    def set_view(self, settings: ViewSettings) -> None:
        """Change what the model sees from the next frame on. A change clears the windows."""
        if settings == self._view_settings:
            return
        self._clear_windows()
        self._view_settings = settings
        self._view = self._new_view(settings)

    def take(self, frame: Frame) -> list[Taking]:
        """Return the subjects in a frame on the grid.

        Returns nothing for a frame off the grid, and for a first frame if the encoder needs the frame before it. A
        frame older than the camera's last one is skipped, because events would go back in time.
        """
        self._forget_scores()
        if frame.time < self._time or (taken := self._grid.take(frame.time, frame.previous)) is None:
            return []
        if taken is Taken.FIRST:
            self._clear_windows()
            if frame.time - self._time > MEMORY:
                self._view.clear()
        self._input.advance(frame.picture)
        overview = self._input.frame(self._view.region)
        self._check.update(overview, frame.time)
        self._motion.update(overview)
        self._follow(self._view.update(frame.picture, self._motion, frame.time))
        if not self._input.is_ready:
            return []
        takings = [self._taking(subject) for subject in self._subjects.values()]
        self._input.release()
        return takings

    def observe(self, frame: Frame) -> Notice:
        """Update the activities after a frame."""
        self._time = max(self._time, frame.time)
        events, self._ended = self._ended, []
        for subject in self._subjects.values():
            events += subject.observe(self._time)
        return self._notice(events)

    def change(self, change: CameraChange) -> Notice:
        """Record the camera's new state. If it sends no frames in that state, end its activities and clear all."""
        self._time = max(self._time, change.time)
        self._forget_scores()
        events: list[Event] = []
        if change.state.is_away:
            events = self._finish(EndReason.CAMERA_OFFLINE)
            self._clear_windows()
            self._view.clear()
            self._follow((Sight(None, self._view.region),))
            self._check = PictureCheck()
        return self._notice(events, change=change)

    def finish(self) -> Notice | None:
        """End all activities at the end of the stream. Returns None if there is none."""
        events = self._finish(EndReason.SHUTDOWN)
        return self._notice(events) if events else None

    def _taking(self, subject: SubjectRecognition) -> Taking:
        if self._motion.is_quiet and subject.knows_stillness:
            return Taking(subject, None, {})
        larger = {part: self._input.larger(subject.box, self._parts[part].size) for part in subject.parts.due()}
        return Taking(subject, self._input.cut(subject.box, self._shift()), larger)

    def _shift(self) -> tuple[float, float]:
        """Return how far the picture moved since the one before, to the right and down, in shares of the picture."""
        right, down = self._motion.shift
        return right * self._view.region.width, down * self._view.region.height

    def _finish(self, reason: EndReason) -> list[Event]:
        return [event for subject in self._subjects.values() for event in subject.finish(self._time, reason)]

    def _forget_scores(self) -> None:
        for subject in self._subjects.values():
            subject.scores = None

    def _clear_windows(self) -> None:
        self._input.clear()
        self._motion.clear()
        for subject in self._subjects.values():
            subject.clear()

    def _follow(self, sights: Sequence[Sight]) -> None:
        """Keep a subject per sight. End the activities of people who left.

        The first person who is found, the one in the largest box, goes on with the window and the activity of the
        subject that nobody knew. When the last person is lost, that subject goes on with theirs.
        """
        seen = {sight.person: sight.box for sight in sights}
        gone = {person: subject for person, subject in self._subjects.items() if person not in seen}
        new = sorted((person for person in seen if person not in self._subjects), key=lambda who: -seen[who].area)
        kept = {person: subject for person, subject in self._subjects.items() if person in seen}
        if not kept and gone:
            heir = max(gone, key=lambda who: gone[who].tracker.certainty)
            kept[new.pop(0)] = gone.pop(heir)
        for subject in gone.values():
            self._ended += subject.finish(self._time, EndReason.PERSON_LEFT)
        for person in new:
            kept[person] = self._new_subject()
        for person, subject in kept.items():
            subject.tracker.person, subject.box = person, seen[person]
        self._subjects = kept

    def _most_certain(self) -> SubjectRecognition:
        """Return the subject whose activity is that of the camera: the last one, unless another is more certain."""
        best = max(self._subjects.values(), key=lambda subject: subject.tracker.certainty)
        last = self._foremost
        if last not in self._subjects.values() or best.tracker.certainty[0] > last.tracker.certainty[0]:
            return best
        return best if best.tracker.certainty[1] > last.tracker.certainty[1] + LEAD else last

    def _notice(self, events: Sequence[Event], *, change: CameraChange | None = None) -> Notice:
        self._foremost = foremost = self._most_certain()
        shown = foremost.shown()
        return Notice(
            camera=self._name,
            time=self._time,
            activity=shown.activity,
            warming=foremost.warming(self._input.held),
            scores=foremost.scores,
            smoothed=foremost.smoothed,
            best=shown.best,
            events=tuple(events),
            change=change,
            person=shown.person,
            subjects=tuple(subject.shown() for subject in self._subjects.values()),
            watched=self._view.region,
            lit=self._check.lit,
            unchanged=self._check.unchanged,
        )
