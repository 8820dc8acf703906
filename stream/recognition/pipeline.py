"""Frames in, steps out: no threads, no clock, no device."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harstream.models.sampling import Taken, TimeGrid
from harstream.stream.recognition.picture_check import PictureCheck
from harstream.stream.recognition.protocols import Recognizer
from harstream.stream.recognition.smoothing import ExponentialMean
from harstream.stream.recognition.tracker import Tracker
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.stream.recognition.window import Window
from harstream.wire.values import CameraChange, EndReason, Event, Frame, Notice, Scores, Step, Warming

Arrival = Frame | CameraChange


@dataclass(eq=False)
class _Camera:
    grid: TimeGrid
    window: Window
    smoothing: ExponentialMean
    tracker: Tracker
    sight: PictureCheck
    earlier: NDArray[np.uint8] | None = None
    """The last frame on the grid, as the model sees it."""
    smoothed: NDArray[np.float32] | None = None
    time: float = 0.0


class Pipeline:
    """Recognize activities in the frames of several cameras.

    One batch holds at most one frame a camera; all frames of a batch that are due are encoded together, and all
    complete windows scored together.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        tracker: Callable[[str], Tracker],
        smoothing: Callable[[], ExponentialMean],
        stride: int = 1,
    ) -> None:
        """`tracker` makes the tracker of a camera by its name. `stride`: recognize at every so manieth grid frame."""
        self._recognizer = recognizer
        self._tracker = tracker
        self._smoothing = smoothing
        self._stride = stride
        self._cameras: dict[str, _Camera] = {}
        self._since_scored: dict[str, int] = {}
        self._settings: dict[str, TrackerSettings] = {}

    @property
    def rate(self) -> float:
        """Hertz of the time grid: frames a second that the model takes of each camera."""
        return self._recognizer.contract.live_rate

    def steps(self, batches: Iterable[Sequence[Arrival]]) -> Iterator[Step]:
        """Yield one step for each arrival, in order; when the batches end, the steps that end what still goes on.

        An error that ends the batches is raised after these.
        """
        failure: list[Exception] = []
        for batch in _until_failure(batches, failure):
            frames = [arrival for arrival in batch if isinstance(arrival, Frame)]
            scored = self._recognize(frames)
            for arrival in batch:
                if isinstance(arrival, Frame):
                    yield self._observed(arrival, scored.get(arrival.camera))
                else:
                    yield self._changed(arrival)
        for name, camera in self._cameras.items():
            events = camera.tracker.finish(camera.time, EndReason.SHUTDOWN)
            if events:
                yield Step(self._notice(name, camera, events=tuple(events)), None)
        if failure:
            raise failure[0]

    def retune(self, camera: str, settings: TrackerSettings) -> None:
        """Its tracker, the one it has or will have. From any thread."""
        self._settings[camera] = settings
        if known := self._cameras.get(camera):
            known.tracker.settings = settings

    def forget(self, camera: str) -> None:
        """It is watched no more; called between two batches."""
        self._cameras.pop(camera, None)
        self._since_scored.pop(camera, None)

    def _recognize(self, frames: Sequence[Frame]) -> dict[str, Scores]:
        seen = [(frame, picture) for frame in frames if (picture := self._take(frame)) is not None]
        if not seen:
            return {}
        due = [frame for frame, _ in seen]
        rows = self._recognizer.encode(_batch([picture for _, picture in seen]))
        for frame, row in zip(due, rows, strict=True):
            self._camera(frame.camera).window.push(row, frame.time)
        ready = [frame for frame in due if self._is_ready(frame.camera)]
        if not ready:
            return {}
        windows = [self._camera(frame.camera).window for frame in ready]
        looked_back = self._recognizer.lookback / self._recognizer.contract.live_rate
        values = self._recognizer.score(_batch([window.rows() for window in windows]))
        return {
            frame.camera: Scores(score, frame.time, window.span() + looked_back, self._recognizer.contract.labels)
            for frame, score, window in zip(ready, values, windows, strict=True)
        }

    def _take(self, frame: Frame) -> NDArray[np.uint8] | None:
        """What the encoder sees of a frame on the grid; None off the grid, and where the encoder needs the frame before
        and there is none.

        A frame that is older than what is known of its camera is not taken: events would go back in time.
        """
        camera, contract = self._camera(frame.camera), self._recognizer.contract
        if frame.time < camera.time or (taken := camera.grid.take(frame.time)) is None:
            return None
        if taken is Taken.FIRST:
            camera.window.clear()
        earlier = camera.earlier if taken is Taken.NEXT else None
        camera.earlier = frame.picture.model_frame(contract.height, contract.width)
        camera.sight.see(camera.earlier, frame.time)
        if not self._recognizer.lookback:
            return camera.earlier
        return None if earlier is None else np.stack([earlier, camera.earlier])

    def _is_ready(self, name: str) -> bool:
        if not self._camera(name).window.is_complete():
            self._camera(name).tracker.doubt()
            self._since_scored[name] = self._stride  # the first complete window is always scored
            return False
        self._since_scored[name] = self._since_scored.get(name, self._stride) + 1
        if self._since_scored[name] < self._stride:
            return False
        self._since_scored[name] = 0
        return True

    def _observed(self, frame: Frame, scores: Scores | None) -> Step:
        camera = self._camera(frame.camera)
        camera.time = max(camera.time, frame.time)
        events: list[Event] = []
        if scores:
            camera.smoothed = camera.smoothing.update(scores.values, scores.time)
            events = camera.tracker.update(camera.smoothed, scores.time, scores.span)
        elif not camera.window.is_complete():
            events = camera.tracker.pass_time(camera.time, self._recognizer.contract.span)
        return Step(self._notice(frame.camera, camera, scores=scores, events=tuple(events)), frame)

    def _changed(self, change: CameraChange) -> Step:
        camera = self._camera(change.camera)
        camera.time = max(camera.time, change.time)
        events: list[Event] = []
        if change.state.is_away:
            events = camera.tracker.finish(camera.time, EndReason.CAMERA_OFFLINE)
            camera.window.clear()
            camera.earlier = None
            camera.sight = PictureCheck()
            camera.smoothing.forget()
            camera.smoothed = None
        return Step(self._notice(change.camera, camera, events=tuple(events), change=change), None)

    def _notice(
        self,
        name: str,
        camera: _Camera,
        *,
        scores: Scores | None = None,
        events: tuple[Event, ...] = (),
        change: CameraChange | None = None,
    ) -> Notice:
        return Notice(
            camera=name,
            time=camera.time,
            activity=camera.tracker.activity,
            warming=self._warming(camera),
            scores=scores,
            smoothed=camera.smoothed,
            events=events,
            change=change,
            lit=camera.sight.lit,
            unchanged=camera.sight.unchanged,
        )

    def _warming(self, camera: _Camera) -> Warming:
        """Frames held and frames needed, those that rows look back to included."""
        looked_back_to = self._recognizer.lookback if camera.earlier is not None else 0
        return Warming(len(camera.window) + looked_back_to, self._recognizer.contract.frames)

    def _camera(self, name: str) -> _Camera:
        if name not in self._cameras:
            contract = self._recognizer.contract
            rows = contract.frames - self._recognizer.lookback
            window = Window(rows, self._recognizer.row_shape, self._recognizer.row_dtype)
            tracker = self._tracker(name)
            self._cameras[name] = _Camera(
                TimeGrid(contract.live_rate), window, self._smoothing(), tracker, PictureCheck()
            )
            if name in self._settings:  # looked up last, so that what is retuned meanwhile is not lost
                tracker.settings = self._settings[name]
        return self._cameras[name]


def _batch(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """As np.stack, without a copy of a single one."""
    return np.stack(arrays) if len(arrays) > 1 else arrays[0][np.newaxis]


def _until_failure(batches: Iterable[Sequence[Arrival]], failure: list[Exception]) -> Iterator[Sequence[Arrival]]:
    """The batches; what they raise is put into `failure`, so that what was begun can be ended first."""
    arriving = iter(batches)
    while True:
        try:
            batch = next(arriving)
        except StopIteration:
            return
        except Exception as error:  # raised again by `steps`
            failure.append(error)
            return
        yield batch
