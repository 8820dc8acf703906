"""The health of a camera, and the statistics of a node. All values are frozen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from harstream.wire.errors import Trouble
from harstream.wire.values import Warming

REMOVED_REASON = "it is no longer watched"
"""The last reason of a camera that has left the config."""


class HealthState(StrEnum):
    CONNECTING = "connecting"
    WARMING = "warming"
    """Frames come, but the window is not full yet."""
    LIVE = "live"
    STALLED = "stalled"
    """The camera is connected, but no frames come."""
    FROZEN = "frozen"
    """Frames come, but all are identical."""
    DARK = "dark"
    """Frames come, but they are black."""
    DISABLED = "disabled"
    """The camera is switched off."""
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
    """Why the camera is in this state, for a person, without passwords. Empty if nothing is wrong."""
    trouble: Trouble | None
    """The same reason for a program. None if nothing is wrong or `state` says enough."""
    warming: Warming
    fps: float
    """Recent frames per second, dropped frames included."""
    frame_age: float | None
    """Seconds since the last frame, measured once a second. None before the first frame."""
    dropped: int
    """Frames since the start that were dropped because a newer frame came first."""
    dropping: float
    """The share of recent frames that were dropped, 0 to 1."""
    behind: float
    """Seconds by which a replay is late. 0 for a live camera, which drops frames instead."""
    overloaded: bool
    """True if the machine cannot keep up: too many frames are dropped, or a replay is too late."""
    reconnects: int


class LatencyStats(NamedTuple):
    """Latencies in seconds."""

    p50: float
    """The median."""
    p95: float
    """The 95th percentile."""


@dataclass(frozen=True)
class NodeStats:
    """A summary of a node. Counts start with the service and cover the cameras that are watched now."""

    time: float
    """Seconds since the epoch."""
    uptime: float
    """Seconds."""
    provider: str
    """What runs the model, for a person."""
    cameras: int
    live: int
    """Cameras whose frames are recognized."""
    frames: int
    """Frames that were handed to recognition."""
    dropped: int
    """Frames that were dropped because a newer frame came first."""
    windows: int
    unknown: int
    """Windows without an activity."""
    starts: int
    ends: int
    """Events, by type."""
    latency: LatencyStats | None
    """From a frame's capture until its recognition was handed over, since the previous stats.

    None if no live camera had a recognition.
    """
    cpu: float | None
    """Cores that the process kept busy since the previous stats. None if the system does not report it."""
    memory: int | None
    """Memory of this process in bytes. None if the system does not report it."""


@dataclass(frozen=True)
class DeliveryCounts:
    """Numbers of messages that have not arrived at the broker, since the start of the service."""

    waiting: int = 0
    """Events that the broker has not acknowledged yet."""
    dropped_observations: int = 0
    """Messages of QoS 0 that were dropped without a connection."""
    dropped_events: int = 0
    """Events that waited too long or were too many."""
    refused: int = 0
    """Refusals by the broker. A refused event is published again."""
    set_aside: int = 0
    """Events that are stored in a file because the broker does not take them."""
    too_large: int = 0
    """Messages over the largest packet of the broker."""
