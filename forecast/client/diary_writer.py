"""Writes to the diary on another thread, so that a disk that hangs never holds forecasts."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from functools import partial
from typing import ParamSpec

from harstream.forecast.client.diary import Diary
from harstream.forecast.client.learned import RESUMED
from harstream.forecast.learning.episodes import Episode

P = ParamSpec("P")
Written = Future[int | None]
"""A write, with the number of episodes that it added; None if it adds none by its kind."""


class DiaryWriter:
    """Hands writes to an executor, and remembers the last episodes, so that nobody waits for the disk. Not thread-safe.

    A write that the executor has no place for is cancelled.
    """

    def __init__(self, diary: Diary, executor: Executor) -> None:
        """`diary`: must have started. Only this constructor reads it."""
        self._diary, self._executor = diary, executor
        self._writes: list[Written] = []
        """Those that `count_new` has not found done."""
        self._last = defaultdict[str, deque[Episode]](partial(deque, maxlen=RESUMED))
        """By camera."""
        for camera in diary.cameras():
            self._last[camera].extend(diary.episodes(camera, last=RESUMED))

    @property
    def waiting(self) -> int:
        """The number of writes that `count_new` has not found done."""
        return len(self._writes)

    def since(self, waiting: int) -> Sequence[Written]:
        """Return the writes since so many were waiting."""
        return self._writes[waiting:]

    def add(self, camera: str, id_: str, episode: Episode) -> None:
        """Add an episode with its id."""
        self._last[camera].append(episode)
        self.write(self._diary.add, camera, [(id_, episode)])

    def write(self, write: Callable[P, int | None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Do what a method of the diary does. It returns the number of new episodes, or None."""
        self._writes.append(self._executor.submit(write, *args, **kwargs))

    def count_new(self) -> int:
        """Return how many episodes are new in the diary since the last call. Raises what a write raised."""
        new = 0
        while self._writes and self._writes[0].done():
            write = self._writes.pop(0)
            new += 0 if write.cancelled() else write.result() or 0
        return new

    def last(self, camera: str | None = None) -> dict[str, Sequence[Episode]]:
        """Return the last episodes of a camera or of all, by camera."""
        return {name: list(self._last[name]) for name in (list(self._last) if camera is None else [camera])}


def once_written(writes: Sequence[Written], then: Callable[[], None]) -> None:
    """Call `then` once the writes are done, on their thread; at once without any. Never if one found no place."""
    if not writes:
        then()
    elif not any(write.cancelled() for write in writes):
        writes[-1].add_done_callback(lambda _: then())
