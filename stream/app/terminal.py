"""Prints the results of the commands, and their errors as one line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from harstream.stream.service.log import print_error
from harstream.wire.errors import ConfigFileError, HarstreamError

console = Console(highlight=False, soft_wrap=True)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Print a HarstreamError as one line on stderr, without a traceback, and exit with its code."""
    # OpenCV prints many lines about a camera or file that it cannot open. It reads these variables at import.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        yield
    except HarstreamError as error:
        # A mistake in a file begins with its position, as in compilers, so that editors and terminals can jump there.
        print_error(str(error) if isinstance(error, ConfigFileError) else f"harstream: {error}")
        raise typer.Exit(error.exit_code) from None
