"""Passes frames from the camera threads to the recognition thread.

It passes only the newest frame of a live camera, but every frame of a file.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from harstream.wire.errors import SourceError
from harstream.wire.values import CameraChange, Frame

log = logging.getLogger(__name__)


class Inbox:
    """Holds at most one frame per camera. It never drops a camera's changes, and keeps their order.

    live:    put 1, put 2, take -> 2        (1 is dropped and counted)
    file:    put 1, put 2 waits, take -> 1, (put 2 continues)
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[str, list[Frame | CameraChange]] = defaultdict(list)
        self._readers = 0
        self._closed = False
        self._error: BaseException | None = None
        self._failed: dict[str, SourceError] = {}
        """Errors of failed sources, by camera."""
        self._unlogged: dict[str, SourceError] = {}
        """Errors that are not logged yet, by camera."""
        self.arrived: dict[str, int] = defaultdict(int)
        """Number of frames that arrived, by camera."""
        self.dropped: dict[str, int] = defaultdict(int)
        """Number of frames that a newer frame replaced, by camera."""

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
        """Add an item. The camera's thread calls it. Only a frame of a file waits until there is room.

        After `close` or a reader's error it drops the item and returns at once.
        """
        with self._changed:
            queue = self._waiting[item.camera]
            while isinstance(item, Frame) and not is_live and queue and not self._is_over():
                self._changed.wait()
            if self._is_over():
                return
            if isinstance(item, Frame):
                self.arrived[item.camera] += 1
            if isinstance(item, Frame) and is_live and queue and isinstance(queue[-1], Frame):
                queue.pop()
                self.dropped[item.camera] += 1
            queue.append(item)
            self._changed.notify_all()

    def batches(self, timeout: float | None = None) -> Iterator[list[Frame | CameraChange]]:
        """Yield all waiting items as the next batch, at most one frame per camera, until all readers end or `close`.

        After `timeout` seconds without an item it yields an empty batch. It raises a reader's error after the items
        that came before the error.
        """
        while True:
            with self._changed:
                self._changed.wait_for(self._can_continue, timeout)
                batch = [queue.pop(0) for queue in self._waiting.values() if queue]
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

    def _take_unlogged(self) -> dict[str, SourceError]:
        unlogged, self._unlogged = self._unlogged, {}
        return unlogged

    def _can_continue(self) -> bool:
        return any(self._waiting.values()) or self._is_over() or not self._readers

    def _is_over(self) -> bool:
        return self._closed or self._error is not None

    def close(self) -> None:
        """Release every thread that waits in `put` or `batches`."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
