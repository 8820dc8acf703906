"""The messages about one camera: observation, activity, health."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from harstream.models.contract import UNKNOWN, ModelContract
from harstream.wire.context import Context
from harstream.wire.errors import Trouble
from harstream.wire.health import Health, HealthState
from harstream.wire.messages.message import (
    CameraMessage,
    Count,
    Difference,
    ModelMessage,
    Moment,
    Part,
    Person,
    Score,
    Scores,
    Seconds,
    Sha,
    Tenths,
    optional_field,
)
from harstream.wire.values import Notice, Subject

OBSERVATION: Final = "harstream.observation/1"
ACTIVITY: Final = "harstream.activity/1"
HEALTH: Final = "harstream.health/1"


class ObservationMessage(CameraMessage):
    """One recognition, or a missing recognition, which does not mean "no activity"."""

    id_of_schema: Literal["harstream.observation/1"] = Field(alias="schema")
    seq: Annotated[int, Field(ge=1)]
    """Number of this camera's observations since the service started, this one included."""
    t: Moment
    """The time of the window's last frame."""
    dt: Difference | None
    """Seconds since the previous observation; null for the first. Negative when a replay starts again."""
    symbol: str | None
    """The likeliest activity; `unknown` below the model's threshold or for background; null if `valid` is false."""
    p: Scores | None
    """Calibrated probabilities in the order of the labels. Windows overlap: temper by stride_s / span_s."""
    labels_sha: Sha
    """The same value as in `labels`. Observations with equal values have the same labels in `p`."""
    valid: bool
    reason: str | None
    """Why it is not valid; null if it is."""
    dwell_s: Difference | None
    """Seconds since the current activity or `unknown` began."""
    stride_s: Seconds | None
    """Seconds from one recognition to the next."""
    span_s: Seconds | None
    """Seconds from the first to the last frame of the window."""
    person: Person | SkipJsonSchema[None] = optional_field(
        "Whom the model saw: the most certain one of the people who are followed. Left out if it followed nobody."
    )
    model: ModelMessage

    @classmethod
    def of(cls, notice: Notice, context: Context, *, seq: int, previous: float | None) -> ObservationMessage:
        """Build a message of a recognition, or of a missing recognition if the notice has no scores.

        `previous` is the time of this camera's previous observation.
        """
        scores = notice.scores
        return cls(
            schema=OBSERVATION,
            seq=seq,
            node=context.node,
            camera=notice.camera,
            area=context.areas.get(notice.camera),
            t=notice.time,
            dt=None if previous is None else notice.time - previous,
            symbol=_symbol(notice, context.contract),
            p=None if scores is None else scores.values.tolist(),
            labels_sha=context.labels_sha,
            valid=scores is not None,
            reason=_why_missing(notice) if scores is None else None,
            dwell_s=None if scores is None else notice.time - notice.activity.since,
            stride_s=context.stride,
            span_s=None if scores is None else scores.span,
            person=None if scores is None else notice.person,
            model=context.model,
        )


def is_observation(notice: Notice) -> bool:
    """Return whether the notice is a recognition or the start of a gap. A frame between two recognitions is neither."""
    went_away = notice.change is not None and notice.change.state.is_away
    return notice.scores is not None or went_away


class PersonMessage(Part):
    """A person in front of a camera, and what they do."""

    person: Person
    """The number of the person. It holds for the visit: who comes back gets another one."""
    activity: str
    """A label, or `unknown`."""
    confidence: Score
    since: Moment

    @classmethod
    def of(cls, person: int, subject: Subject) -> PersonMessage:
        activity = subject.activity
        return cls(person=person, activity=activity.name, confidence=activity.confidence, since=activity.since)


class ActivityMessage(CameraMessage):
    """The current activity in front of a camera. Retained; published on each change and every 60 s."""

    id_of_schema: Literal["harstream.activity/1"] = Field(alias="schema")
    activity: str
    """A label, or `unknown`."""
    confidence: Score
    since: Moment
    updated_at: Moment
    person: Person | SkipJsonSchema[None] = optional_field(
        "Whose activity it is: that of the most certain one of the people. Left out if nobody is followed."
    )
    people: list[PersonMessage] | SkipJsonSchema[None] = optional_field(
        "All people who are followed, by their numbers. Left out if nobody is."
    )

    @classmethod
    def of(cls, notice: Notice, context: Context) -> ActivityMessage:
        return cls(
            schema=ACTIVITY,
            node=context.node,
            camera=notice.camera,
            area=context.areas.get(notice.camera),
            activity=notice.activity.name,
            confidence=notice.activity.confidence,
            since=notice.activity.since,
            updated_at=notice.time,
            person=notice.person,
            people=[PersonMessage.of(*each) for each in notice.people.items()] or None,
        )


class WarmingMessage(Part):
    """How many frames the window has and needs."""

    frames: Count
    needed: Count


class HealthMessage(CameraMessage):
    """The health of a camera. Retained; published on each change and every 60 s."""

    id_of_schema: Literal["harstream.health/1"] = Field(alias="schema")
    state: HealthState
    """stalled: connected, but no frames come; frozen: all frames are identical; dark: all frames are black."""
    since: Moment
    """When this state began."""
    code: Trouble | None
    """What is wrong, for programs; null if nothing is wrong or `state` says enough."""
    reason: str | None
    """The same for a person, with what to do."""
    window: WarmingMessage
    fps: Tenths
    """Recent frames per second, dropped frames included."""
    frame_age_s: Count | None
    """Seconds since the last frame; null before the first."""
    overloaded: bool
    """The machine cannot keep up."""
    dropping: Score
    """The share of the recent frames that the model needed and that were dropped, because the machine was too slow."""
    dropped: Count
    """Number of frames that were dropped since the start."""
    behind_s: Seconds
    """Seconds by which a replay is late; 0 for a live camera, which drops frames instead."""
    reconnects: Count
    updated_at: Moment

    @classmethod
    def of(cls, health: Health, context: Context) -> HealthMessage:
        return cls(
            schema=HEALTH,
            node=context.node,
            camera=health.camera,
            area=context.areas.get(health.camera),
            state=health.state,
            since=health.since,
            code=health.trouble,
            reason=health.reason or None,
            window=WarmingMessage(frames=health.warming.frames, needed=health.warming.needed),
            fps=health.fps,
            frame_age_s=None if health.frame_age is None else round(health.frame_age),
            overloaded=health.overloaded,
            dropping=health.dropping,
            dropped=health.dropped,
            behind_s=health.behind,
            reconnects=health.reconnects,
            updated_at=health.time,
        )


def _symbol(notice: Notice, contract: ModelContract) -> str | None:
    if notice.scores is None:
        return None
    best = int(notice.scores.values.argmax())
    label = contract.labels[best]
    is_sure = float(notice.scores.values[best]) >= contract.unknown_threshold
    return label if is_sure and label in contract.activities else UNKNOWN


def _why_missing(notice: Notice) -> str:
    return "warming" if notice.change is None else f"camera_{notice.change.state.value}"
