"""Prevents a run from overwriting the video that it watches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harstream.wire.errors import ConfigError


def check_outputs(watched: Sequence[Path], *outputs: Path | None) -> None:
    """Raises ConfigError if an output is one of the watched files."""
    files = {path.resolve() for path in watched if path.is_file()}
    for output in outputs:
        if output is not None and output.resolve() in files:
            raise ConfigError(f"{output} is the video to watch: choose another file for the output")
