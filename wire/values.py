"""The values that flow through a stream, in their order of appearance; all are frozen, arrays are not modified."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from harstream.models.picture import Picture
from harstream.wire.errors import Trouble


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of one camera."""

    camera: str
    time: float
    """Seconds since the epoch, stamped at capture; for a replayed file, seconds since its first frame."""
    picture: Picture
    """Converted only for those who ask."""


class CameraState(StrEnum):
    CONNECTING = "connecting"
    LIVE = "live"
    OFFLINE = "offline"
    DISABLED = "disabled"
    """Somebody switched it off; it may be switched on again."""
    REMOVED = "removed"
    """It is watched no more."""

    @property
    def is_away(self) -> bool:
        """No frame comes until it is live again."""
        return self is not CameraState.LIVE


@dataclass(frozen=True)
class CameraChange:
    """A camera came, went, or is being tried."""

    camera: str
    time: float
    state: CameraState
    reason: str = ""
    """Why it went offline, for a person; free of passwords."""
    trouble: Trouble | None = None
    """The same for a program."""


@dataclass(frozen=True)
class CameraControl:
    """How a camera was set while the service ran."""

    camera: str
    is_enabled: bool = True
    threshold: float | None = None
    """The score from which an activity starts, 0 to 1."""


@dataclass(frozen=True, eq=False)
class Scores:
    """One recognition: what the model says of the last window."""

    values: NDArray[np.float32]
    """(K,) in label order, sums to 1, calibrated."""
    time: float
    """Of the window's last frame."""
    span: float
    """Seconds from the window's first to its last frame."""


class EventType(StrEnum):
    START = "start"
    UPDATE = "update"
    END = "end"


class EndReason(StrEnum):
    LOW_CONFIDENCE = "low_confidence"
    SWITCHED = "switched"
    CAMERA_OFFLINE = "camera_offline"
    MAX_DURATION = "max_duration"
    SHUTDOWN = "shutdown"


@dataclass(frozen=True)
class Confidence:
    """Smoothed score of the activity since its start, 0 to 1."""

    mean: float
    peak: float
    last: float


@dataclass(frozen=True)
class Event:
    """An activity started, goes on, or ended. Times in seconds, as the frames carry them."""

    type: EventType
    id: str
    """ULID, the same for all events of one activity."""
    seq: int
    """1 at start, then without a hole."""
    camera: str
    activity: str
    label_id: int
    confidence: Confidence
    topk: tuple[tuple[str, float], ...]
    """The best three (label, smoothed score), best first."""
    started_at: float
    """Dated back to the first frame that supports the activity."""
    updated_at: float
    detected_at: float
    """Of the frame at which the start was decided."""
    ended_at: float | None = None
    end_reason: EndReason | None = None
    previous: tuple[str, float] | None = None
    """The activity before this one (or `unknown`) and how long it lasted, in seconds."""
    historical: bool = False
    """Told long after it happened: the run that saw it was killed."""


@dataclass(frozen=True)
class Activity:
    """What a camera's person does now."""

    name: str
    """A label, or `unknown`."""
    since: float
    confidence: float
    threshold: float = 0.0
    """The score from which it starts; of `unknown`, that of the likeliest activity."""


@dataclass(frozen=True, eq=False)
class Notice:
    """What one frame, or one change of a camera, led to: all that may leave this machine, and no pixels."""

    camera: str
    time: float
    activity: Activity
    warming: tuple[int, int]
    """Frames in the window and frames it needs; equal when the window is full."""
    scores: Scores | None = None
    """None when this frame gave no recognition."""
    smoothed: NDArray[np.float32] | None = None
    """(K,) the scores over time, of this or the last recognition; None before the first."""
    events: tuple[Event, ...] = ()
    change: CameraChange | None = None
    lit: float = 1.0
    """The share of the last picture that is not black, 0 to 1."""
    unchanged: float = 0.0
    """Seconds for which every picture has been the same, to the last bit."""


@dataclass(frozen=True)
class Forecast:
    """What is expected before a camera. Times in seconds since the epoch, probabilities 0 to 1."""

    made_at: float
    next: tuple[str, float, float] | None
    """The likeliest activity after this one, its probability, and when it is expected."""
    then: tuple[tuple[float, str, float], ...]
    """For each horizon, in seconds after `made_at`: the likeliest activity, and its probability."""


class HealthState(StrEnum):
    CONNECTING = "connecting"
    WARMING = "warming"
    """Frames come, and a window is not full yet."""
    LIVE = "live"
    STALLED = "stalled"
    """Connected, but no frame comes."""
    FROZEN = "frozen"
    """Frames come, and all are the same."""
    DARK = "dark"
    """Frames come, and there is nothing to see on them."""
    DISABLED = "disabled"
    """Somebody switched it off."""
    OFFLINE = "offline"


@dataclass(frozen=True)
class Health:
    """How a camera fares."""

    camera: str
    time: float
    """Seconds since the epoch."""
    state: HealthState
    since: float
    """When this state began."""
    reason: str
    """Why it is in this state, for a person; empty where nothing is wrong; free of passwords."""
    trouble: Trouble | None
    """The same for a program; None where nothing is wrong, or where the state says it."""
    warming: tuple[int, int]
    """As in Notice."""
    fps: float
    """Frames that came a second, of late, those that were dropped included."""
    frame_age: float | None
    """Seconds since a frame came, to the second, for so often it is looked at; None before the first."""
    dropped: int
    """Frames since the start that newer ones replaced before there was time for them."""
    dropping: float
    """The share of the last frames that were dropped, 0 to 1."""
    behind: float
    """Seconds by which a replay is late; 0 for a live camera, which drops frames instead."""
    overloaded: bool
    """More dropped or later than is worth no word: the machine cannot keep up."""
    reconnects: int


@dataclass(frozen=True)
class NodeStats:
    """A node at a glance. Counts are since the start, of the cameras that are watched."""

    time: float
    """Seconds since the epoch."""
    uptime: float
    """Seconds."""
    provider: str
    """What runs the model, for a person to read."""
    cameras: int
    live: int
    """Of these, those that are recognized."""
    frames: int
    """That recognition was handed."""
    dropped: int
    """Frames that newer ones replaced."""
    windows: int
    unknown: int
    """Of these, those of no activity."""
    starts: int
    ends: int
    """Of activities."""
    latency: tuple[float, float] | None
    """Median and 95th percentile of the seconds from a frame's capture until what was recognized in it had been handed
    over, since the stats before these; None without a live recognition."""
    cpu: float | None
    """Cores kept busy since the stats before these; None where the system does not tell."""
    memory: int | None
    """Bytes of this process; None where the system does not tell."""


@dataclass(frozen=True, eq=False)
class Step:
    """A notice with the picture it was drawn from."""

    notice: Notice
    frame: Frame | None
    """None for a change of a camera."""
