"""Real RTSP servers with one fault at a time: what can happen to a network camera."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Protocol

from tests.soak.camera_watch import MISSING
from tests.soak.films import write_h264, write_scene
from tests.support.cameras.rtsp_camera import RtspServer
from tests.support.cameras.stamped_camera import Habits, StampedCamera
from tests.support.command import SECRET

LOGIN = f"anna:{SECRET}"
KILLED, STOPPED, WRONG_PASSWORD = "server killed", "server stopped (SIGSTOP)", "wrong password"
SIZE, CODEC, RATE = "other size", "other codec", "other rate"
BLACK, FROZEN = "black pictures", "frozen picture"
BURSTS, STANDING, JUMPING, SLOW = (
    "bursts of a second",
    "stamps stand still",
    "stamps jump by hours",
    "stamps at half speed",
)

SERVER_FAULTS = (KILLED, STOPPED, WRONG_PASSWORD, SIZE, CODEC, RATE)
PICTURE_FAULTS: Mapping[str, Habits] = {
    BLACK: Habits(),
    FROZEN: Habits(is_frozen=True),
    BURSTS: Habits(burst=25),
    STANDING: Habits(lambda seconds: 0.0),
    JUMPING: Habits(lambda seconds: seconds + 3600 * (seconds // 3 + 1)),
    SLOW: Habits(lambda seconds: 0.5 * seconds, fps=12.5),
}


@dataclass(frozen=True)
class Expected:
    """What the service must do at a fault."""

    lasts: tuple[float, float]
    """Shortest and longest duration in seconds."""
    signs: frozenset[str] = frozenset()
    """What it must report, one of these. Empty: the camera must stay live."""
    noticed: float = 0.0
    """Within so many seconds."""
    recovered: float = 15.0
    """It must have complete windows again within so many seconds."""
    works: bool = False
    """Whether the camera is only another one during the fault, so that it must recover twice."""


OFFLINE = frozenset({MISSING, "offline", "stalled"})
RECONNECTED = 50.0
"""The longest wait between two attempts is 30 s, an attempt takes up to 10 s, and a window takes 2.4 s."""
FAULTS: Mapping[str, Expected] = {
    KILLED: Expected((1, 8), OFFLINE, noticed=10, recovered=RECONNECTED),
    STOPPED: Expected((8, 15), OFFLINE, noticed=20, recovered=RECONNECTED),
    WRONG_PASSWORD: Expected((1, 8), OFFLINE, noticed=20, recovered=RECONNECTED),
    SIZE: Expected((3, 6), OFFLINE, noticed=10, recovered=RECONNECTED, works=True),
    CODEC: Expected((3, 6), OFFLINE, noticed=10, recovered=RECONNECTED, works=True),
    RATE: Expected((3, 6), OFFLINE, noticed=10, recovered=RECONNECTED, works=True),
    BLACK: Expected((5, 10), frozenset({"dark"}), noticed=15),
    FROZEN: Expected((31, 34), frozenset({"frozen"}), noticed=45),
    BURSTS: Expected((6, 12)),
    STANDING: Expected((6, 12)),
    JUMPING: Expected((6, 12)),
    SLOW: Expected((6, 12)),
}


class FaultyCamera(Protocol):
    """A camera that works, except between `begin` and `repair`."""

    @property
    def faults(self) -> tuple[str, ...]:
        """The faults that it can have."""

    @property
    def url(self) -> str: ...

    def begin(self, fault: str) -> None: ...

    def repair(self, fault: str) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Films:
    normal: Path
    large: Path
    black: Path

    @staticmethod
    def write(folder: Path) -> Films:
        normal, large = folder / "normal.mp4", folder / "large.mp4"
        write_scene(normal, (large, (640, 480)))
        return Films(normal, large, write_h264(folder / "black.mp4", [(2, 2)], (320, 240)))


class ServerCamera:
    """A camera of gst-rtsp-server, with a login."""

    faults = SERVER_FAULTS

    def __init__(self, films: Films) -> None:
        self._films = films
        self._codecs = cycle(("mjpeg", "h265"))
        self._server = RtspServer(films.normal, ("--loop", "--login", LOGIN))
        self._server.plug_in()

    @property
    def url(self) -> str:
        return self._server.url(login=LOGIN)

    def begin(self, fault: str) -> None:
        """Return when the fault has begun; after a change, when the changed camera can be opened."""
        match fault:
            case _ if fault == KILLED:
                self._server.pull()
            case _ if fault == STOPPED:
                self._server.freeze()
            case _ if fault == WRONG_PASSWORD:
                self._server.replace(self._films.normal, "--loop", "--login", "anna:another")
            case _ if fault == SIZE:
                self._server.replace(self._films.large, "--loop", "--login", LOGIN)
            case _ if fault == CODEC:
                self._server.replace(self._films.normal, "--loop", "--login", LOGIN, "--codec", next(self._codecs))
            case _ if fault == RATE:
                self._server.replace(self._films.normal, "--loop", "--login", LOGIN, "--rate", "12")

    def repair(self, fault: str) -> None:
        if fault == STOPPED:
            self._server.thaw()
        else:
            self._server.replace(self._films.normal, "--loop", "--login", LOGIN)

    def close(self) -> None:
        self._server.pull()


class PictureCamera:
    """A camera whose pictures or stamps become odd while it is watched."""

    faults = tuple(PICTURE_FAULTS)

    def __init__(self, films: Films) -> None:
        self._films = films
        self._camera = StampedCamera(films.normal, Habits())
        self._camera.__enter__()

    @property
    def url(self) -> str:
        return self._camera.url

    def begin(self, fault: str) -> None:
        self._camera.change(PICTURE_FAULTS[fault], self._films.black if fault == BLACK else self._films.normal)

    def repair(self, fault: str) -> None:
        self._camera.change(Habits(), self._films.normal)

    def close(self) -> None:
        self._camera.__exit__(None, None, None)
