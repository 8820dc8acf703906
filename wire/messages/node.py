"""The messages about a node: info, labels, stats, error."""

from __future__ import annotations

import platform
from typing import Annotated, Final, Literal

from pydantic import Field

from harstream.wire.context import Context
from harstream.wire.health import DeliveryCounts, NodeStats
from harstream.wire.messages.message import (
    Count,
    Hundredths,
    Message,
    ModelMessage,
    Moment,
    Name,
    Part,
    Score,
    Seconds,
    Sha,
    Tenths,
)

INFO: Final = "harstream.info/1"
LABELS: Final = "harstream.labels/1"
STATS: Final = "harstream.stats/1"
ERROR: Final = "harstream.error/1"
OWNER: Final = "harstream.owner/1"


class InfoWindowMessage(Part):
    """The window of frames at which the model looks."""

    frames: Count
    span_s: Seconds | None
    rate_hz: Annotated[float, Field(gt=0)] | None


class InfoMessage(Message):
    """What runs on this node. Retained."""

    id_of_schema: Literal["harstream.info/1"] = Field(alias="schema")
    node: Name
    version: str
    """The version of harstream."""
    model: ModelMessage
    window: InfoWindowMessage
    labels_sha: Sha
    schemas: list[str]
    """Ids of the schemas that this node publishes."""

    @classmethod
    def of(cls, context: Context, schemas: list[str]) -> InfoMessage:
        contract = context.contract
        return cls(
            schema=INFO,
            node=context.node,
            version=context.version,
            model=context.model,
            window=InfoWindowMessage(frames=contract.frames, span_s=context.span, rate_hz=contract.rate),
            labels_sha=context.labels_sha,
            schemas=schemas,
        )


class LabelsMessage(Message):
    """The labels of the model, in the order of its outputs. Retained."""

    id_of_schema: Literal["harstream.labels/1"] = Field(alias="schema")
    node: Name
    labels: list[str]
    background: list[str]
    """Labels that are not activities."""
    labels_sha: Sha

    @classmethod
    def of(cls, context: Context) -> LabelsMessage:
        return cls(
            schema=LABELS,
            node=context.node,
            labels=list(context.contract.labels),
            background=list(context.contract.background),
            labels_sha=context.labels_sha,
        )


class CameraCountsMessage(Part):
    """The node's cameras."""

    total: Count
    live: Count
    """Cameras whose frames are recognized."""


class EventCountsMessage(Part):
    """Numbers of events, without updates."""

    start: Count
    end: Count


class DroppedMessage(Part):
    """Numbers of what was dropped."""

    frames: Count
    """A newer frame came before they could be recognized."""
    observations: Count
    """The broker was not connected. Other messages of QoS 0 are counted here, too."""
    events: Count
    """While the broker was away, they waited too long or were too many."""


class RefusedMessage(Part):
    """Numbers of messages that the broker did not take."""

    messages: Count
    """Refusals. A refused event is published again."""
    set_aside: Count
    """Events that are stored in a file instead, because they were refused too often or are too large."""
    too_large: Count
    """Messages over the largest packet that the broker takes."""


class OwnerMessage(Message):
    """Which service or which forecaster runs as this node. Retained. It ends if it sees a higher epoch than its own."""

    id_of_schema: Literal["harstream.owner/1"] = Field(alias="schema")
    node: Name
    installation: str
    """The same after each restart of this installation."""
    run: str
    """Random, another one for each start."""
    host: str
    """The name of the machine."""
    started_at: Moment
    epoch: float
    """Seconds since 1970, at least the time of the start. It is above that of every earlier service."""

    @classmethod
    def of(cls, node: str, installation: str, run: str, *, started_at: float, epoch: float) -> OwnerMessage:
        return cls(
            schema=OWNER,
            node=node,
            installation=installation,
            run=run,
            host=platform.node() or "an unknown machine",
            started_at=started_at,
            epoch=epoch,
        )


class StatsLatencyMessage(Part):
    """From a frame's capture until its recognition was handed over, in milliseconds."""

    p50: Tenths
    p95: Tenths


class StatsMessage(Message):
    """A summary of a node, every 60 s. Counts start with the service and cover the cameras that are watched now."""

    id_of_schema: Literal["harstream.stats/1"] = Field(alias="schema")
    node: Name
    at: Moment
    uptime_s: Seconds
    cameras: CameraCountsMessage
    frames: Count
    """Frames that were not dropped."""
    windows: Count
    """Recognitions: windows that the model scored, one per person where people are recognized apart."""
    unknown_share: Score | None
    """The share of recognitions without an activity; null before the first recognition."""
    events: EventCountsMessage
    dropped: DroppedMessage
    refused: RefusedMessage
    waiting: Count
    """Events on disk that the broker has not acknowledged yet."""
    latency_ms: StatsLatencyMessage | None
    """Latency in the last minute; null if no live camera had a recognition."""
    provider: str
    """What runs the model, for a person."""
    cpu: Hundredths | None
    """Cores that the process kept busy in the last minute; null if the system does not report it."""
    memory_bytes: Count | None
    """Memory of the process; null if the system does not report it."""

    @classmethod
    def of(cls, stats: NodeStats, context: Context, delivery: DeliveryCounts) -> StatsMessage:
        latency = stats.latency
        return cls(
            schema=STATS,
            node=context.node,
            at=stats.time,
            uptime_s=stats.uptime,
            cameras=CameraCountsMessage(total=stats.cameras, live=stats.live),
            frames=stats.frames,
            windows=stats.windows,
            unknown_share=stats.unknown / stats.windows if stats.windows else None,
            events=EventCountsMessage(start=stats.starts, end=stats.ends),
            dropped=DroppedMessage(
                frames=stats.dropped, observations=delivery.dropped_observations, events=delivery.dropped_events
            ),
            refused=RefusedMessage(
                messages=delivery.refused, set_aside=delivery.set_aside, too_large=delivery.too_large
            ),
            waiting=delivery.waiting,
            latency_ms=latency and StatsLatencyMessage(p50=1000 * latency.p50, p95=1000 * latency.p95),
            provider=stats.provider,
            cpu=stats.cpu,
            memory_bytes=stats.memory,
        )


class ErrorMessage(Message):
    """A request over MQTT that could not be fulfilled."""

    id_of_schema: Literal["harstream.error/1"] = Field(alias="schema")
    node: Name
    topic: str
    """The topic of the request, cut if it is very long."""
    detail: str
    """The reason in one line for a person."""
    at: Moment

    @classmethod
    def of(cls, node: str, topic: str, detail: str, time: float) -> ErrorMessage:
        return cls(schema=ERROR, node=node, topic=topic, detail=detail, at=time)
