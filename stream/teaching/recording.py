"""Records examples from the frames of a camera, one after the other, with a pause before each."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from harstream.stream.sinks.video_writer import VideoWriter
from harstream.wire.errors import SourceError
from harstream.wire.values import CameraChange, Frame


class Phase(StrEnum):
    WAITING = "waiting"
    """For pictures of the camera."""
    PAUSE = "pause"
    RECORDING = "recording"


@dataclass(frozen=True)
class RecordingPlan:
    """Two examples of 2 s with pauses of 1 s, from 10.0 on: 11.0 to 13.0, and 14.0 to 16.0."""

    number: int
    """How many examples."""
    seconds: float
    """Length of each."""
    pause: float
    """Seconds before each, in which a person takes their place."""


@dataclass(frozen=True)
class RecordingProgress:
    """What happens now."""

    camera: str
    done: int
    """Complete examples."""
    number: int
    """Of so many."""
    phase: Phase = Phase.WAITING
    seconds: int = 0
    """Whole seconds until the phase ends, rounded up. 0 while it waits."""

    def __str__(self) -> str:
        if self.phase is Phase.WAITING:
            return f"waiting for {self.camera}: the example begins again"
        now = f"starts in {self.seconds}" if self.phase is Phase.PAUSE else f"recording, {self.seconds} s"
        return f"example {self.done + 1} of {self.number}: {now}"


Show = Callable[[RecordingProgress], None]
"""Shows what happens now. It is called for each frame."""


def recorded(frames: Iterable[Frame | CameraChange], plan: RecordingPlan, folder: Path, show: Show) -> Generator[Path]:
    """Yield the file of each example when it is complete. Its name has the camera and the time.

    An example during which the camera goes offline is recorded anew. What is not complete at the end is deleted. Raises
    SourceError if the frames end too early, and SinkError.
    """
    example = _Example(plan, folder)
    camera, done = "", 0
    try:
        for item in frames:
            camera = item.camera
            if isinstance(item, CameraChange):
                if item.state.is_away:
                    show(RecordingProgress(camera, done, plan.number))
                    example.discard()
                    example = _Example(plan, folder)
                continue
            show(RecordingProgress(camera, done, plan.number, *example.add(item)))
            if example.is_complete(item.time):
                yield example.keep()
                done += 1
                if done == plan.number:
                    return
                example = _Example(plan, folder)
    finally:
        example.discard()
    raise SourceError(f"the source of {camera or 'the camera'} ended after {done} of {plan.number} examples")


class _Example:
    """The example that is recorded now."""

    def __init__(self, plan: RecordingPlan, folder: Path) -> None:
        self._plan = plan
        self._folder = folder
        self._starts = math.inf
        self._writer: VideoWriter | None = None

    def add(self, frame: Frame) -> tuple[Phase, int]:
        """Write a frame if the pause is over. Return what happens, and the seconds until it ends."""
        self._starts = min(self._starts, frame.time + self._plan.pause)
        if frame.time < self._starts:
            return Phase.PAUSE, math.ceil(self._starts - frame.time)
        if self._writer is None:
            moment = datetime.fromtimestamp(frame.time).strftime("%Y-%m-%d_%H-%M-%S")
            self._writer = VideoWriter(self._folder / f"{frame.camera}_{moment}.mp4")
        self._writer.add(frame.picture.bgr(), frame.time)
        return Phase.RECORDING, max(0, math.ceil(self._starts + self._plan.seconds - frame.time))

    def is_complete(self, time: float) -> bool:
        return time >= self._starts + self._plan.seconds

    def keep(self) -> Path:
        assert self._writer is not None
        self._writer.keep()
        kept, self._writer = self._writer.final, None
        return kept

    def discard(self) -> None:
        if self._writer is not None:
            self._writer.discard()
            self._writer = None
