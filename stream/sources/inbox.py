"""Passes the frames that recognition needs from the camera threads to the recognition thread."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from harstream.stream.sources.camera_queue import CameraQueue
from harstream.stream.sources.turns import Turns
from harstream.wire.errors import SourceError
from harstream.wire.values import CameraChange, Frame

HELD = 2.0
"""Seconds of frames on the time grid that may wait per live camera, or a window's frames if those are more.

Frames of a slow network come in bursts.
"""
BEHIND = 1.0
"""Seconds for which a frame of a live camera waits before another camera is paused."""
LONGEST_FILE_WAIT = 1.0
"""Seconds after which a file gets its turn even if live cameras wait."""
log = logging.getLogger(__name__)


class Inbox:
    """Passes each frame on the time grid, and the newest other frame of a watched camera. It keeps changes in order.

    A frame off the grid costs no wake-up if nobody watches the camera. If recognition falls behind by more than a
    second, one live camera at a time loses its frames, and files wait. A camera that is too fast alone keeps the frames
    of a whole window, and takes further ones after those. A file loses no frame.

    grid of 10 Hz, put:        0.00  0.04  0.08  0.10   then two batches
    of a camera:               0.00  0.10
    of a watched camera:       0.00  0.10               (0.08, if it was taken before 0.10 came)
    """

    def __init__(
        self, rate: float, is_watched: Callable[[str], bool] = lambda camera: False, *, window: int = 1
    ) -> None:
        """`rate`: hertz of the time grid. `is_watched`: whether somebody sees every frame of a camera; any thread.

        `window`: the number of frames of a window.
        """
        self._is_watched = is_watched
        self._most_held = max(round(HELD * rate) + 1, window)
        self._changed = threading.Condition()
        self._rate = rate
        self._queues: dict[str, CameraQueue] = {}
        self._turns = Turns(monotonic)
        self._files_served_at = monotonic()
        self._readers = 0
        self._closed = False
        self._error: BaseException | None = None
        self._failed: dict[str, SourceError] = {}
        """Errors of failed sources, by camera."""
        self._unlogged: dict[str, SourceError] = {}
        """Errors that are not logged yet, by camera."""
        self.arrived: dict[str, int] = defaultdict(int)
        """Number of frames that arrived, by camera."""
        self.needed: dict[str, int] = defaultdict(int)
        """Number of frames on the time grid that arrived, by camera."""
        self.dropped: dict[str, int] = defaultdict(int)
        """Number of frames on the time grid that were dropped, because recognition was too slow, by camera."""

    @contextmanager
    def reader(self, camera: str) -> Iterator[None]:
        """Run a camera's thread inside this context; `batches` raises its error again.

        `batches` raises a SourceError, which concerns one camera only, after all other readers have ended. It raises
        any other error as soon as it has yielded the earlier items.
        """
        failed: dict[str, SourceError] = {}
        try:
            yield
        except SourceError as error:
            failed[camera] = error
        except BaseException as error:
            with self._changed:
                self._error = self._error or error
        finally:
            with self._changed:
                self._failed |= failed
                self._unlogged |= failed
                self._readers -= 1
                self._changed.notify_all()

    def expect_reader(self, camera: str) -> None:
        """Count a reader before its thread starts, so that `batches` does not end too early.

        It drops the failure of an earlier reader of this camera.
        """
        with self._changed:
            self._readers += 1
            self._failed.pop(camera, None)

    def put(self, item: Frame | CameraChange, *, is_live: bool) -> None:
        """Add an item. The camera's thread calls it. A frame of a file waits until there is room.

        After `close` or a reader's error it drops the item and returns at once.
        """
        queue = self._queue(item.camera)
        if isinstance(item, CameraChange):
            self._put_change(item, queue)
            return
        self.arrived[item.camera] += 1
        if (needed := queue.next_needed(item)) is not None:
            self._put_needed(needed, queue, is_live=is_live)
        elif self._is_watched(item.camera):
            self._put_other(item, queue, is_live=is_live)

    def _put_change(self, change: CameraChange, queue: CameraQueue) -> None:
        with self._changed:
            if self._is_over():
                return
            if change.state.is_away:
                self._turns.remove(change.camera)
            queue.put(change)
            self._changed.notify_all()

    def _put_needed(self, frame: Frame, queue: CameraQueue, *, is_live: bool) -> None:
        with self._changed:
            queue.is_live = is_live
            if is_live:
                self._pause_if_behind(frame.camera, queue)
            else:
                self._changed.wait_for(lambda: not queue.frames or self._is_over())
            if self._is_over():
                return
            self.needed[frame.camera] += 1
            if self._turns.is_paused(frame.camera) or queue.is_draining:
                self.dropped[frame.camera] += 1
                return
            queue.put(frame)
            self._changed.notify_all()

    def _put_other(self, frame: Frame, queue: CameraQueue, *, is_live: bool) -> None:
        with self._changed:
            if not is_live:
                self._changed.wait_for(lambda: not queue or self._is_over())
            if not (self._is_over() or self._turns.is_paused(frame.camera)):
                queue.put_other(frame)
                self._changed.notify_all()

    def _pause_if_behind(self, camera: str, queue: CameraQueue) -> None:
        """Pause a live camera if recognition is behind. Let this one drain if too many of its frames wait."""
        self._turns.resume_due()
        self._turns.add(camera)
        if queue.waited > BEHIND and (paused := self._turns.pause_longest_served()):
            slow = self._queues[paused]
            self.dropped[paused] += 0 if slow.is_draining else slow.drop_frames()
        if queue.frames >= self._most_held:
            queue.drain()

    def _queue(self, camera: str) -> CameraQueue:
        if camera not in self._queues:
            with self._changed:
                self._queues.setdefault(camera, CameraQueue(self._rate))
        return self._queues[camera]

    def batches(self, timeout: float | None = None) -> Iterator[list[Frame | CameraChange]]:
        """Yield all waiting items as the next batch, at most one frame per camera, until all readers end or `close`.

        After `timeout` seconds without an item it yields an empty batch. It raises a reader's error after the items
        that came before the error.
        """
        while True:
            with self._changed:
                self._changed.wait_for(self._can_continue, timeout)
                batch = self._take_batch()
                self._changed.notify_all()
                if not batch and self._error:
                    raise self._error
                if self._closed:
                    return
                is_over = not (batch or self._readers)
                failure = next(reversed(self._failed.values()), None) if is_over else None
                unlogged = self._take_unlogged() if is_over or self._readers else {}
            for camera, error in unlogged.items():
                if error is not failure:
                    others = "" if is_over else "; the other cameras continue"
                    log.error("%s%s", error, others, extra={"camera": camera})
            if failure is not None:
                raise failure
            if is_over:
                return
            yield batch

    def _take_batch(self) -> list[Frame | CameraChange]:
        """Take one item of each camera. Files wait while live cameras have more than one frame waiting."""
        waiting = [queue for queue in self._queues.values() if queue]
        is_behind = any(queue.is_live and queue.frames > 1 for queue in waiting)
        if is_behind and monotonic() - self._files_served_at < LONGEST_FILE_WAIT:
            return [queue.pop() for queue in waiting if queue.is_live]
        self._files_served_at = monotonic()
        return [queue.pop() for queue in waiting]

    def _take_unlogged(self) -> dict[str, SourceError]:
        unlogged, self._unlogged = self._unlogged, {}
        return unlogged

    def _can_continue(self) -> bool:
        return any(self._queues.values()) or self._is_over() or not self._readers

    def _is_over(self) -> bool:
        return self._closed or self._error is not None

    def close(self) -> None:
        """Release every thread that waits in `put` or `batches`."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
