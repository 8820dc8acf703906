"""Options that several commands of `harstream forecast` share."""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harstream.stream.config.model import Config
from harstream.wire.errors import ConfigError

if TYPE_CHECKING:
    from harstream.forecast.client.diary import Diary
    from harstream.forecast.predictors.structure import Structure

KEYS = ("mqtt", "node", "state", "log")
"""The keys of config.yaml that a forecaster needs. The others may hold secrets."""
StateOption = Annotated[
    Path | None, typer.Option(help="The folder of the diary. Default: `forecast` in the configuration's `state`.")
]
ZoneOption = Annotated[
    str | None, typer.Option(help="The home's time zone, such as Europe/Berlin. Default: this machine's.")
]
PathsArgument = Annotated[
    list[Path], typer.Argument(help="Files of past activities. All files of a folder are one home.", metavar="PATH...")
]
FormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        help="auto, json (`harstream history`, `run --events`), casas, adls (start, end, activity) or activities.",
    ),
]


StructureOption = Annotated[
    Path | None,
    typer.Option(help="A YAML file with the parents of the tables of dbn, such as a changed copy of structure.yaml."),
]


def structure_of(file: Path | None) -> Structure | None:
    """Return the structure in a file; None without a file. Raises ConfigError."""
    from harstream.forecast.predictors.structure import read_structure

    return None if file is None else read_structure(file)


def folder_of(state: Path | None, config: Config) -> Path:
    return state or config.state / "forecast"


def existing_diary(folder: Path) -> Diary:
    """Return the diary of a folder, which must exist. Raises ConfigError."""
    from harstream.forecast.client.diary import FILE, Diary

    if not (folder / FILE).exists():
        raise ConfigError(f"there is no diary in {folder}: `harstream forecast run` creates one")
    return Diary(folder / FILE)


def zone_of(name: str | None) -> tzinfo | None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(f"--zone: expected a time zone such as Europe/Berlin, got {name!r}") from None
