"""Keeps the examples of each activity as video files: FOLDER/ACTIVITY/FILE."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from harstream.clips.recording_time import recorded_at
from harstream.clips.video import SUFFIXES
from harstream.models.contract import UNKNOWN, ModelContract
from harstream.resilience.whole_file import atomic_path
from harstream.wire.errors import ConfigError, SinkError

FEWEST_EXAMPLES = 5
EXAMPLES = "examples"
"""The folder of the examples in the configuration's `state`."""
ORDINARY = "ordinary"
"""The folder of ordinary footage in the configuration's `state`."""
ONE_EVENING = 6 * 3600.0
"""Seconds. Examples within such a time show the same light, clothes and place."""
LONGEST_NAME = 60
"""The most characters of an activity's name, which is also the name of a folder."""


@dataclass(frozen=True)
class Example:
    activity: str
    path: Path


class Examples:
    """The folder of a user's examples. It need not exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> list[Example]:
        """Return the examples, sorted by activity and name."""
        return [Example(path.parent.name, path) for path in sorted(self.folder.glob("*/*")) if _is_video(path)]

    def of(self, activity: str) -> list[Path]:
        return [example.path for example in self.all() if example.activity == activity]

    def activities(self) -> list[str]:
        return sorted({example.activity for example in self.all()})

    def add(self, activity: str, files: Sequence[Path]) -> list[Path]:
        """Copy the files, all or none. Raises ConfigError for a file that is an example already, and SinkError."""
        with self._disk_errors():
            return self._add(activity, files)

    def remove(self, activity: str, names: Sequence[str] = ()) -> list[Path]:
        """Delete examples by the names of their files, or all of an activity.

        Raises ConfigError for unknown ones, and SinkError.
        """
        known = {path.name: path for path in self.of(activity)}
        if not known:
            raise ConfigError(f"there is no example of {activity!r}{self._instead()}")
        if strange := [name for name in names if name not in known]:
            raise ConfigError(f"{activity} has no example {strange[0]!r}, but {', '.join(known)}")
        removed = [known[name] for name in names or known]
        with self._disk_errors():
            for path in removed:
                path.unlink()
            self._remove_if_empty(activity)
        return removed

    def _add(self, activity: str, files: Sequence[Path]) -> list[Path]:
        known = {_content(example.path): example for example in self.all()}
        for file in files:
            if found := known.get(_content(file)):
                raise ConfigError(f"{file} is an example of {found.activity} already: {found.path}")
            known[_content(file)] = Example(activity, file)
        copied: list[Path] = []
        try:
            for file in files:
                target = self._new_path(activity, file)
                with atomic_path(target) as unfinished:
                    shutil.copyfile(file, unfinished)
                    copied.append(target)
        except BaseException:
            for path in copied:
                path.unlink(missing_ok=True)
            self._remove_if_empty(activity)
            raise
        return copied

    def _instead(self) -> str:
        names = ", ".join(self.activities())
        return f": there are {names}" if names else ": `harstream teach add` adds some"

    def _new_path(self, activity: str, file: Path) -> Path:
        folder = self.folder / activity
        folder.mkdir(parents=True, exist_ok=True)
        names = chain([file.name], (f"{file.stem}_{number}{file.suffix}" for number in count(2)))
        return folder / next(name for name in names if not (folder / name).exists())

    def _remove_if_empty(self, activity: str) -> None:
        folder = self.folder / activity
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SinkError(f"cannot write to {self.folder}: {error.strerror or error}") from error


def check_activity_name(name: str, contract: ModelContract, taught: Sequence[str], asked: str = "--activity") -> None:
    """Check the name of a new activity. Raises ConfigError.

    `contract`: of the model, whose taught activities may be taught again. `taught`: those that have examples. `asked`:
    what an error calls the place where the name was given.
    """
    usable = name.strip() == name and 0 < len(name) <= LONGEST_NAME and not name.startswith(".")
    if not usable or not all(letter.isalnum() or letter in " _-" for letter in name):
        raise ConfigError(
            f"{asked}: expected 1 to {LONGEST_NAME} letters, digits, spaces, - and _, such as Cooking, got {name!r}"
        )
    shipped = [label for label in contract.labels if label not in contract.taught]
    known = {label.casefold(): label for label in (*shipped, UNKNOWN)}
    if found := known.get(name.casefold()):
        raise ConfigError(f"{asked}: the model {contract.name} has {found} already: choose another name")
    similar = [each for each in taught if each.casefold() == name.casefold() and each != name]
    if similar:
        raise ConfigError(f"{asked}: {name} differs from {similar[0]} by case only: type {similar[0]}")


def are_of_one_evening(files: Sequence[Path]) -> bool:
    """Return whether all files were recorded within six hours. False if the time of a file is not known."""
    times = [recorded_at(file) for file in files]
    known = [time for time in times if time is not None]
    return len(known) == len(files) > 1 and max(known) - min(known) < ONE_EVENING


def _is_video(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _content(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
