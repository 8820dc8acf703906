"""Records examples with a camera of a running service, from the pictures that it reads anyway."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from harstream.stream.teaching.recording import RecordingPlan, RecordingProgress, recorded
from harstream.wire.errors import ControlError, HarstreamError
from harstream.wire.values import CameraChange, Frame, Step

MOST_WAITING = 50
"""Pictures that may wait for the encoder. Further ones are left out of the video."""
STOP_CHECKS = 0.2
"""Seconds between two looks whether to stop, while no picture comes."""
Item = Frame | CameraChange


class ExampleRecorder:
    """A FrameSink that passes pictures to a thread of its own, which writes them. It records one activity at a time."""

    def __init__(self) -> None:
        self._items: queue.Queue[Item] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._starting = threading.Lock()
        self._progress: RecordingProgress | None = None
        self.failure = ""
        """Why the last recording ended too early, in one line. Empty if it did not."""

    @property
    def progress(self) -> RecordingProgress | None:
        """What is recorded now. None if nothing is."""
        return self._progress

    def record(self, camera: str, plan: RecordingPlan, keep: Callable[[Path], object]) -> None:
        """Start to record. `keep` is called on the recorder's thread with each file, which is deleted afterwards.

        Raises ControlError while it records already.
        """
        with self._starting:
            if self._progress is not None:
                raise ControlError("expected to record one activity at a time, and one is recorded now")
            self._join()
            self._items = queue.Queue(MOST_WAITING)
            self._stopping.clear()
            self.failure, self._progress = "", RecordingProgress(camera, 0, plan.number)
            self._thread = threading.Thread(target=self._run, args=(self._items, plan, keep), name="examples")
            self._thread.start()

    def stop(self) -> None:
        """End the recording soon. Complete examples are kept."""
        self._stopping.set()

    def show(self, step: Step) -> None:
        now, item = self._progress, step.notice.change or step.frame
        if now is None or item is None or now.camera != step.notice.camera:
            return
        with suppress(queue.Full):  # the video has each picture's own time, so it stays right
            self._items.put_nowait(item)

    def is_watching(self, camera: str) -> bool:
        return (now := self._progress) is not None and now.camera == camera

    def close(self) -> None:
        self.stop()
        self._join()

    def _run(self, items: queue.Queue[Item], plan: RecordingPlan, keep: Callable[[Path], object]) -> None:
        try:
            with TemporaryDirectory() as folder:
                frames = self._until_stopped(items)
                with closing(recorded(frames, plan, Path(folder), self._set_progress)) as files:
                    for file in files:
                        keep(file)
                        file.unlink()
        except (HarstreamError, OSError) as error:
            self.failure = "" if self._stopping.is_set() else str(error)
        finally:
            self._progress = None

    def _set_progress(self, now: RecordingProgress) -> None:
        self._progress = now

    def _until_stopped(self, items: queue.Queue[Item]) -> Iterator[Item]:
        while not self._stopping.is_set():
            with suppress(queue.Empty):
                yield items.get(timeout=STOP_CHECKS)

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None
