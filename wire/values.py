"""The values that flow through a stream, in order of appearance. All are frozen, and nobody modifies their arrays."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harstream.models.box import WHOLE, Box
from harstream.models.contract import UNKNOWN
from harstream.models.picture import Picture
from harstream.wire.errors import Trouble


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of one camera."""

    camera: str
    time: float
    """Seconds since the epoch at capture. A file that `predict` reads counts from its recording's start, or from 0."""
    picture: Picture
    """It is converted only on demand."""
    previous: float | None = None
    """The time of the camera's frame before it, if that one was left out because the model does not need it."""


class CameraState(StrEnum):
    CONNECTING = "connecting"
    LIVE = "live"
    OFFLINE = "offline"
    DISABLED = "disabled"
    """It is switched off, and can be switched on again."""
    REMOVED = "removed"
    """It is no longer watched."""

    @property
    def is_away(self) -> bool:
        """No frames come in any state but live."""
        return self is not CameraState.LIVE


@dataclass(frozen=True)
class CameraChange:
    """A change of a camera's state."""

    camera: str
    time: float
    state: CameraState
    reason: str = ""
    """Why the camera went offline, for a person, without passwords."""
    trouble: Trouble | None = None
    """The same reason for a program."""


@dataclass(frozen=True)
class CameraControl:
    """The settings of a camera that can change while the service runs."""

    camera: str
    is_enabled: bool = True
    threshold: float | None = None
    """The score at which an activity starts, 0 to 1."""


@dataclass(frozen=True, eq=False)
class Scores:
    """One recognition: the model's probabilities for the last window."""

    values: NDArray[np.float32]
    """(K,) calibrated probabilities in the order of the labels. They sum to 1."""
    time: float
    """The time of the window's last frame."""
    span: float
    """Seconds from the window's first to its last frame."""
    labels: tuple[str, ...]
    """(K,) all labels of the model, background included."""
    person: int | None = None
    """Whose window it is. See Event.person."""

    def by_label(self) -> dict[str, float]:
        """Return the probability of each label; they sum to 1."""
        return dict(zip(self.labels, map(float, self.values), strict=True))


class LabelScore(NamedTuple):
    """A label with its smoothed score."""

    label: str
    score: float
    """0 to 1."""


class EventType(StrEnum):
    """What an event reports about its activity."""

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
    """The frames stopped or were too few for a window, or the file ended."""
    MAX_DURATION = "max_duration"
    """It lasted longer than the settings allow."""
    SHUTDOWN = "shutdown"
    """The service stopped."""
    PERSON_LEFT = "person_left"
    """The person is no longer in view, but others are."""


@dataclass(frozen=True)
class Confidence:
    """The smoothed score of the activity from its start to now, or to its end, 0 to 1."""

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
    """An activity started, continues, or ended. All times are frame times in seconds."""

    type: EventType
    id: str
    """ULID, the same for all events of one activity."""
    seq: int
    """1 at the start, then one more with each event of the activity."""
    camera: str
    activity: str
    label_id: int
    confidence: Confidence
    topk: tuple[LabelScore, ...]
    """The best three labels, best first."""
    started_at: float
    """The time of the first frame that supports the activity."""
    updated_at: float
    detected_at: float
    """The time of the frame at which the start was decided."""
    ended_at: float | None = None
    end_reason: EndReason | None = None
    previous: Previous | None = None
    historical: bool = False
    """True if a later run reports it, because the run that saw it was killed."""
    person: int | None = None
    """Who does it: 1, 2, ... in the order in which people came into view. None if the model sees all of the picture,
    or the box in which something moves. It is no identity: who comes back gets another number."""

    @property
    def until(self) -> float:
        """The end of the activity, or its last update if it has not ended."""
        return self.updated_at if self.ended_at is None else self.ended_at


@dataclass(frozen=True)
class Activity:
    """The current activity in front of a camera."""

    name: str
    """A label, or `unknown`."""
    since: float
    confidence: float
    threshold: float = 0.0
    """The score at which it starts. For `unknown`, this is the threshold of the likeliest activity."""


class Subject(NamedTuple):
    """A person in front of a camera, or whatever moves there, with the current activity."""

    person: int | None
    """The number of the person, as in events."""
    box: Box
    """The part of the picture that the model sees."""
    activity: Activity
    best: tuple[LabelScore, ...]
    """The three labels with the highest smoothed scores, best first. Empty before the first recognition."""
    scores: Scores | None = None
    """None if no window of this subject was scored at this frame."""


class Warming(NamedTuple):
    """How full a window is."""

    frames: int
    needed: int

    @property
    def is_over(self) -> bool:
        return self.frames >= self.needed


@dataclass(frozen=True, eq=False)
class Notice:
    """The result of one frame or of one camera change. It contains no pixels, so all of it may leave this machine."""

    camera: str
    time: float
    activity: Activity
    warming: Warming
    scores: Scores | None = None
    """None if this frame led to no recognition."""
    smoothed: NDArray[np.float32] | None = None
    """(K,) the smoothed scores of the latest recognition. None before the first recognition."""
    best: tuple[LabelScore, ...] = ()
    """The three labels with the highest smoothed scores, best first. Empty before the first recognition."""
    events: tuple[Event, ...] = ()
    change: CameraChange | None = None
    person: int | None = None
    """The person whose activity and scores these are, the most certain of all. See Event.person."""
    subjects: tuple[Subject, ...] = ()
    """All that are followed. One without a number if it is not known who is in front of the camera."""
    watched: Box = WHOLE
    """The part of the picture that is watched at all."""
    lit: float = 1.0
    """The share of the last picture that is not black, 0 to 1."""
    unchanged: float = 0.0
    """Seconds since the picture last changed, bit for bit."""

    @property
    def people(self) -> dict[int, Subject]:
        """The people who are followed, by their numbers, the lowest first."""
        people = {subject.person: subject for subject in self.subjects if subject.person is not None}
        return dict(sorted(people.items()))

    @property
    def boxed(self) -> tuple[Subject, ...]:
        """The people, or what moves. Empty if the model sees all that is watched."""
        parts = [each for each in self.subjects if each.person is not None or each.box != self.watched]
        return tuple(sorted(parts, key=lambda each: each.person or 0))


class NextActivity(NamedTuple):
    """The likeliest activity after the current one."""

    activity: str
    probability: float
    expected_at: float


class SoonActivity(NamedTuple):
    """An activity that is likely to begin soon."""

    activity: str
    probability: float
    """That it begins within the horizon."""
    horizon: float
    """Seconds after the forecast was made."""


class UnusualActivity(NamedTuple):
    """An activity that lasts unusually long, or that has not begun as usual."""

    kind: str
    """`lasts_long` or `not_begun`."""
    activity: str
    since: float


@dataclass(frozen=True)
class Forecast:
    """What is expected in front of a camera, or in a home. Times are seconds since the epoch, probabilities 0 to 1."""

    made_at: float
    next: NextActivity | None
    next_reason: str
    """Why `next` is None, for a person. Empty if the forecaster does not say it."""
    soon: tuple[SoonActivity, ...]
    """The soonest first. Empty if `next` is None, because the forecaster has not proved itself then."""
    unusual: UnusualActivity | None
    activity: str = UNKNOWN
    """What most likely goes on."""


@dataclass(frozen=True, eq=False)
class Step:
    """A notice with the picture that led to it."""

    notice: Notice
    frame: Frame | None
    """None for a camera change."""
