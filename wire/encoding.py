"""What goes over the wire: notices and events as the JSON messages and topics that other programs read."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from harstream.models.contract import UNKNOWN, ModelContract
from harstream.wire.messages import (
    ACTIVITY,
    ERROR,
    EVENT,
    FORECAST,
    HEALTH,
    INFO,
    LABELS,
    MESSAGES,
    OBSERVATION,
    STATS,
    ActivityMessage,
    ErrorMessage,
    EventMessage,
    HealthMessage,
    InfoMessage,
    LabelsMessage,
    ModelMessage,
    ObservationMessage,
    PlaceMessage,
    PreviousMessage,
    StatsMessage,
)
from harstream.wire.values import CameraState, Event, EventType, Health, NodeStats, Notice

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""Of a node or camera: nothing that has a meaning in a topic."""

ONLINE = "online"
OFFLINE = "offline"
ON, OFF = "ON", "OFF"
"""Of a switch."""


@dataclass(frozen=True)
class Context:
    """What every message says of its sender, the same for the whole run."""

    node: str
    areas: Mapping[str, str | None]
    """Camera to the room it watches; a camera without one may be left out."""
    contract: ModelContract
    model_sha256: str
    version: str
    """Of harstream."""
    stride_s: float | None = None
    """Seconds from one recognition to the next; None: one for each frame of the model's grid."""


@dataclass(frozen=True)
class Topics:
    """The topics of one node. Raises ValueError for a name that would change a topic's shape."""

    node: str

    def __post_init__(self) -> None:
        _check_name("node", self.node)

    @property
    def status(self) -> str:
        return f"har/{self.node}/status"

    @property
    def info(self) -> str:
        return f"har/{self.node}/info"

    @property
    def labels(self) -> str:
        return f"har/{self.node}/labels"

    @property
    def emission(self) -> str:
        return f"har/{self.node}/emission"

    @property
    def stats(self) -> str:
        return f"har/{self.node}/stats"

    @property
    def error(self) -> str:
        return f"har/{self.node}/error"

    def asked(self, camera: str, setting: str) -> str:
        """Where a setting of a camera is asked for; `+` for any."""
        return f"har/{self.node}/camera/{camera}/{setting}/set"

    def setting(self, camera: str, setting: str) -> str:
        """How it is."""
        return f"{self._camera(camera, setting)}/state"

    def availability(self, camera: str) -> str:
        return self._camera(camera, "availability")

    def health(self, camera: str) -> str:
        return self._camera(camera, "health")

    def activity(self, camera: str) -> str:
        return self._camera(camera, "activity")

    def event(self, camera: str) -> str:
        return self._camera(camera, "event")

    def observation(self, camera: str) -> str:
        return self._camera(camera, "observation")

    def snapshot(self, camera: str) -> str:
        return self._camera(camera, "snapshot")

    def forecast(self, camera: str) -> str:
        """`+` for those of all cameras."""
        return f"har/{self.node}/camera/+/forecast" if camera == "+" else self._camera(camera, "forecast")

    def _camera(self, camera: str, what: str) -> str:
        _check_name("camera", camera)
        return f"har/{self.node}/camera/{camera}/{what}"


def event_message(event: Event, context: Context, *, frame_to_publish: float | None = None) -> EventMessage:
    """`frame_to_publish` is the measured time from capture until now, in seconds; None where nobody measured it."""
    ended = event.type is EventType.END
    until = event.ended_at if event.ended_at is not None else event.updated_at
    message: EventMessage = {
        "schema": EVENT,
        "event_type": event.type,
        "id": event.id,
        "seq": event.seq,
        "node": context.node,
        "camera": event.camera,
        "area": context.areas.get(event.camera),
        "activity": event.activity,
        "label_id": event.label_id,
        "confidence": {
            "mean": _score(event.confidence.mean),
            "peak": _score(event.confidence.peak),
            "last": _score(event.confidence.last),
        },
        "topk": [(label, _score(score)) for label, score in event.topk],
        "started_at": timestamp(event.started_at),
        "updated_at": timestamp(event.updated_at),
        "duration_s": _seconds(until - event.started_at),
        "detected_at": timestamp(event.detected_at),
        "latency_ms": {
            "decision": round((event.detected_at - event.started_at) * 1000),
            "frame_to_publish": None
            if frame_to_publish is None or event.historical
            else round(frame_to_publish * 1000),
        },
        "previous": _previous(event),
        # A gap empties the window, so a window that led to an event has none.
        "window": {"frames": context.contract.frames, "span_s": _span(context.contract), "gaps": 0},
        "model": _model(context),
        "historical": event.historical,
    }
    if ended:
        message["ended_at"] = timestamp(until)
    if event.end_reason:
        message["end_reason"] = event.end_reason
    return message


def observation_message(notice: Notice, context: Context, *, seq: int, previous: float | None) -> ObservationMessage:
    """One recognition, or, for a notice without scores, a missing one.

    `previous` is the time of this camera's observation before this one.
    """
    valid = notice.scores is not None
    return {
        "schema": OBSERVATION,
        "seq": seq,
        **_place(notice.camera, context),
        "t": timestamp(notice.time),
        "dt": None if previous is None else _seconds(notice.time - previous),
        "symbol": _symbol(notice, context.contract),
        "p": None if notice.scores is None else [_score(p) for p in notice.scores.values],
        "labels_sha": labels_sha(context.contract),
        "valid": valid,
        "reason": None if valid else _why_missing(notice),
        "dwell_s": _seconds(notice.time - notice.activity.since) if valid else None,
        "stride_s": _stride(context),
        "span_s": None if notice.scores is None else _seconds(notice.scores.span),
        "model": _model(context),
    }


def as_historical(payload: bytes) -> bytes:
    """The same event, encoded, as one that an outage held back."""
    message = json.loads(payload)
    message["historical"] = True
    # It was measured until the outbox, and says nothing of an event that waited there.
    message["latency_ms"]["frame_to_publish"] = None
    return encode(message)


def measured_delay(payload: bytes) -> float | None:
    """Of an event, encoded: seconds from its frame's capture until it was handed over; None where none was measured."""
    delay: int | None = json.loads(payload)["latency_ms"]["frame_to_publish"]
    return None if delay is None else delay / 1000


def is_observation(notice: Notice) -> bool:
    """A recognition, or the start of a gap; a frame between two recognitions says nothing."""
    went_away = notice.change is not None and notice.change.state.is_away
    return notice.scores is not None or went_away


def activity_message(notice: Notice, context: Context) -> ActivityMessage:
    return {
        "schema": ACTIVITY,
        **_place(notice.camera, context),
        "activity": notice.activity.name,
        "confidence": _score(notice.activity.confidence),
        "since": timestamp(notice.activity.since),
        "updated_at": timestamp(notice.time),
    }


def health_message(health: Health, context: Context) -> HealthMessage:
    has, needs = health.warming
    return {
        "schema": HEALTH,
        **_place(health.camera, context),
        "state": health.state,
        "since": timestamp(health.since),
        "code": health.trouble,
        "reason": health.reason or None,
        "window": {"frames": has, "needed": needs},
        "fps": round(health.fps, 1),
        "frame_age_s": None if health.frame_age is None else round(health.frame_age),
        "overloaded": health.overloaded,
        "dropping": _score(health.dropping),
        "dropped": health.dropped,
        "behind_s": _seconds(health.behind),
        "reconnects": health.reconnects,
        "updated_at": timestamp(health.time),
    }


def info_message(context: Context) -> InfoMessage:
    contract = context.contract
    return {
        "schema": INFO,
        "node": context.node,
        "version": context.version,
        "model": _model(context),
        "window": {"frames": contract.frames, "span_s": _span(contract), "rate_hz": contract.rate},
        "labels_sha": labels_sha(contract),
        "schemas": [schema_id for schema_id in MESSAGES if schema_id != FORECAST],
    }


def labels_message(context: Context) -> LabelsMessage:
    contract = context.contract
    return {
        "schema": LABELS,
        "node": context.node,
        "labels": list(contract.labels),
        "background": list(contract.background),
        "labels_sha": labels_sha(contract),
    }


def stats_message(
    stats: NodeStats, context: Context, *, waiting: int, dropped_observations: int, dropped_events: int
) -> StatsMessage:
    """`waiting`: events that the broker does not have yet."""
    return {
        "schema": STATS,
        "node": context.node,
        "at": timestamp(stats.time),
        "uptime_s": _seconds(stats.uptime),
        "cameras": {"total": stats.cameras, "live": stats.live},
        "frames": stats.frames,
        "windows": stats.windows,
        "unknown_share": _score(stats.unknown / stats.windows) if stats.windows else None,
        "events": {"start": stats.starts, "end": stats.ends},
        "dropped": {"frames": stats.dropped, "observations": dropped_observations, "events": dropped_events},
        "waiting": waiting,
        "latency_ms": None
        if stats.latency is None
        else {"p50": round(1000 * stats.latency[0], 1), "p95": round(1000 * stats.latency[1], 1)},
        "provider": stats.provider,
        "cpu": None if stats.cpu is None else round(stats.cpu, 2),
        "memory_bytes": stats.memory,
    }


def error_message(node: str, topic: str, detail: str, time: float) -> ErrorMessage:
    return {"schema": ERROR, "node": node, "topic": topic, "detail": detail, "at": timestamp(time)}


def availability(state: CameraState) -> str | None:
    """None while it is being tried: what was said last stays true."""
    if state is CameraState.CONNECTING:
        return None
    return OFFLINE if state.is_away else ONLINE


def labels_sha(contract: ModelContract) -> str:
    """The first 12 hex digits of the SHA-256 of the labels, one a line: equal where `p` means the same."""
    return hashlib.sha256("\n".join(contract.labels).encode()).hexdigest()[:12]


def timestamp(seconds: float) -> str:
    """Seconds since the epoch as RFC 3339 in UTC with milliseconds."""
    # Rounded before the split: datetime would cut 0.9996 s down to .999.
    moment = datetime.fromtimestamp(round(seconds, 3), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def live_delay(frame_time: float, now: float) -> float | None:
    """Seconds from a frame's capture until now; None for a replayed file, whose frames are not of this minute."""
    delay = now - frame_time
    return delay if 0 <= delay < 60 else None


def encode(message: Mapping[str, object]) -> bytes:
    """One line of UTF-8 without its line end. Raises ValueError for NaN, which is not JSON."""
    return json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _check_name(what: str, name: str) -> None:
    if not NAME.fullmatch(name):
        raise ValueError(f"a {what} name is 1 to 64 of A-Z a-z 0-9 _ -, got {name[:80]!r}")


def _place(camera: str, context: Context) -> PlaceMessage:
    return {"node": context.node, "camera": camera, "area": context.areas.get(camera)}


def _model(context: Context) -> ModelMessage:
    return {"name": context.contract.name, "version": context.contract.version, "sha256": context.model_sha256}


def _previous(event: Event) -> PreviousMessage | None:
    if event.previous is None:
        return None
    activity, dwell = event.previous
    return {"activity": activity, "dwell_s": _seconds(dwell)}


def _symbol(notice: Notice, contract: ModelContract) -> str | None:
    if notice.scores is None:
        return None
    best = int(notice.scores.values.argmax())
    label = contract.labels[best]
    sure = float(notice.scores.values[best]) >= contract.unknown_threshold
    return label if sure and label in contract.activities else UNKNOWN


def _why_missing(notice: Notice) -> str:
    if notice.change is not None:
        return f"camera_{notice.change.state.value}"
    return "warming"


def _span(contract: ModelContract) -> float | None:
    return None if contract.rate is None else _seconds(contract.span)


def _stride(context: Context) -> float | None:
    if context.stride_s is not None:
        return _seconds(context.stride_s)
    return None if context.contract.rate is None else _seconds(1 / context.contract.rate)


def _score(value: float) -> float:
    return round(float(value), 4)


def _seconds(value: float) -> float:
    return round(float(value), 3)
