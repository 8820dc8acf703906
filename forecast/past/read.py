"""Finds the format of a file of past activities, and reads it."""

from __future__ import annotations

import re
from datetime import tzinfo
from enum import StrEnum
from pathlib import Path

from harstream.forecast.past.json_lines import read_json_lines
from harstream.forecast.past.local_lines import read_activities, read_adls, read_casas
from harstream.forecast.past.records import Records, join
from harstream.wire.errors import ConfigError, ConfigFileError


class Format(StrEnum):
    """How a file records activities."""

    AUTO = "auto"
    JSON = "json"
    CASAS = "casas"
    ADLS = "adls"
    ACTIVITIES = "activities"


def read_home(path: Path, form: Format, zone: tzinfo | None) -> Records:
    """Read a file, or all files of a folder, as the record of one home. `zone`: of its local times.

    Raises ConfigFileError, with file and line, and for a file without activities.
    """
    files = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
    records = join(_read(file, form, zone) for file in files if file.suffix != ".activity_names")
    if not records.episodes:
        raise ConfigFileError(f"{path}: expected past activities, found none: see `harstream history --format json`")
    return records


def format_of(name: str) -> Format:
    """Return a format by its name. Raises ConfigError."""
    try:
        return Format(name)
    except ValueError:
        raise ConfigError(f"--format: expected {', '.join(Format)}; got {name!r}") from None


def _read(file: Path, form: Format, zone: tzinfo | None) -> Records:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise ConfigFileError(f"{file}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigFileError(f"{file}: cannot read it: {error}") from error
    match _format(file, lines) if form is Format.AUTO else form:
        case Format.JSON:
            return read_json_lines(file, lines)
        case Format.ACTIVITIES:
            return read_activities(file, lines, zone)
        case Format.ADLS:
            return read_adls(file, lines, zone)
        case _:
            return read_casas(file, lines, zone)


def _format(file: Path, lines: list[str]) -> Format:
    if file.suffix == ".activities":
        return Format.ACTIVITIES
    first = next((line.split() for line in lines if line.strip()), [])
    if first and first[0].startswith("{"):
        return Format.JSON
    # The third word of a CASAS line is a sensor. In a table it is the date of the end.
    is_table = first[:1] == ["Start"] or (len(first) > 2 and re.fullmatch(r"\d{4}-\d\d-\d\d", first[2]) is not None)
    return Format.ADLS if is_table else Format.CASAS
