"""The message about an event: an activity starts, continues, or ends."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from harstream.wire.context import Context
from harstream.wire.messages.message import (
    Count,
    EventWindowMessage,
    Message,
    ModelMessage,
    Moment,
    Name,
    Part,
    Person,
    Score,
    Seconds,
    optional_field,
)
from harstream.wire.values import EndReason, Event, EventType

EVENT: Final = "harstream.event/1"


class ConfidenceMessage(Part):
    """The smoothed score of the activity since its start."""

    mean: Score
    peak: Score
    last: Score


class LatencyMessage(Part):
    """How late an event is reported, in milliseconds."""

    decision: Count
    """From `started_at` to the frame that decided the start."""
    frame_to_publish: Count | None
    """From a frame's capture until its event was handed over; null for a replay and for a historical event."""


class PreviousMessage(Part):
    """The activity before this one."""

    activity: str
    """A label, or `unknown`."""
    dwell_s: Seconds


class EventFacts(Part):
    """The fields of an event that history, CSV and the page show."""

    id: str
    """ULID, the same for all events of one activity."""
    seq: Annotated[int, Field(ge=1)]
    """1 at the start, then one more with each event of the activity."""
    event_type: EventType
    camera: Name
    area: str | None
    """The room that the camera watches."""
    activity: str
    confidence: ConfidenceMessage
    started_at: Moment
    """The time of the first frame that supports the activity."""
    updated_at: Moment
    ended_at: Moment | SkipJsonSchema[None] = optional_field(
        "Only at an end: the time of the last frame that supports the activity."
    )
    duration_s: Seconds
    end_reason: EndReason | SkipJsonSchema[None] = optional_field("Only at an end.")
    person: Person | SkipJsonSchema[None] = optional_field(
        "Who does it: 1, 2, ... in the order in which people came into view. It is no identity. Left out if the model "
        "does not follow people."
    )

    @classmethod
    def from_event(cls, event: Event, area: str | None) -> EventFacts:
        return EventFacts(**_facts(event, area))


def _facts(event: Event, area: str | None) -> dict[str, Any]:
    confidence = event.confidence
    return {
        "id": event.id,
        "seq": event.seq,
        "event_type": event.type,
        "camera": event.camera,
        "area": area,
        "activity": event.activity,
        "confidence": {"mean": confidence.mean, "peak": confidence.peak, "last": confidence.last},
        "started_at": event.started_at,
        "updated_at": event.updated_at,
        "ended_at": event.ended_at,
        "duration_s": event.until - event.started_at,
        "end_reason": event.end_reason,
        "person": event.person,
    }


class EventMessage(EventFacts, Message):
    """An activity starts, continues, or ends. An event may arrive twice: drop repeats by (id, seq)."""

    id_of_schema: Literal["harstream.event/1"] = Field(alias="schema")
    node: Name
    label_id: Count
    topk: list[tuple[str, Score]]
    """The best labels with their smoothed scores, best first."""
    detected_at: Moment
    """The time of the frame that decided the start."""
    latency_ms: LatencyMessage
    previous: PreviousMessage | None
    window: EventWindowMessage
    model: ModelMessage
    historical: bool
    """True if it is old news: an outage delayed it, or a later run reports it for a killed run."""

    @classmethod
    def of(cls, event: Event, context: Context, *, delay: float | None = None) -> EventMessage:
        """Build the message. `delay` is the time from the frame's capture until now in seconds, if it was measured."""
        published = None if delay is None or event.historical else round(delay * 1000)
        return cls(
            **_facts(event, context.areas.get(event.camera)),
            schema=EVENT,
            node=context.node,
            label_id=event.label_id,
            topk=list(event.topk),
            detected_at=event.detected_at,
            latency_ms=LatencyMessage(
                decision=round((event.detected_at - event.started_at) * 1000), frame_to_publish=published
            ),
            previous=event.previous and PreviousMessage(activity=event.previous.activity, dwell_s=event.previous.dwell),
            window=context.event_window,
            model=context.model,
            historical=event.historical,
        )

    @property
    def delay(self) -> float | None:
        """Seconds from the frame's capture until the event was handed over, None if not measured."""
        milliseconds = self.latency_ms.frame_to_publish
        return None if milliseconds is None else milliseconds / 1000

    def held_back(self) -> EventMessage:
        """Return a copy that says that an outage delayed the event."""
        # The delay ends at the outbox. It does not include the time that the event waited there.
        latency = self.latency_ms.model_copy(update={"frame_to_publish": None})
        return self.model_copy(update={"historical": True, "latency_ms": latency})
