"""Hands frames from the camera threads to the recognition thread: the newest of a live camera, every one of a file."""

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
    """Holds at most one frame per camera; changes of a camera are never dropped and keep their place.

    live:    put 1, put 2, take -> 2        (1 is dropped and counted)
    file:    put 1, put 2 waits, take -> 1, (put 2 goes on)
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[str, list[Frame | CameraChange]] = defaultdict(list)
        self._readers = 0
        self._closed = False
        self._error: BaseException | None = None
        self._failed: dict[str, SourceError] = {}
        """By camera: the errors of sources that failed while others continued."""
        self._untold: dict[str, SourceError] = {}
        """By camera: the errors that are not in the log yet."""
        self.arrived: dict[str, int] = defaultdict(int)
        """By camera: the number of frames that came."""
        self.dropped: dict[str, int] = defaultdict(int)
        """By camera: the number of frames that a newer one replaced."""

    @contextmanager
    def reader(self, camera: str) -> Iterator[None]:
        """A context for a camera's thread; `batches` raises again what is raised inside.

        It raises a SourceError, which concerns this camera alone, when all other readers have ended. It raises any
        other error as soon as everything before it is taken.
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
                self._untold |= failed
                self._readers -= 1
                self._changed.notify_all()

    def expect_reader(self, camera: str) -> None:
        """Count a reader before its thread starts, so that `batches` does not end too early.

        The failure of an earlier reader of this camera is forgotten.
        """
        with self._changed:  # other readers may be running or ending
            self._readers += 1
            self._failed.pop(camera, None)

    def put(self, item: Frame | CameraChange, *, is_live: bool) -> None:
        """Hand over an item, on the camera's own thread. Only a frame of a file waits for room.

        After `close` or a reader's error it returns at once, and the item is dropped.
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

    def batches(self, patience: float | None = None) -> Iterator[list[Frame | CameraChange]]:
        """Yield what is there as the next batch, at most one frame per camera, until all readers end or `close`.

        After `patience` seconds without an item the batch is empty. Raises what a reader raised, after everything that
        came before it is yielded.
        """
        while True:
            with self._changed:
                self._changed.wait_for(self._is_worth_a_look, patience)
                batch = [queue.pop(0) for queue in self._waiting.values() if queue]
                self._changed.notify_all()
                if not batch and self._error:
                    raise self._error
                if self._closed:
                    return
                is_over = not (batch or self._readers)
                failure = next(reversed(self._failed.values()), None) if is_over else None
                news = self._news() if is_over or self._readers else {}
            for camera, error in news.items():
                if error is not failure:
                    goes_on = "" if is_over else "; the other cameras go on"
                    log.error("%s%s", error, goes_on, extra={"camera": camera})
            if failure is not None:
                raise failure
            if is_over:
                return
            yield batch

    def _news(self) -> dict[str, SourceError]:
        news, self._untold = self._untold, {}
        return news

    def _is_worth_a_look(self) -> bool:
        return any(self._waiting.values()) or self._is_over() or not self._readers

    def _is_over(self) -> bool:
        return self._closed or self._error is not None

    def close(self) -> None:
        """Release every thread that waits here."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
