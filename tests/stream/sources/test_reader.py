"""A reader is the thread of a camera, from its start to its end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import cast

import pytest

from harstream.models.picture import Picture
from harstream.stream.sources.inbox import Inbox
from harstream.stream.sources.reader import DisabledSource, Reader, RemovedSource
from harstream.wire.errors import SourceError
from harstream.wire.values import CameraChange, CameraState, Frame

PICTURE = cast(Picture, object())
"""No test looks at this picture."""
FIRST = CameraChange("hall", 0.0, CameraState.CONNECTING)


class Film:
    """A FrameSource of a number of frames. At the end it may fail or wait for a stop."""

    is_live = False

    def __init__(self, count: int, *, error: Exception | None = None, stopping: threading.Event | None = None) -> None:
        self.camera = "hall"
        self._count, self._error, self._stopping = count, error, stopping
        self.is_released = False

    def frames(self) -> Iterator[Frame | CameraChange]:
        try:
            for number in range(self._count):
                yield Frame("hall", float(number), PICTURE)
            if self._stopping:
                self._stopping.wait(10)
            if self._error:
                raise self._error
        finally:
            self.is_released = True


def times(inbox: Inbox) -> list[float]:
    return [item.time for batch in inbox.batches() for item in batch]


def test_items_of_a_source_reach_the_inbox_after_the_first_change() -> None:
    inbox, ended = Inbox(1.0), list[str]()
    reader = Reader(lambda _: Film(3), inbox, ended=ended.append, first=FIRST)
    reader.start()
    items = [item for batch in inbox.batches() for item in batch]
    reader.join()
    assert items[0] is FIRST
    assert [item.time for item in items[1:]] == [0.0, 1.0, 2.0]
    assert ended == ["hall"]


def test_a_source_that_fails_ends_the_batches_with_its_error() -> None:
    inbox, ended = Inbox(1.0), list[str]()
    reader = Reader(lambda _: Film(1, error=SourceError("gone")), inbox, ended=ended.append)
    reader.start()
    with pytest.raises(SourceError, match="gone"):
        times(inbox)
    reader.join()
    assert ended == ["hall"]


def test_a_reader_that_is_stopped_releases_its_source_and_reports_no_end() -> None:
    inbox, ended, films = Inbox(1.0), list[str](), list[Film]()

    def new_source(stopping: threading.Event) -> Film:
        films.append(Film(0, error=SourceError("gone"), stopping=stopping))
        return films[0]

    reader = Reader(new_source, inbox, ended=ended.append)
    reader.start()
    reader.stop()
    reader.join()
    assert times(inbox) == []  # the error after a stop is not raised
    assert films[0].is_released
    assert ended == []


def test_a_reader_waits_until_the_previous_one_has_released_the_device() -> None:
    inbox, films = Inbox(1.0), list[Film]()

    def held(stopping: threading.Event) -> Film:
        films.append(Film(0, stopping=stopping))
        return films[0]

    class After(Film):
        def frames(self) -> Iterator[Frame | CameraChange]:
            assert films[0].is_released
            yield from super().frames()

    before = Reader(held, inbox, ended=lambda _: None)
    after = Reader(lambda _: After(2), inbox, ended=lambda _: None, after=before)
    before.start()
    after.start()
    assert times(inbox) == [0.0, 1.0]
    after.join()


def test_a_disabled_camera_waits_for_its_stop_and_a_removed_one_ends_at_once() -> None:
    stopping = threading.Event()
    stopping.set()
    assert list(DisabledSource("hall", stopping).frames()) == []
    assert list(RemovedSource("hall").frames()) == []


def test_an_internal_error_of_a_source_is_the_failure_of_its_camera_only() -> None:
    inbox, error = Inbox(1.0), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
    reader = Reader(lambda _: Film(1, error=error), inbox, ended=lambda _: None)
    reader.start()
    with pytest.raises(SourceError, match=r"camera hall .*internal error.*UnicodeDecodeError"):
        times(inbox)
    reader.join()
