"""Prints events on the terminal, as `harstream listen` does."""

from __future__ import annotations

from rich.console import Console

from harstream.wire.context import Context
from harstream.wire.errors import SinkError
from harstream.wire.messages.event import EventMessage
from harstream.wire.readable import event_line
from harstream.wire.values import Notice


class ConsoleSink:
    """An EventSink that prints one line per event."""

    def __init__(self, context: Context, console: Console) -> None:
        self.context = context
        """Any thread may replace it between two notices."""
        self._console = console

    def handle(self, notice: Notice) -> None:
        for event in notice.events:
            try:
                self._console.print(event_line(EventMessage.of(event, self.context)))
            except (OSError, SystemExit) as error:  # rich exits after the reader of a pipe has closed it
                raise SinkError(f"cannot print to stdout, its reader is gone: {error}") from error

    def close(self) -> None:
        """Do nothing: nothing is open."""
