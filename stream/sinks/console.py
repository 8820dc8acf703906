"""Events on the terminal as they come, as `harstream listen` shows them."""

from __future__ import annotations

from rich.console import Console

from harstream.wire import encoding as wire
from harstream.wire.errors import SinkError
from harstream.wire.readable import readable
from harstream.wire.values import Notice


class ConsoleSink:
    """An EventSink."""

    def __init__(self, context: wire.Context, console: Console) -> None:
        self._context = context
        self._console = console

    def handle(self, notice: Notice) -> None:
        for event in notice.events:
            message = wire.event_message(event, self._context)
            try:
                self._console.print(readable("event", wire.encode(message)))
            except (OSError, SystemExit) as error:  # rich leaves the program when the reader of a pipe has gone
                raise SinkError(f"nobody reads what is printed: {error}") from error

    def close(self) -> None:
        """Nothing is open."""
