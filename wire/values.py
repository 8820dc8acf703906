"""The values that flow through a stream, in their order of appearance. All are frozen; arrays are not modified."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harstream.models.picture import Picture
from harstream.wire.errors import Trouble


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of one camera."""

    camera: str
    time: float
    """Seconds since the epoch at capture. A file that `predict` reads counts from its recording's start, or from 0."""
    picture: Picture
    """Converted only for those who ask."""


class CameraState(StrEnum):
    CONNECTING = "connecting"
    LIVE = "live"
    OFFLINE = "offline"
    DISABLED = "disabled"
    """Somebody switched it off; it may be switched on again."""
    REMOVED = "removed"
    """It is no longer watched."""

    @property
    def is_away(self) -> bool:
        """No frame comes until it is live again."""
        return self is not CameraState.LIVE


@dataclass(frozen=True)
class CameraChange:
    """A camera changes its state."""

    camera: str
    time: float
    state: CameraState
    reason: str = ""
    """Why it went offline, for a person; free of passwords."""
    trouble: Trouble | None = None
    """The same for a program."""


@dataclass(frozen=True)
class CameraControl:
    """The settings of a camera that others may change while the service runs."""

    camera: str
    is_enabled: bool = True
    threshold: float | None = None
    """The score from which an activity starts, 0 to 1."""


@dataclass(frozen=True, eq=False)
class Scores:
    """One recognition: the model's probabilities for the last window."""

    values: NDArray[np.float32]
    """(K,) in the order of the labels, 0 to 1, sums to 1, calibrated."""
    time: float
    """The time of the window's last frame."""
    span: float
    """Seconds from the window's first to its last frame."""
    labels: tuple[str, ...]
    """(K,) the model's labels, those of background among them."""

    def by_label(self) -> dict[str, float]:
        """Return the probability of each label; they sum to 1."""
        return dict(zip(self.labels, map(float, self.values), strict=True))


class LabelScore(NamedTuple):
    """A label with its smoothed score."""

    label: str
    score: float
    """0 to 1."""


class EventType(StrEnum):
    """What an event says of its activity."""

    START = "start"
    UPDATE = "update"
    END = "end"


class EndReason(StrEnum):
    """Why an activity ended."""

    LOW_CONFIDENCE = "low_confidence"
    """Its score fell below the threshold."""
    SWITCHED = "switched"
    """Another activity started."""
    CAMERA_OFFLINE = "camera_offline"
    """No more frames came, or too few for a window; a file ended."""
    MAX_DURATION = "max_duration"
    """It lasted longer than the settings allow."""
    SHUTDOWN = "shutdown"
    """The service stopped."""


@dataclass(frozen=True)
class Confidence:
    """The smoothed score of the activity since its start, 0 to 1."""

    mean: float
    peak: float
    last: float


class Previous(NamedTuple):
    """What a camera recognized before an activity."""

    activity: str
    """A label, or `unknown`."""
    dwell: float
    """How long it lasted, in seconds."""


@dataclass(frozen=True)
class Event:
    """An activity started, goes on, or ended. Times in seconds, as the frames carry them."""

    type: EventType
    id: str
    """ULID, the same for all events of one activity."""
    seq: int
    """1 at the start, then without a hole."""
    camera: str
    activity: str
    label_id: int
    confidence: Confidence
    topk: tuple[LabelScore, ...]
    """The best three labels, best first."""
    started_at: float
    """Dated back to the first frame that supports the activity."""
    updated_at: float
    detected_at: float
    """The time of the frame at which the start was decided."""
    ended_at: float | None = None
    end_reason: EndReason | None = None
    previous: Previous | None = None
    historical: bool = False
    """Reported long after it happened: the run that saw it was killed."""

    @property
    def until(self) -> float:
        """When it ended; while it goes on, when it was last updated."""
        return self.updated_at if self.ended_at is None else self.ended_at


@dataclass(frozen=True)
class Activity:
    """What the person in front of a camera does now."""

    name: str
    """A label, or `unknown`."""
    since: float
    confidence: float
    threshold: float = 0.0
    """The score from which it starts; for `unknown`, the threshold of the likeliest activity."""


class Warming(NamedTuple):
    """How full a window is."""

    frames: int
    needed: int

    @property
    def is_over(self) -> bool:
        return self.frames >= self.needed


@dataclass(frozen=True, eq=False)
class Notice:
    """What one frame, or one change of a camera, led to. It holds no pixels: all of it may leave this machine."""

    camera: str
    time: float
    activity: Activity
    warming: Warming
    scores: Scores | None = None
    """None when this frame gave no recognition."""
    smoothed: NDArray[np.float32] | None = None
    """(K,) the scores smoothed over time, of this or the last recognition; None before the first."""
    best: tuple[LabelScore, ...] = ()
    """The three labels with the highest of the smoothed scores, best first; empty before the first recognition."""
    events: tuple[Event, ...] = ()
    change: CameraChange | None = None
    lit: float = 1.0
    """The share of the last picture that is not black, 0 to 1."""
    unchanged: float = 0.0
    """Seconds for which all pictures have been identical, bit for bit."""


class NextActivity(NamedTuple):
    """The likeliest activity after the current one."""

    activity: str
    probability: float
    expected_at: float


class HorizonForecast(NamedTuple):
    """The likeliest activity at one moment of the future."""

    horizon: float
    """Seconds after the forecast was made."""
    activity: str
    probability: float


@dataclass(frozen=True)
class Forecast:
    """What is expected in front of a camera. Times in seconds since the epoch, probabilities 0 to 1."""

    made_at: float
    next: NextActivity | None
    then: tuple[HorizonForecast, ...]


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
    """The health of a camera."""

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
    warming: Warming
    fps: float
    """Frames per second that came lately, dropped frames included."""
    frame_age: float | None
    """Seconds since a frame came, looked at once a second; None before the first frame."""
    dropped: int
    """Frames since the start that newer ones replaced before there was time for them."""
    dropping: float
    """The share of the last frames that were dropped, 0 to 1."""
    behind: float
    """Seconds by which a replay is late; 0 for a live camera, which drops frames instead."""
    overloaded: bool
    """The machine cannot keep up: too many frames are dropped, or a replay is too late."""
    reconnects: int


class LatencyStats(NamedTuple):
    """Latencies in seconds."""

    p50: float
    """The median."""
    p95: float
    """The 95th percentile."""


@dataclass(frozen=True)
class NodeStats:
    """A node at a glance. Counts run since the start, over the cameras that are watched."""

    time: float
    """Seconds since the epoch."""
    uptime: float
    """Seconds."""
    provider: str
    """What runs the model, for a person to read."""
    cameras: int
    live: int
    """Cameras that are recognized."""
    frames: int
    """Frames that were handed to recognition."""
    dropped: int
    """Frames that newer ones replaced."""
    windows: int
    unknown: int
    """Windows without an activity."""
    starts: int
    ends: int
    """Events, by type."""
    latency: LatencyStats | None
    """From a frame's capture until its recognition was handed over, since the stats before these.

    None without a live recognition.
    """
    cpu: float | None
    """Cores kept busy since the stats before these; None where the system does not report it."""
    memory: int | None
    """Bytes of this process; None where the system does not report it."""


@dataclass(frozen=True, eq=False)
class Step:
    """A notice with the picture that led to it."""

    notice: Notice
    frame: Frame | None
    """None for a change of a camera."""
