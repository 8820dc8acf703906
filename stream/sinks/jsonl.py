"""Writes events as JSON lines to a file (`--events FILE`). Each line is complete."""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from pathlib import Path

from harstream.resilience.failing_disk import is_failing_disk
from harstream.wire.context import Context
from harstream.wire.errors import FailingDisk, SinkError
from harstream.wire.messages.event import EventMessage
from harstream.wire.timestamps import live_delay
from harstream.wire.values import Event, Notice


class JsonLines:
    """An EventSink that appends to the file of an earlier run."""

    def __init__(self, path: Path, context: Context) -> None:
        self._path = path
        self.context = context
        """Any thread may replace it between two notices."""
        self._file: int | None = None
        self._is_regular = False

    def start(self) -> None:
        """Raises SinkError if the file may not be written. A named pipe is opened with the first event."""
        # Opening a pipe waits for its reader.
        if not self._path.is_fifo():
            with suppress(FailingDisk):  # the first event tries again
                self._open()

    def _open(self) -> None:
        try:
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            self._is_regular = stat.S_ISREG(os.fstat(self._file).st_mode)
            self._complete_last_line(self._file)
        except OSError as error:
            self.close()
            raise self._error(error) from error

    def handle(self, notice: Notice) -> None:
        """Append the notice's events. Raises SinkError, for example on a full disk; the file still ends with a line."""
        for event in notice.events:
            self._append(self._line(event, notice))

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _line(self, event: Event, notice: Notice) -> bytes:
        delay = live_delay(notice.time, time.time())
        return EventMessage.of(event, self.context, delay=delay).encode() + b"\n"

    def _append(self, line: bytes) -> None:
        if self._file is None:
            self._open()
        assert self._file is not None
        # No buffer: it would keep the part that did not fit and write it in front of the next line.
        size = os.fstat(self._file).st_size
        try:
            while line:
                line = line[os.write(self._file, line) :]
        except OSError as error:
            if self._is_regular:
                os.ftruncate(self._file, size)
            raise self._error(error) from error

    def _complete_last_line(self, file: int) -> None:
        """End an incomplete last line, which a power cut can leave, so that the next event starts a new line."""
        if not self._is_regular:
            return
        with self._path.open("rb") as written:
            size = written.seek(0, os.SEEK_END)
            written.seek(max(0, size - 1))
            if written.read(1) not in (b"", b"\n"):
                os.write(file, b"\n")

    def _error(self, error: OSError) -> SinkError:
        why = (error.strerror or str(error)).lower()
        kind = FailingDisk if is_failing_disk(error) else SinkError
        return kind(f"expected to write events to {self._path}, got: {why}")
