"""Parses a camera's `source`: a webcam, a network address, a video file, or the built-in scene."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs

from harstream.wire.did_you_mean import closest_word
from harstream.wire.errors import Misfit

EXPECTED = "expected a webcam's index, rtsp://..., http://..., webcam:NAME, a video file or scene"
SCHEMES = ("rtsp://", "rtsps://", "http://", "https://")
ONVIF_SCHEMES = ("onvif", "onvifs")
DEVICES = "/dev/"
NAMED_WEBCAM = "webcam:"
Transport = Literal["auto", "tcp", "udp"]
Decoder = Literal["cpu", "hardware"]
SCENE = "scene"
LAST_WEBCAM = 99
"""The highest index. OpenCV treats an index of 100 or more as the number of a driver."""


@dataclass(frozen=True)
class CaptureFormat:
    """What to ask of a webcam. None keeps the webcam's own choice."""

    fourcc: str | None = None
    """The four letters of a pixel format or codec, such as MJPG."""
    width: int | None = None
    height: int | None = None
    fps: float | None = None


@dataclass(frozen=True)
class WebcamName:
    """A webcam's name, or a part of it that no other webcam's name has."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Webcam:
    device: int | str | WebcamName
    """The index, the name, or the path of a device, such as /dev/v4l/by-id/usb-..., which stays the same."""
    capture: CaptureFormat = CaptureFormat()

    def __str__(self) -> str:
        return f"webcam {self.device}"


@dataclass(frozen=True)
class NetworkCamera:
    url: str
    transport: Transport = "auto"
    """How RTSP pictures come. `auto`: over TCP, or over UDP if the camera refuses TCP."""
    decoder: Decoder = "cpu"
    """What decodes RTSP video. `hardware`: a device of this machine, or the processor if there is none."""


@dataclass(frozen=True)
class VideoFile:
    path: Path

    def check_exists(self) -> None:
        """Raises Misfit with the closest name if the file does not exist."""
        if self.path.is_dir():
            raise Misfit(f"{EXPECTED}; a folder is none of them: name the files in it", repr(str(self.path)))
        if not self.path.is_file():
            name = str(self.path)
            # A name with one of these characters may be an address without its scheme, and with a password.
            got = repr(name) if not set("@=?&") & set(name) else ""
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
    has_routine: bool = False
    """Whether the person has habits, so that a forecast can be right."""
    people: int = 1
    """1, or 2 side by side, each with a script of their own."""


Source = Webcam | NetworkCamera | VideoFile | Scene


def parse_source(text: str) -> Source:
    """Return the source that the text names, without opening it or looking for a file. Raises Misfit."""
    if not text:
        raise Misfit(EXPECTED, "nothing")
    if text.isdecimal():
        if int(text) > LAST_WEBCAM:
            raise Misfit(f"a webcam's index is 0 to {LAST_WEBCAM}", text)
        return Webcam(int(text))
    scheme, separator, rest = text.partition("://")
    if separator and f"{scheme.lower()}://" in SCHEMES:
        _check_ipv6(scheme.lower(), rest)
        return NetworkCamera(f"{scheme.lower()}://{rest}")
    if text.startswith(DEVICES):
        return Webcam(text)
    if text.lower().startswith(NAMED_WEBCAM):
        return Webcam(_webcam_name(text[len(NAMED_WEBCAM) :].strip()))
    kind, _, options = text.partition("?")
    if kind == SCENE:
        return _scene(options)
    if is_onvif(text):
        raise Misfit("expected the address of a stream; `harstream cameras` reports it", f"{scheme}://...")
    if separator:
        raise Misfit(EXPECTED, f"{scheme}://...", closest_word(f"{scheme}://", SCHEMES[:1]))
    return VideoFile(Path(text))


def is_onvif(text: str) -> bool:
    """Return whether the text is the address of an ONVIF camera, which is asked for its streams."""
    return text.partition("://")[0].lower() in ONVIF_SCHEMES and "://" in text


def _webcam_name(name: str) -> WebcamName:
    """Raises Misfit for a text that cannot be a webcam's name."""
    if not name or not name.isprintable():
        raise Misfit(f"expected a webcam's name, such as {NAMED_WEBCAM}Logitech", repr(name) if name else "nothing")
    return WebcamName(name)


def _check_ipv6(scheme: str, rest: str) -> None:
    """Raises Misfit for an IPv6 address without brackets, whose end would be read as a port."""
    host = re.split(r"[/?#]", rest.rpartition("@")[2], maxsplit=1)[0]
    if host.count(":") > 1 and re.fullmatch(r"[0-9A-Fa-f:.]+(%\w+)?", host):
        raise Misfit(f"expected an IPv6 address in brackets, such as {scheme}://[::1]:554/", "one without brackets")


def _scene(options: str) -> Scene:
    given = {key: values[-1] for key, values in parse_qs(options, keep_blank_values=True).items()}
    try:
        seed = int(given.pop("seed", "1"))
        seconds = float(given.pop("seconds")) if "seconds" in given else None
        routine = given.pop("routine", "0")
        people = int(given.pop("people", "1"))
        is_possible = (
            routine in ("0", "1") and people in (1, 2) and seed >= 0 and (seconds is None or 0 < seconds < inf)
        )
    except ValueError:
        is_possible = False
    if given or not is_possible:
        raise Misfit("expected scene?seed=1&seconds=60&routine=1&people=2", f"scene?{options}")
    return Scene(seed, seconds, routine == "1", people)
