"""The pipeline from frames to recognition steps, without threads, clock or device."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harstream.stream.recognition.camera_recognition import CameraRecognition
from harstream.stream.recognition.protocols import Recognizer
from harstream.stream.recognition.smoothing import ExponentialMean
from harstream.stream.recognition.stillness import stillness
from harstream.stream.recognition.subject_recognition import SubjectRecognition
from harstream.stream.recognition.tracker import Tracker
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.stream.recognition.views.settings import ViewSettings
from harstream.stream.recognition.views.view import NewView, view_without_network
from harstream.wire.errors import ModelError
from harstream.wire.values import CameraChange, Frame, Step

Arrival = Frame | CameraChange


class Pipeline:
    """Recognizes activities in the frames of several cameras.

    A batch holds at most one frame per camera. The pipeline encodes all frames on the grid together, and scores all
    windows that are due together.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        tracker: Callable[[str], Tracker],
        smoothing: Callable[[], ExponentialMean],
        stride: int = 1,
        view: ViewSettings = ViewSettings(),
        new_view: NewView = view_without_network,
    ) -> None:
        """`tracker` makes a tracker from a camera's name. `stride`: every n-th frame on the grid is scored.

        `view` is for cameras for which `set_view` is not called.
        """
        self._recognizer = recognizer
        self._tracker = tracker
        self._smoothing = smoothing
        self._stride = stride
        self._still = stillness(recognizer)
        self._view = view
        self._new_view = new_view
        self._cameras: dict[str, CameraRecognition] = {}
        self._settings: dict[str, TrackerSettings] = {}
        self._views: dict[str, ViewSettings] = {}

    @property
    def rate(self) -> float:
        """Rate of the time grid in hertz: frames per second that the model takes of each camera."""
        return self._recognizer.contract.live_rate

    @property
    def window(self) -> int:
        """Number of frames of a window."""
        return self._recognizer.contract.frames

    def steps(self, batches: Iterable[Sequence[Arrival]]) -> Iterator[Step]:
        """Yield one step per arrival, in order, and at the end one step per activity that is still open.

        An error that ends the batches is raised after the last step.
        """
        failure: list[Exception] = []
        for batch in _until_failure(batches, failure):
            self._recognize([arrival for arrival in batch if isinstance(arrival, Frame)])
            for arrival in batch:
                camera = self._camera(arrival.camera)
                if isinstance(arrival, Frame):
                    yield Step(camera.observe(arrival), arrival)
                else:
                    yield Step(camera.change(arrival), None)
        for camera in self._cameras.values():
            if notice := camera.finish():
                yield Step(notice, None)
        if failure:
            raise failure[0]

    @property
    def has_activity(self) -> bool:
        """Whether a camera sees an activity now. Only the thread that iterates over `steps` may ask."""
        return any(camera.has_activity for camera in self._cameras.values())

    def set_tracker_settings(self, camera: str, settings: TrackerSettings) -> None:
        """Replace the tracker settings of a camera, from its next frame on. Callable from any thread."""
        self._settings[camera] = settings

    def set_view(self, camera: str, settings: ViewSettings) -> None:
        """Replace what the model sees of a camera, from its next frame on. Callable from any thread."""
        self._views[camera] = settings

    def forget(self, camera: str) -> None:
        """Remove a camera that is no longer watched. Call it between two batches only."""
        self._cameras.pop(camera, None)

    def _recognize(self, frames: Sequence[Frame]) -> None:
        """Give the subjects in these frames their scores, if their windows are due."""
        seen = [(frame.time, *taking) for frame in frames for taking in self._camera(frame.camera).take(frame)]
        due = [(subject, time) for time, subject, cut, _ in seen if cut is None and subject.push_still(time)]
        moving = [(subject, time, cut) for time, subject, cut, _ in seen if cut is not None]
        self._update_parts([(subject, larger) for _, subject, _, larger in seen if larger])
        if moving:
            pushed = zip(moving, self._rows(moving), strict=True)
            due += [(subject, time) for (subject, time, _), row in pushed if subject.push(row, time)]
        if not due:
            return
        values = self._run(self._recognizer.score, _batch([subject.rows() for subject, _ in due]))
        for (subject, time), value in zip(due, values, strict=True):
            subject.receive(value, time)

    def _rows(
        self, moving: Sequence[tuple[SubjectRecognition, float, NDArray[np.uint8]]]
    ) -> Iterable[NDArray[np.generic]]:
        """Return the row of each subject's frame. A causal network sees it after the subject's earlier frames."""
        remembered = [self._run(subject.memory.row, cut) for subject, _, cut in moving if subject.memory]
        return remembered or self._run(self._recognizer.encode, _batch([cut for _, _, cut in moving]))

    def _update_parts(self, seen: Sequence[tuple[SubjectRecognition, Mapping[int, NDArray[np.uint8]]]]) -> None:
        """Give the subjects the numbers of these pictures, which are by the number of the part."""
        for number, part in enumerate(self._recognizer.parts):
            pictures = [(subject, larger[number]) for subject, larger in seen if number in larger]
            if pictures:
                numbers = self._run(part.see, _batch([picture for _, picture in pictures]))
                for (subject, _), one in zip(pictures, numbers, strict=True):
                    subject.parts.hold(number, one)

    def _run(self, stage: Callable[[NDArray[Any]], NDArray[Any]], batch: NDArray[Any]) -> NDArray[Any]:
        """Run a stage of the model. Raises ModelError if it fails, for example because the memory is full."""
        try:
            return stage(batch)
        except Exception as error:  # each engine has exceptions of its own, without a common base
            reason = (str(error) or repr(error)).splitlines()[0]
            raise ModelError(f"the model {self._recognizer.contract.name} failed while it ran: {reason}") from error

    def _camera(self, name: str) -> CameraRecognition:
        view = self._views.get(name, self._view)
        if name not in self._cameras:
            new_subject = partial(self._new_subject, name)
            self._cameras[name] = CameraRecognition(name, self._recognizer, self._new_view, new_subject)
        camera = self._cameras[name]
        camera.set_view(view)
        if name in self._settings:
            camera.set_tracker_settings(self._settings[name])
        return camera

    def _new_subject(self, camera: str) -> SubjectRecognition:
        return SubjectRecognition(self._recognizer, self._tracker(camera), self._smoothing(), self._stride, self._still)


def _batch(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Stack arrays. A single array is not copied."""
    return np.stack(arrays) if len(arrays) > 1 else arrays[0][np.newaxis]


def _until_failure(batches: Iterable[Sequence[Arrival]], failure: list[Exception]) -> Iterator[Sequence[Arrival]]:
    """Yield the batches. Put their exception into `failure`, so that `steps` ends the activities first."""
    arriving = iter(batches)
    while True:
        try:
            batch = next(arriving)
        except StopIteration:
            return
        except Exception as error:  # `steps` raises it again
            failure.append(error)
            return
        yield batch
