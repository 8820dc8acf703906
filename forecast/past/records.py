"""Past activities as files record them, and what follows from overlaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harstream.forecast.learning.episodes import Away, Episode
from harstream.forecast.learning.overlaps import one_at_a_time
from harstream.wire.errors import ConfigFileError

HOME = "home"
"""The camera of a file that names none."""


@dataclass(frozen=True)
class Record:
    """An activity in front of a camera."""

    id: str
    """The same whenever the file is read."""
    camera: str
    episode: Episode


@dataclass(frozen=True)
class CameraAway:
    camera: str
    away: Away


@dataclass(frozen=True)
class Records:
    """What the files of one home contain."""

    episodes: tuple[Record, ...] = ()
    """In the order of their starts, without overlaps in front of a camera."""
    away: tuple[CameraAway, ...] = ()
    """In the order of time."""
    incomplete: int = 0
    """Activities that were left out, because their start or end is missing or wrong."""

    @property
    def cameras(self) -> list[str]:
        return sorted({record.camera for record in self.episodes})

    @property
    def activities(self) -> tuple[str, ...]:
        return tuple(sorted({record.episode.activity for record in self.episodes}))

    def episodes_of(self, camera: str) -> list[Episode]:
        return [record.episode for record in self.episodes if record.camera == camera]

    def away_of(self, camera: str) -> list[Away]:
        return [each.away for each in self.away if each.camera == camera]


def bad_line(file: Path, number: int, expected: str, got: str) -> ConfigFileError:
    """Return the error about a line. `number`: from 1."""
    return ConfigFileError(f"{file}:{number}: expected {expected}, got {got.strip()[:60]!r}")


def id_of(camera: str, episode: Episode) -> str:
    """Return the id of an activity whose file gives none."""
    return f"{camera}@{episode.start:.3f}:{episode.activity}"


def join(parts: Iterable[Records]) -> Records:
    """Join the files of one home. An activity with a known id counts once."""
    found = list(parts)
    known = {record.id: record for part in found for record in part.episodes}
    away = sorted({each for part in found for each in part.away}, key=lambda each: (each.away.start, each.camera))
    episodes = without_overlaps(list(known.values()))
    return Records(tuple(episodes), tuple(away), sum(part.incomplete for part in found))


def without_overlaps(records: Sequence[Record]) -> list[Record]:
    """Return the activities of each camera one after another. The later parts of an activity have ids of their own."""
    cameras = sorted({record.camera for record in records})
    flat = [part for camera in cameras for part in _flat([each for each in records if each.camera == camera])]
    return sorted(flat, key=lambda record: record.episode.start)


def _flat(records: Sequence[Record]) -> Iterator[Record]:
    """`records`: of one camera."""
    for part in one_at_a_time([record.episode for record in records]):
        record = records[part.index]
        id_ = record.id if part.number == 1 else f"{record.id}/{part.number}"
        yield replace(record, id=id_, episode=part.episode)
