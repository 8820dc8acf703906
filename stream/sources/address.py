"""Parses a camera's `source`: a webcam's index, an RTSP address, a video file, or the built-in scene."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from pathlib import Path
from urllib.parse import parse_qs

from harstream.wire.did_you_mean import closest_word
from harstream.wire.errors import Misfit

EXPECTED = "expected a webcam's index, rtsp://..., a video file or scene"
SCHEMES = ("rtsp://", "rtsps://")
SCENE = "scene"
LAST_WEBCAM = 99
"""The highest index. OpenCV treats an index of 100 or more as the number of a driver."""


@dataclass(frozen=True)
class Webcam:
    index: int


@dataclass(frozen=True)
class NetworkCamera:
    url: str


@dataclass(frozen=True)
class VideoFile:
    path: Path

    def check_exists(self) -> None:
        """Raises Misfit with the closest name if the file does not exist."""
        if not self.path.is_file():
            name = str(self.path)
            got = repr(name) if "@" not in name else ""  # a name with @ may be an address with a password
            raise Misfit(f"{EXPECTED}; there is no such file", got, closest_word(name, self._others()))

    def _others(self) -> list[str]:
        try:
            return [SCENE, *map(str, self.path.parent.iterdir())]
        except OSError:
            return [SCENE]


@dataclass(frozen=True)
class Scene:
    seed: int = 1
    seconds: float | None = None
    """The length in seconds; None means endless."""


Source = Webcam | NetworkCamera | VideoFile | Scene


def parse_source(text: str) -> Source:
    """Return the source that the text names, without opening it or looking for a file. Raises Misfit."""
    if not text:
        raise Misfit(EXPECTED, "nothing")
    if text.isdecimal():
        if int(text) > LAST_WEBCAM:
            raise Misfit(f"a webcam's index is 0 to {LAST_WEBCAM}", text)
        return Webcam(int(text))
    if text.startswith(SCHEMES):
        return NetworkCamera(text)
    kind, _, options = text.partition("?")
    if kind == SCENE:
        return _scene(options)
    if "://" in text:
        scheme = text.partition("://")[0] + "://"
        raise Misfit(EXPECTED, f"{scheme}...", closest_word(scheme, SCHEMES[:1]))
    return VideoFile(Path(text))


def _scene(options: str) -> Scene:
    given = {key: values[-1] for key, values in parse_qs(options, keep_blank_values=True).items()}
    try:
        seed = int(given.pop("seed", "1"))
        seconds = float(given.pop("seconds")) if "seconds" in given else None
        is_possible = seed >= 0 and (seconds is None or 0 < seconds < inf)
    except ValueError:
        is_possible = False
    if given or not is_possible:
        raise Misfit("expected scene?seed=1&seconds=60", f"scene?{options}")
    return Scene(seed, seconds)
