"""`harstream cameras`: finds webcams and probes cameras."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from harstream.stream.app.terminal import console, one_line_errors
from harstream.stream.config.file import load_config
from harstream.stream.sources.address import parse_source
from harstream.wire.errors import SourceError


def cameras(
    sources: Annotated[list[str] | None, typer.Argument(help="Cameras, as in `run --source`, e.g. rtsp://...")] = None,
    config: Annotated[Path | None, typer.Option(help="Probe the cameras of this configuration.")] = None,
) -> None:
    """Find webcams and probe cameras. Report codec, size and rate of each, or what is wrong and what to do.

    Exit code 4 if a given camera sends no pictures.
    """
    with one_line_errors():
        named = [(camera.name, camera.parsed_source) for camera in load_config(config).cameras] if config else []
        named += [("", parse_source(text)) for text in sources or ()]
        from harstream.stream.sources.probe import CameraFormat, probe_all

        results = []
        for one in probe_all(named):
            results.append(one.result)
            state = "[green]ok[/]    " if isinstance(one.result, CameraFormat) else "[red]failed[/]"
            console.print(f"{state}  {escape(str(one))}")
        if not results:
            console.print("no webcam found; try a network camera: harstream cameras rtsp://user:password@host/path")
        if not all(isinstance(result, CameraFormat) for result in results):
            raise typer.Exit(SourceError.exit_code)
