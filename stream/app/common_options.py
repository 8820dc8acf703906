"""Options that several commands share, and the configuration that they read."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from harstream.stream.config.file import load_config
from harstream.stream.config.model import Config
from harstream.stream.config.validation_context import ValidationContext

DEFAULT_CONFIG = Path("config.yaml")
ConfigOption = Annotated[Path | None, typer.Option(help="The configuration. Default: ./config.yaml, if it exists.")]
ModelOption = Annotated[
    str | None, typer.Option(help="A shipped model, such as flow_tcn, or the path of an exported one.")
]
EventsOption = Annotated[Path | None, typer.Option(help="Append events to this file as JSON lines.")]
RecordOption = Annotated[Path | None, typer.Option(help="Write the annotated video to this file (.mp4).")]
DeviceOption = Annotated[str | None, typer.Option(help="auto, cpu or cuda.")]


def read_config(
    file: Path | None, context: ValidationContext | None = None, *, keys: Collection[str] | None = None
) -> Config:
    """Read `file`, or config.yaml if it exists, or return the defaults. Raises the errors of `load_config`."""
    if file is None and not DEFAULT_CONFIG.exists():
        return Config()
    return load_config(file or DEFAULT_CONFIG, context, keys=keys)


def validation_context(model: str | None = None, *, has_sources: bool = False) -> ValidationContext:
    """Return the context that checks config.yaml for `run`: its model and its files.

    `model` and `has_sources`: whether the command line replaces these keys, whose files then need not exist.
    """
    from harstream.stream.recognition import onnx_runtime as engine

    must_exist = {key for key, is_given in (("model", model), ("cameras", has_sources)) if not is_given}
    return ValidationContext(
        cache(lambda name: engine.load_engine(name, "cpu").contract), frozenset(must_exist), model or ""
    )
