"""The console sink prints events on the terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from harstream.stream.sinks.console import ConsoleSink
from harstream.wire.context import Context
from harstream.wire.errors import SinkError
from tests.support.values import MakeEvent, MakeNotice


class ClosedPipe(io.StringIO):
    """Behaves as a pipe that has lost its reader."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def test_a_closed_pipe_is_a_sink_error_and_does_not_end_the_run(
    context: Context, make_event: MakeEvent, make_notice: MakeNotice
) -> None:
    sink = ConsoleSink(context, Console(file=ClosedPipe()))
    with pytest.raises(SinkError, match="cannot print to stdout"):
        sink.handle(make_notice(make_event()))
