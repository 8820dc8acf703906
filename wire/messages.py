"""The messages as types: what `wire` builds, and what their JSON Schemas and the AsyncAPI document are made from.

Additive changes keep a schema's id; a breaking change is the next number, on a topic of its own.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import ConfigDict, Field, TypeAdapter, with_config
from typing_extensions import TypedDict

from harstream.wire.errors import Trouble
from harstream.wire.values import EndReason, EventType, HealthState

EVENT: Final = "harstream.event/1"
OBSERVATION: Final = "harstream.observation/1"
ACTIVITY: Final = "harstream.activity/1"
HEALTH: Final = "harstream.health/1"
INFO: Final = "harstream.info/1"
LABELS: Final = "harstream.labels/1"
FORECAST: Final = "harstream.forecast/1"
"""Said by a program that forecasts, not by `run`."""
STATS: Final = "harstream.stats/1"
ERROR: Final = "harstream.error/1"

Moment = Annotated[
    str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", json_schema_extra={"format": "date-time"})
]
"""RFC 3339 in UTC with milliseconds."""
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Score = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Sha = Annotated[str, Field(pattern=r"^[0-9a-f]*$")]

_DOCUMENTED = with_config(ConfigDict(use_attribute_docstrings=True))


@_DOCUMENTED
class PlaceMessage(TypedDict):
    """Where it was seen."""

    node: Name
    camera: Name
    area: str | None
    """The room that the camera watches."""


@_DOCUMENTED
class ModelMessage(TypedDict):
    """The model that recognized."""

    name: str
    version: str
    sha256: Sha
    """Of its ONNX files."""


@_DOCUMENTED
class ConfidenceMessage(TypedDict):
    """The smoothed score of the activity since its start."""

    mean: Score
    peak: Score
    last: Score


@_DOCUMENTED
class LatencyMessage(TypedDict):
    """How late an event was told, in milliseconds."""

    decision: Count
    """From the moment the activity is dated back to until the frame that decided it."""
    frame_to_publish: Count | None
    """From a frame's capture until its event was handed over; null for a replay, and for an event that waited."""


@_DOCUMENTED
class PreviousMessage(TypedDict):
    """What this camera saw before."""

    activity: str
    """A label, or `unknown`."""
    dwell_s: Seconds


@_DOCUMENTED
class EventWindowMessage(TypedDict):
    """The window of frames that the model looks at."""

    frames: Count
    span_s: Seconds | None
    """Null for a model whose frames are spread evenly over a clip of any length."""
    gaps: Count


@_DOCUMENTED
class EventMessage(PlaceMessage):
    """An activity starts, goes on or ends. Delivered at least once: drop repeats by (id, seq)."""

    schema: Literal["harstream.event/1"]
    event_type: EventType
    id: str
    """ULID, the same for all events of one activity."""
    seq: Annotated[int, Field(ge=1)]
    """1 at the start, then without a hole."""
    activity: str
    label_id: Count
    confidence: ConfidenceMessage
    topk: list[tuple[str, Score]]
    """The best labels with their smoothed scores, best first."""
    started_at: Moment
    """Dated back to the first frame that supports the activity."""
    updated_at: Moment
    ended_at: NotRequired[Moment]
    """Of an end: dated back to the last frame that supports the activity."""
    duration_s: Seconds
    detected_at: Moment
    """Of the frame that decided the start."""
    latency_ms: LatencyMessage
    previous: PreviousMessage | None
    end_reason: NotRequired[EndReason]
    window: EventWindowMessage
    model: ModelMessage
    historical: bool
    """An outage held it back, or a kill left it to the next start: act on it as on news of the past."""


@_DOCUMENTED
class ObservationMessage(PlaceMessage):
    """One recognition, or a missing one, which is not the same as "no activity"."""

    schema: Literal["harstream.observation/1"]
    seq: Annotated[int, Field(ge=1)]
    """Of this camera since the service started."""
    t: Moment
    """Of the window's last frame."""
    dt: float | None
    """Seconds since the observation before; null for the first. A replay that begins anew goes back in time."""
    symbol: str | None
    """The likeliest activity, `unknown` below the model's threshold or for background; null where none is valid."""
    p: list[Score] | None
    """Calibrated probabilities in the order of the labels. Windows overlap: temper by stride_s / span_s."""
    labels_sha: Sha
    """As in `labels`: equal where `p` means the same."""
    valid: bool
    reason: str | None
    """Why it is not valid."""
    dwell_s: float | None
    """Seconds since the current activity, or none, began."""
    stride_s: Seconds | None
    """From one recognition to the next."""
    span_s: Seconds | None
    """From the first to the last frame of the window."""
    model: ModelMessage


@_DOCUMENTED
class ActivityMessage(PlaceMessage):
    """What a camera's person does now. Retained; said on change, and every 60 s."""

    schema: Literal["harstream.activity/1"]
    activity: str
    """A label, or `unknown`."""
    confidence: Score
    since: Moment
    updated_at: Moment


@_DOCUMENTED
class WarmingMessage(TypedDict):
    """How full the window is."""

    frames: Count
    needed: Count


@_DOCUMENTED
class HealthMessage(PlaceMessage):
    """How a camera fares. Retained; said when it changes, and every 60 s."""

    schema: Literal["harstream.health/1"]
    state: HealthState
    """stalled: connected, but no frame comes; frozen: every frame is the same; dark: there is nothing to see."""
    since: Moment
    """When this state began."""
    code: Trouble | None
    """What is wrong, for programs; null where nothing is, or where the state says it."""
    reason: str | None
    """The same for a person, with what to do."""
    window: WarmingMessage
    fps: Annotated[float, Field(ge=0)]
    """Frames that came a second, of late, those that were dropped included."""
    frame_age_s: Count | None
    """Since a frame came; null before the first."""
    overloaded: bool
    """The machine cannot keep up."""
    dropping: Score
    """The share of the last frames that newer ones replaced before there was time for them."""
    dropped: Count
    """Such frames since the start."""
    behind_s: Seconds
    """How late a replay is, which drops none."""
    reconnects: Count
    updated_at: Moment


@_DOCUMENTED
class HorizonMessage(TypedDict):
    """What is expected after some time."""

    horizon_s: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """After `made_at`."""
    p: dict[str, Score]
    """Of each activity that the model tells, and of `unknown`, the probability that it goes on then; they sum to 1."""


@_DOCUMENTED
class NextMessage(TypedDict):
    """The likeliest activity after the current one."""

    activity: str
    """A label, or `unknown`; never the current one."""
    p: Score
    """That it is the next."""
    expected_at: Moment
    """The median of the times at which it would start."""


@_DOCUMENTED
class PredictorMessage(TypedDict):
    """What forecasts."""

    name: str
    """Of the method, such as `hmm`."""
    version: str
    trained_until: Moment | None
    """The last of what it learned from; null for one that has learned nothing yet."""


@_DOCUMENTED
class ForecastMessage(PlaceMessage):
    """What is expected next before a camera. Retained. Said by a program that forecasts, not by `run`."""

    schema: Literal["harstream.forecast/1"]
    made_at: Moment
    activity: str
    """That goes on at `made_at`: a label, or `unknown`."""
    dwell_s: Seconds
    """How long it has lasted."""
    horizons: Annotated[list[HorizonMessage], Field(min_length=1)]
    """The nearest first."""
    next: NextMessage | None
    """Null while nothing is known of what follows."""
    labels_sha: Sha
    """As in `labels`: of the model whose activities these are."""
    predictor: PredictorMessage


@_DOCUMENTED
class InfoWindowMessage(TypedDict):
    """The window of frames that the model looks at."""

    frames: Count
    span_s: Seconds | None
    rate_hz: Annotated[float, Field(gt=0)] | None


@_DOCUMENTED
class InfoMessage(TypedDict):
    """What runs on this node. Retained."""

    schema: Literal["harstream.info/1"]
    node: Name
    version: str
    """Of harstream."""
    model: ModelMessage
    window: InfoWindowMessage
    labels_sha: Sha
    schemas: list[str]
    """Ids of the schemas that this node speaks."""


@_DOCUMENTED
class LabelsMessage(TypedDict):
    """What the model can tell, in its order. Retained."""

    schema: Literal["harstream.labels/1"]
    node: Name
    labels: list[str]
    background: list[str]
    """Labels that are no activity."""
    labels_sha: Sha


@_DOCUMENTED
class CameraCountsMessage(TypedDict):
    """The node's cameras."""

    total: Count
    live: Count
    """Whose frames are recognized."""


@_DOCUMENTED
class EventCountsMessage(TypedDict):
    """Events, but for updates."""

    start: Count
    end: Count


@_DOCUMENTED
class DroppedMessage(TypedDict):
    """What was lost, by its cause."""

    frames: Count
    """A newer one came before there was time for them."""
    observations: Count
    """Nobody was connected; any other message of QoS 0 counts with them."""
    events: Count
    """They waited longer, or were more, than is kept while the broker is away."""


@_DOCUMENTED
class StatsLatencyMessage(TypedDict):
    """From a frame's capture until what was recognized in it had been handed over, in milliseconds."""

    p50: Annotated[float, Field(ge=0)]
    p95: Annotated[float, Field(ge=0)]


@_DOCUMENTED
class StatsMessage(TypedDict):
    """A node at a glance, every 60 s. Counts are since the start, of the cameras that are watched now."""

    schema: Literal["harstream.stats/1"]
    node: Name
    at: Moment
    uptime_s: Seconds
    cameras: CameraCountsMessage
    frames: Count
    """That were not dropped."""
    windows: Count
    """Recognitions."""
    unknown_share: Score | None
    """Of the recognitions, those while no activity went on; null before the first."""
    events: EventCountsMessage
    dropped: DroppedMessage
    waiting: Count
    """Events on disk that the broker does not have yet."""
    latency_ms: StatsLatencyMessage | None
    """Of the last minute; null without a recognition of a live camera."""
    provider: str
    """What runs the model, for a person."""
    cpu: Annotated[float, Field(ge=0)] | None
    """Cores that the process kept busy in the last minute; null where the system does not tell."""
    memory_bytes: Count | None
    """Of the process; null where the system does not tell."""


@_DOCUMENTED
class ErrorMessage(TypedDict):
    """What was asked for over MQTT and could not be done."""

    schema: Literal["harstream.error/1"]
    node: Name
    topic: str
    """Where it was asked; the beginning of it where it is very long."""
    detail: str
    """Why not, in one line for a person."""
    at: Moment


MESSAGES = {
    EVENT: EventMessage,
    OBSERVATION: ObservationMessage,
    ACTIVITY: ActivityMessage,
    HEALTH: HealthMessage,
    INFO: InfoMessage,
    LABELS: LabelsMessage,
    FORECAST: ForecastMessage,
    STATS: StatsMessage,
    ERROR: ErrorMessage,
}
"""By the id that each carries in `schema`."""


def json_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema (draft 2020-12) of each of MESSAGES, by its id."""
    return {
        schema_id: {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": schema_id,
            **TypeAdapter(message).json_schema(mode="serialization"),
        }
        for schema_id, message in MESSAGES.items()
    }
