"""Reads lines with local times: the text format of CASAS, tables of starts and ends, and `.activities`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from harstream.forecast.learning.episodes import Episode
from harstream.forecast.past.records import HOME, Record, Records, bad_line, id_of
from harstream.wire.errors import ConfigFileError

CASAS_LINE = "date, time, sensor, value, and optionally an activity with begin or end"
ADLS_LINE = "start date, start time, end date, end time and an activity"
ACTIVITIES_LINE = "a start, a length above 0 (both in seconds) and the number of an activity"
NAMES_LINE = "a number and the name of an activity"


@dataclass(frozen=True)
class _Mark:
    """A begin or an end of an activity."""

    time: float
    sensor: str
    activity: str
    is_begin: bool


def read_casas(file: Path, lines: Sequence[str], zone: tzinfo | None) -> Records:
    """Read annotated sensor events, as `history --format casas` writes them. Lines without an activity are passed over.

    Where each activity ends at the sensor at which it began, the sensors are cameras. Else the file is of one home.

    2026-11-20 07:08:01.120000 hall ON JumpingJack begin
    2026-11-20 07:08:09.520000 hall OFF JumpingJack end
    """
    marks = list(_marks(file, lines, zone))
    by_sensor, lost = _pairs(marks)
    if not lost:
        return _records(by_sensor, 0)
    in_the_home, lost_there = _pairs([_Mark(each.time, HOME, each.activity, each.is_begin) for each in marks])
    return _records(by_sensor, lost) if lost <= lost_there else _records(in_the_home, lost_there)


def read_adls(file: Path, lines: Sequence[str], zone: tzinfo | None) -> Records:
    """Read rows of starts, ends and activities. A heading and a line of dashes may come first.

    A row whose end is not after its start is left out. Published records have such rows.

    2011-11-28 02:27:59		2011-11-28 10:18:11		Sleeping
    """
    found: list[tuple[str, Episode]] = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0] == "Start" or not line.strip("- \t\n"):
            continue
        if len(words) < 5:
            raise bad_line(file, number, ADLS_LINE, line)
        start, end = (_moment(file, number, words[at : at + 2], zone) for at in (0, 2))
        found.append((HOME, Episode("_".join(words[4:]), start, end)))
    whole = [(camera, episode) for camera, episode in found if episode.end > episode.start]
    return _records(whole, len(found) - len(whole))


def read_activities(file: Path, lines: Sequence[str], zone: tzinfo | None) -> Records:
    """Read rows of a start, a length and a number. The names are in the file `.activity_names` beside it.

    A start is a local time as seconds since 1970.

    1203898772	112	6
    """
    names = _names(file.with_suffix(".activity_names"))
    found: list[tuple[str, Episode]] = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words:
            continue
        try:
            start, length, name = float(words[0]), float(words[1]), names[words[2]]
            begin, end = (_of_naive(seconds, zone) for seconds in (start, start + length))
        except KeyError:
            raise bad_line(file, number, f"a number that {file.stem}.activity_names names", line) from None
        except (ValueError, IndexError, OverflowError, OSError):
            raise bad_line(file, number, ACTIVITIES_LINE, line) from None
        if length > 0:
            found.append((HOME, Episode(name, begin, max(begin, end))))
    return _records(found, 0)


def _names(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigFileError(f"{file}: cannot read the names of activities: {error}") from error
    names: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        words = line.split(maxsplit=1)
        if words:
            if len(words) < 2:
                raise bad_line(file, number, NAMES_LINE, line)
            names[words[0]] = words[1].strip()
    return names


def _marks(file: Path, lines: Sequence[str], zone: tzinfo | None) -> Iterator[_Mark]:
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words:
            continue
        if len(words) < 4:
            raise bad_line(file, number, CASAS_LINE, line)
        time = _moment(file, number, words[:2], zone)
        if len(words) == 4:
            continue
        if len(words) < 6 or words[-1] not in ("begin", "end"):
            raise bad_line(file, number, CASAS_LINE, line)
        yield _Mark(time, words[2], "_".join(words[4:-1]), words[-1] == "begin")


def _pairs(marks: Sequence[_Mark]) -> tuple[list[tuple[str, Episode]], int]:
    """Return the activities by sensor, and the number of marks without their counterpart."""
    found: list[tuple[str, Episode]] = []
    begun: dict[tuple[str, str], float] = {}
    lost = 0
    for mark in marks:
        key = mark.sensor, mark.activity
        began = begun.pop(key, None)
        if mark.is_begin:
            lost += began is not None
            begun[key] = mark.time
        elif began is None:
            lost += 1
        else:
            found.append((mark.sensor, Episode(mark.activity, began, max(began, mark.time))))
    return found, lost + len(begun)


def _records(found: Sequence[tuple[str, Episode]], incomplete: int) -> Records:
    return Records(
        tuple(Record(id_of(camera, episode), camera, episode) for camera, episode in found), incomplete=incomplete
    )


def _moment(file: Path, number: int, words: Sequence[str], zone: tzinfo | None) -> float:
    text = " ".join(words)
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()
    except (ValueError, OverflowError, OSError):
        raise bad_line(file, number, "a local time such as 2026-11-20 07:08:01", text) from None


def _of_naive(seconds: float, zone: tzinfo | None) -> float:
    """Return seconds since the epoch, from a local time as seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=zone).timestamp()
