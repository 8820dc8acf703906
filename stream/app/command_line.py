"""Options, configuration and one-line errors for all commands of the stream."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harstream.stream.config.file import load_config
from harstream.stream.config.model import Config
from harstream.stream.config.validation_context import ValidationContext
from harstream.stream.service.log import print_error
from harstream.wire.errors import ConfigFileError, HarstreamError

DEFAULT_CONFIG = Path("config.yaml")
ConfigOption = Annotated[Path | None, typer.Option(help="The configuration. Default: ./config.yaml, if it exists.")]
ModelOption = Annotated[
    str | None, typer.Option(help="A shipped model, such as flow_tcn, or the path of an exported one.")
]
EventsOption = Annotated[Path | None, typer.Option(help="Append events to this file as JSON lines.")]
RecordOption = Annotated[Path | None, typer.Option(help="Write the annotated video to this file (.mp4).")]
DeviceOption = Annotated[str | None, typer.Option(help="auto, cpu or cuda.")]

console = Console(highlight=False, soft_wrap=True)


def configuration(
    file: Path | None, fitting: ValidationContext | None = None, *, keys: Collection[str] | None = None
) -> Config:
    """Read `file`, or config.yaml if it exists, or return the defaults. Raises the errors of `load_config`."""
    if file is None and not DEFAULT_CONFIG.exists():
        return Config()
    return load_config(file or DEFAULT_CONFIG, fitting, keys=keys)


def validation_context(model: str | None = None, *, has_sources: bool = False) -> ValidationContext:
    """Return the context that checks config.yaml for `run`: its model and its files.

    `model` and `has_sources`: whether the command line replaces these keys, whose files then need not exist.
    """
    from harstream.stream.recognition import onnx_runtime as engine

    must_exist = {key for key, is_given in (("model", model), ("cameras", has_sources)) if not is_given}
    return ValidationContext(
        cache(lambda name: engine.load_engine(name, "cpu").contract), frozenset(must_exist), model or ""
    )


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
