"""Finds the webcams of this machine, and one of them by its name."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from harstream.stream.sources.address import LAST_WEBCAM, Webcam, WebcamName
from harstream.wire.errors import SourceError, Trouble
from harstream.wire.readable import printable

UNLISTED = 4
"""Number of webcam indices to probe on a system that has no list of devices."""
LONGEST_NAME = 256
"""Bytes of a name that are read."""


@dataclass(frozen=True)
class DeviceFolders:
    """The folders in which Linux lists video devices."""

    dev: Path = Path("/dev")
    sysfs: Path = Path("/sys/class/video4linux")
    by_id: Path = Path("/dev/v4l/by-id")


LINUX = DeviceFolders()


@dataclass(frozen=True)
class AttachedWebcam:
    """A video device of this machine. A webcam may have several: one gives pictures, others only settings."""

    index: int
    name: str = ""
    """The kernel's name, such as `HD Pro Webcam C920`. Empty if there is none."""
    stable_path: str | None = None
    """The path below /dev/v4l/by-id. It stays the same when other webcams come and go."""

    @property
    def source(self) -> Webcam:
        """The source that names this device best."""
        return Webcam(self.index if self.stable_path is None else self.stable_path)

    def __str__(self) -> str:
        return f"{self.name} ({self.stable_path or self.index})"


def attached_webcams(folders: DeviceFolders = LINUX) -> list[AttachedWebcam]:
    """Return the video devices of this machine by their index. Other systems than Linux do not list any names."""
    if sys.platform != "linux":
        return [AttachedWebcam(index) for index in range(UNLISTED)]
    paths = _stable_paths(folders)
    numbers = sorted(n for device in folders.dev.glob("video*") if (n := _index(device)) is not None)
    return [AttachedWebcam(n, _name(folders.sysfs / f"video{n}"), paths.get(n)) for n in numbers]


def index_or_path(webcam: Webcam, folders: DeviceFolders = LINUX) -> int | str:
    """Return what OpenCV opens: the index of a device, or its path if it has no index.

    Raises SourceError if a name fits no webcam, or more than one.
    """
    match webcam.device:
        case WebcamName(name):
            return _named(name, folders).index
        case str(path):
            index = _index(Path(path).resolve())
            return path if index is None else index
        case int(index):
            return index


def _named(name: str, folders: DeviceFolders) -> AttachedWebcam:
    """Return the one webcam whose name is `name`, else starts with it, else contains it. Case does not matter."""
    if sys.platform != "linux":
        raise SourceError(f"webcam:{name} needs Linux: write the webcam's index, such as 0", Trouble.NO_DEVICE)
    webcams = _picture_devices(folders)
    wanted = name.casefold()
    for fits in (str.__eq__, str.startswith, str.__contains__):
        found = [webcam for webcam in webcams if fits(webcam.name.casefold(), wanted)]
        if len(found) == 1:
            return found[0]
        if found:
            raise SourceError(
                f"expected one webcam with {name!r} in its name, found {_listed(found)}: write more of the name, or "
                "the path",
                Trouble.NO_DEVICE,
            )
    raise SourceError(f"expected a webcam with {name!r} in its name, found {_listed(webcams)}", Trouble.NO_DEVICE)


def _picture_devices(folders: DeviceFolders) -> list[AttachedWebcam]:
    """Return the named webcams, each with the first of its devices, which gives the pictures."""
    first: dict[Path, tuple[int, AttachedWebcam]] = {}
    for webcam in attached_webcams(folders):
        node = folders.sysfs / f"video{webcam.index}"
        hardware, order = (node / "device").resolve(), _order(node)
        if webcam.name and (hardware not in first or order < first[hardware][0]):
            first[hardware] = (order, webcam)
    return [webcam for _, webcam in first.values()]


def _stable_paths(folders: DeviceFolders) -> dict[int | None, str]:
    try:
        return {_index(path.resolve()): str(path) for path in sorted(folders.by_id.iterdir(), reverse=True)}
    except OSError:
        return {}


def _name(node: Path) -> str:
    return printable(_text(node / "name"))


def _order(node: Path) -> int:
    """Return the place of a device among those of its webcam, from 0."""
    text = _text(node / "index")
    return int(text) if text.isdecimal() else LAST_WEBCAM


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(LONGEST_NAME).decode(errors="replace").strip()
    except OSError:
        return ""


def _index(device: Path) -> int | None:
    """Return the index by which OpenCV opens a device; None if it has none."""
    found = re.fullmatch(r"video(\d{1,9})", device.name, re.ASCII)
    return int(found[1]) if found and int(found[1]) <= LAST_WEBCAM else None


def _listed(webcams: list[AttachedWebcam]) -> str:
    return ", ".join(map(str, webcams)) or "none"
