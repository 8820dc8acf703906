"""The JSON Schema of each message."""

from __future__ import annotations

from typing import Any

from harstream.wire.messages.camera import (
    ACTIVITY,
    HEALTH,
    OBSERVATION,
    ActivityMessage,
    HealthMessage,
    ObservationMessage,
)
from harstream.wire.messages.emission import EMISSION, EmissionMessage
from harstream.wire.messages.event import EVENT, EventMessage
from harstream.wire.messages.forecast import FORECAST, ForecastMessage
from harstream.wire.messages.message import Message
from harstream.wire.messages.node import (
    ERROR,
    INFO,
    LABELS,
    OWNER,
    STATS,
    ErrorMessage,
    InfoMessage,
    LabelsMessage,
    OwnerMessage,
    StatsMessage,
)

MESSAGES: dict[str, type[Message]] = {
    EVENT: EventMessage,
    OBSERVATION: ObservationMessage,
    ACTIVITY: ActivityMessage,
    HEALTH: HealthMessage,
    INFO: InfoMessage,
    LABELS: LabelsMessage,
    EMISSION: EmissionMessage,
    FORECAST: ForecastMessage,
    STATS: StatsMessage,
    ERROR: ErrorMessage,
    OWNER: OwnerMessage,
}
"""The message types by the id of their schema."""
PUBLISHED = [schema_id for schema_id in MESSAGES if schema_id != FORECAST]
"""Ids of the messages that a node publishes."""


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema (draft 2020-12) of each message, by its id."""
    return {
        schema_id: {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": schema_id,
            **message.model_json_schema(),
        }
        for schema_id, message in MESSAGES.items()
    }
