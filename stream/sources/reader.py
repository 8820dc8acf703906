"""The thread of one camera, which moves frames from a source to the inbox."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from harstream.stream.sources.errors import as_source_error
from harstream.stream.sources.inbox import Inbox
from harstream.stream.sources.protocols import FrameSource
from harstream.wire.values import CameraChange, Frame

NewSource = Callable[[threading.Event], FrameSource]
"""Makes a source that ends soon after the given event is set."""


class Reader:
    """Reads a source once, after the earlier reader of the same camera has released the device."""

    def __init__(
        self,
        new_source: NewSource,
        inbox: Inbox,
        *,
        ended: Callable[[str], None],
        first: CameraChange | None = None,
        after: Reader | None = None,
    ) -> None:
        """`first` is put in front of the source's items, even if the reader is already stopped. `after`: the camera's
        earlier reader. The reader's thread calls `ended` with the camera's name when the source ends or fails.

        Raises the errors of `new_source`.
        """
        self._stopping = threading.Event()
        self._source = new_source(self._stopping)
        self._inbox = inbox
        self._ended = ended
        self._first = first
        self._after = after
        self._thread = threading.Thread(target=self._read, name=self._source.camera)

    @property
    def is_live(self) -> bool:
        return self._source.is_live

    def start(self) -> None:
        self._inbox.expect_reader(self._source.camera)
        if self._after is not None:
            self._after.stop()
        self._thread.start()

    def stop(self) -> None:
        """End the thread soon. Callable from any thread and from a signal handler."""
        self._stopping.set()

    def join(self) -> None:
        self._thread.join()

    def _read(self) -> None:
        with self._inbox.reader(self._source.camera):
            if self._after is not None:
                self._after.join()
                self._after = None  # otherwise each change of the camera would extend a chain of readers
            if self._first is not None:
                self._inbox.put(self._first, is_live=self.is_live)
            try:
                for item in self._source.frames():
                    if self._stopping.is_set():
                        return
                    self._inbox.put(item, is_live=self.is_live)
            except Exception as error:
                if not self._stopping.is_set():  # after a stop the error does not matter
                    failure = as_source_error(error, self._source.camera)
                    raise failure from failure.__cause__
            finally:
                if not self._stopping.is_set():
                    self._ended(self._source.camera)


class DisabledSource:
    """The FrameSource of a disabled camera. It waits until it is stopped."""

    is_live = True

    def __init__(self, camera: str, stopping: threading.Event) -> None:
        self.camera = camera
        self._stopping = stopping

    def frames(self) -> Iterator[Frame | CameraChange]:
        self._stopping.wait()
        yield from ()


class RemovedSource:
    """The FrameSource of a removed camera. It ends at once."""

    is_live = True

    def __init__(self, camera: str) -> None:
        self.camera = camera

    def frames(self) -> Iterator[Frame | CameraChange]:
        yield from ()
