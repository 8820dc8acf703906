"""Reads the official splits of UCF101, HMDB51 and Kinetics.

dataset:     file:                          a line of it:
UCF101       trainlist01.txt                ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1
             testlist01.txt                 ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi
HMDB51       cartwheel_test_split1.txt      (Rad)Schlag_die_Bank!_cartwheel_f_cm_np1_le_med_0.avi 1
Kinetics     train.csv                      air drumming,_dbcJuKJQNs,40,50,val
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from harstream.clips.listing import Clip, ListingError

Key = tuple[str, str]
"""A class and the stem of a clip's file. UCF101 does not write HandstandPushups the same way everywhere."""

_UCF_LIST = re.compile(r"(train|test)list(\d+)\.txt")
_UCF_LINE = re.compile(r"([^/]+)/(.+?\.\w+)(?:\s+\d+)?")
_HMDB_LIST = re.compile(r"(.+)_test_split(\d+)\.txt")
_HMDB_LINE = re.compile(r"(.+?)\s+([012])")
_HMDB_PARTS = {"0": "", "1": "train", "2": "test"}
"""Source: the readme of the splits. A clip with 0 is in neither part."""
_KINETICS_COLUMNS = ("label", "youtube_id", "time_start", "time_end", "split")
_KINETICS_PARTS = {"train": "train", "val": "val", "validate": "val", "test": "test"}
"""Kinetics-400 says val, Kinetics-700 says validate."""
_EXPECTED = "trainlist01.txt and testlist01.txt (UCF101), <class>_test_split1.txt (HMDB51) or a .csv (Kinetics)"


class ListedClip(NamedTuple):
    """A clip as a split names it."""

    class_name: str
    file: str
    part: str
    """train, val or test; empty for a clip that the split does not use."""

    def __str__(self) -> str:
        return f"{self.class_name}/{self.file}"


@dataclass(frozen=True)
class OfficialSplit:
    """The clips of a split."""

    path: Path
    clips: Mapping[Key, ListedClip]

    def part_of(self, clip: Clip) -> str:
        """Return the clip's part, empty if it is in none."""
        listed = self.clips.get(_key_of(clip))
        return listed.part if listed else ""

    def absences(self, clips: Iterable[Clip]) -> list[str]:
        """Return up to three sentences: classes without a folder, clips that are not there, and classes left out."""
        found = {_key_of(clip): clip.path.parent.name for clip in clips}
        folders = {class_name for class_name, _ in found}
        classes = {class_name: listed.class_name for (class_name, _), listed in self.clips.items()}
        strange = sorted(classes[one] for one in classes.keys() - folders)
        expected = {key: one for key, one in self.clips.items() if one.part and key[0] in folders}
        missing = [one for key, one in expected.items() if key not in found]
        others = sorted({name for (folder, _), name in found.items() if folder not in classes})
        return [
            *_sentence(strange, f"class(es) of {self.path} have no folder", len(classes)),
            *_sentence(missing, f"clips of {self.path} are not there", len(expected)),
            *_sentence(others, f"class folder(s) are not in {self.path} and are left out", len(folders)),
        ]


def is_official(path: Path) -> bool:
    """Return whether the name is that of an official split, not of a .tsv."""
    return path.is_dir() or path.suffix == ".csv" or _number(path) is not None


def files_of(path: Path) -> list[Path]:
    """Return the files of a split. Raises ListingError for a folder of several splits, or of none."""
    if not path.exists():
        raise ListingError(f"cannot read the split file {path}: no such file")
    if not path.is_dir():
        number = _number(path)
        return [path] if number is None else sorted(one for one in path.parent.iterdir() if _number(one) == number)
    lists = sorted(one for one in path.iterdir() if _number(one) is not None)
    if numbers := {_number(one) for one in lists}:
        if len(numbers) > 1:
            raise ListingError(f"{path} holds {len(numbers)} splits: name a file of one of them, such as {lists[0]}")
        return lists
    if tables := sorted(path.glob("*.csv")):
        return tables
    raise ListingError(f"expected {_EXPECTED} in {path}, found none of them")


def read_official_split(path: Path) -> OfficialSplit:
    """Read a split. A list of UCF101 or HMDB51 stands for all lists of the same number in its folder.

    A folder stands for the only split in it. Raises ListingError, also for a clip in two parts.
    """
    clips: dict[Key, ListedClip] = {}
    twice: dict[ListedClip, str] = {}
    for file in files_of(path):
        for listed in _listed(file):
            earlier = clips.setdefault(_key(listed.class_name, Path(listed.file).stem), listed)
            if earlier.part != listed.part:
                twice.setdefault(earlier, listed.part)
    if twice:
        first, part = next(iter(twice.items()))
        raise ListingError(
            f"{path} names {len(twice)} clip(s) in two parts, the first is {first} in {first.part}, {part}"
        )
    return OfficialSplit(path, clips)


def _listed(file: Path) -> Iterator[ListedClip]:
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            if match := _UCF_LIST.fullmatch(file.name):
                yield from _of_ucf(file, lines, match[1])
            elif match := _HMDB_LIST.fullmatch(file.name):
                yield from _of_hmdb(file, lines, match[1])
            else:
                yield from _of_kinetics(file, csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ListingError(f"cannot read the split file {file}: {error}") from error


def _of_ucf(file: Path, lines: Iterator[str], part: str) -> Iterator[ListedClip]:
    for match in _matches(file, lines, _UCF_LINE, "<class>/<video>"):
        yield ListedClip(match[1], match[2], part)


def _of_hmdb(file: Path, lines: Iterator[str], class_name: str) -> Iterator[ListedClip]:
    for match in _matches(file, lines, _HMDB_LINE, "<video> and 0, 1 or 2"):
        yield ListedClip(class_name, match[1], _HMDB_PARTS[match[2]])


def _of_kinetics(file: Path, rows: csv.DictReader[str]) -> Iterator[ListedClip]:
    if missing := [name for name in _KINETICS_COLUMNS if name not in (rows.fieldnames or ())]:
        raise ListingError(f"{file} has no column {', '.join(missing)}: expected {','.join(_KINETICS_COLUMNS)}")
    for row in rows:
        try:
            start, end = round(float(row["time_start"])), round(float(row["time_end"]))
            part = _KINETICS_PARTS[row["split"]]
        except (KeyError, TypeError, ValueError):
            expected = f"times in seconds and a part, one of {', '.join(_KINETICS_PARTS)}"
            raise ListingError(f"{file}: line {rows.line_num}: expected {expected}, got {[*row.values()]}") from None
        yield ListedClip(row["label"], f"{row['youtube_id']}_{start:06d}_{end:06d}.mp4", part)


def _matches(file: Path, lines: Iterator[str], pattern: re.Pattern[str], expected: str) -> Iterator[re.Match[str]]:
    for number, line in enumerate(lines, start=1):
        if text := line.strip():
            if (match := pattern.fullmatch(text)) is None:
                raise ListingError(f"{file}: line {number}: expected {expected}, got {text!r}")
            yield match


def _number(file: Path) -> str | None:
    """Return the number of the split to which a list of UCF101 or HMDB51 belongs. None for another file."""
    match = _UCF_LIST.fullmatch(file.name) or _HMDB_LIST.fullmatch(file.name)
    return str(int(match[2])) if match else None


def _key_of(clip: Clip) -> Key:
    return _key(clip.path.parent.name, clip.path.stem)


def _key(class_name: str, stem: str) -> Key:
    """Some tools write the classes of Kinetics with underscores in place of spaces."""
    return class_name.replace(" ", "_").casefold(), stem.casefold()


def _sentence(found: list[str] | list[ListedClip], what: str, count: int) -> list[str]:
    return [f"{len(found)} of {count} {what}, the first is {found[0]}"] if found else []
