"""Writes the contract of the wire as files: a JSON Schema for each message, and an AsyncAPI document of all topics.

Run it with `python -m harstream.wire.asyncapi docs/mqtt`. Source: AsyncAPI 3.0.0, https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from __future__ import annotations

import json
import sys
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from harstream.wire.messages.camera import ACTIVITY, HEALTH, OBSERVATION
from harstream.wire.messages.emission import EMISSION
from harstream.wire.messages.event import EVENT
from harstream.wire.messages.forecast import FORECAST
from harstream.wire.messages.node import ERROR, INFO, LABELS, OWNER, STATS
from harstream.wire.payloads import OFF, OFFLINE, ON, ONLINE
from harstream.wire.schemas import json_schemas
from harstream.wire.topics import Topics

VERSION = "1.0.0"
"""The version of the whole contract. Each schema has a number of its own."""
NODE, CAMERA = "NODE", "CAMERA"
TOPICS = Topics(NODE)
PARAMETERS = {
    "node": "The name of the node, `node` in config.yaml.",
    "camera": "The camera's name in config.yaml.",
}


@dataclass(frozen=True)
class _Channel:
    topic: str
    summary: str
    qos: int
    retain: bool
    schema_id: str | None
    """The id of a message in `schemas.MESSAGES`. None if the channel is in `SIMPLE`."""
    action: Literal["send", "receive"] = "send"

    @property
    def name(self) -> str:
        *_, before, last = self.topic.split("/")
        if self.topic == TOPICS.home_forecast:
            return "homeForecast"
        is_part = last in ("set", "state") or before == "forecaster"
        return f"{before}{last.capitalize()}" if is_part else last


_SWITCH: dict[str, object] = {"contentType": "text/plain", "payload": {"type": "string", "enum": [ON, OFF]}}
_NUMBER: dict[str, object] = {"contentType": "text/plain", "payload": {"type": "string"}}
SIMPLE: dict[str, dict[str, object]] = {
    "status": {"contentType": "text/plain", "payload": {"type": "string", "enum": [ONLINE, OFFLINE]}},
    "availability": {"contentType": "text/plain", "payload": {"type": "string", "enum": [ONLINE, OFFLINE]}},
    "forecasterStatus": {"contentType": "text/plain", "payload": {"type": "string", "enum": [ONLINE, OFFLINE]}},
    "snapshot": {"contentType": "image/jpeg", "payload": {"type": "string", "format": "binary"}},
    "enabledSet": _SWITCH,
    "enabledState": _SWITCH,
    "thresholdSet": {**_NUMBER, "description": "`default` restores the threshold of config.yaml."},
    "thresholdState": _NUMBER,
}

CHANNELS = (
    _Channel(
        TOPICS.status,
        "Whether the node runs. The last will is offline, and so is the last message of a node that stops.",
        1,
        True,
        None,
    ),
    _Channel(TOPICS.owner, "Which service runs as this node. A service that sees a higher epoch ends.", 1, True, OWNER),
    _Channel(TOPICS.info, "What runs on the node.", 1, True, INFO),
    _Channel(TOPICS.labels, "The labels of its model, in order.", 1, True, LABELS),
    _Channel(
        TOPICS.emission,
        "P(recognized | true), measured on clips of groups that the model never saw.",
        1,
        True,
        EMISSION,
    ),
    _Channel(TOPICS.stats, "A summary of the node, every 60 s.", 0, False, STATS),
    _Channel(TOPICS.availability(CAMERA), "Whether the camera sends frames.", 1, True, None),
    _Channel(TOPICS.health(CAMERA), "The health of the camera.", 1, True, HEALTH),
    _Channel(TOPICS.activity(CAMERA), "The current activity in front of the camera.", 1, True, ACTIVITY),
    _Channel(TOPICS.event(CAMERA), "An activity starts, continues, or ends.", 1, False, EVENT),
    _Channel(TOPICS.observation(CAMERA), "One recognition with all probabilities.", 0, False, OBSERVATION),
    _Channel(
        TOPICS.snapshot(CAMERA),
        "The picture at the start of an event. Only if `mqtt.snapshots` is on.",
        0,
        True,
        None,
    ),
    _Channel(
        TOPICS.forecast(CAMERA),
        "What is expected next, for each horizon. `harstream forecast` publishes it.",
        0,
        True,
        FORECAST,
    ),
    _Channel(
        TOPICS.home_forecast,
        "The same for all cameras together, with `harstream forecast run --scope home`.",
        0,
        True,
        FORECAST,
    ),
    _Channel(
        TOPICS.forecaster,
        "Whether `harstream forecast` runs for the node. The last will is offline, and its forecasts no longer hold.",
        1,
        True,
        None,
    ),
    _Channel(
        TOPICS.forecaster_owner,
        "Which forecaster runs. One that sees a higher epoch ends.",
        1,
        True,
        OWNER,
    ),
    _Channel(TOPICS.command(CAMERA, "enabled"), "Switches the camera off or on.", 1, False, None, "receive"),
    _Channel(TOPICS.setting(CAMERA, "enabled"), "Whether the camera is switched on.", 1, True, None),
    _Channel(
        TOPICS.command(CAMERA, "threshold"),
        "Sets the score at which an activity starts, 0 to 1.",
        1,
        False,
        None,
        "receive",
    ),
    _Channel(TOPICS.setting(CAMERA, "threshold"), "The score at which an activity starts.", 1, True, None),
    _Channel(TOPICS.error, "A request that could not be fulfilled, and the reason.", 0, False, ERROR),
)


def files() -> dict[str, str]:
    """Return the content of each file, by its name."""
    schemas = {_schema_file(name): json.dumps(schema, indent=2) + "\n" for name, schema in json_schemas().items()}
    return schemas | {"asyncapi.yaml": yaml.safe_dump(_document(), sort_keys=False, width=120, allow_unicode=True)}


def _schema_file(schema_id: str) -> str:
    """`harstream.event/1` -> `event.1.schema.json`"""
    return f"{schema_id.removeprefix('harstream.').replace('/', '.')}.schema.json"


def _document() -> dict[str, object]:
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "harstream",
            "version": VERSION,
            "description": "What harstream publishes over MQTT (5, or 3.1.1) about people in front of its cameras. "
            "JSON in UTF-8; times are RFC 3339 in UTC with milliseconds.",
        },
        "defaultContentType": "application/json",
        "channels": {channel.name: _channel(channel) for channel in CHANNELS},
        "operations": {
            f"{channel.action}{channel.name[0].upper()}{channel.name[1:]}": _operation(channel) for channel in CHANNELS
        },
        "components": {
            "messages": {channel.name: {"summary": channel.summary, **_content(channel)} for channel in CHANNELS},
            "parameters": {name: {"description": description} for name, description in PARAMETERS.items()},
        },
    }


def _channel(channel: _Channel) -> dict[str, object]:
    address = channel.topic.replace(NODE, "{node}").replace(CAMERA, "{camera}")
    return {
        "address": address,
        "messages": {channel.name: {"$ref": f"#/components/messages/{channel.name}"}},
        "parameters": {
            name: {"$ref": f"#/components/parameters/{name}"} for name in PARAMETERS if f"{{{name}}}" in address
        },
    }


def _operation(channel: _Channel) -> dict[str, object]:
    return {
        "action": channel.action,
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "messages": [{"$ref": f"#/channels/{channel.name}/messages/{channel.name}"}],
        "bindings": {"mqtt": {"qos": channel.qos, "retain": channel.retain, "bindingVersion": "0.2.0"}},
    }


def _content(channel: _Channel) -> dict[str, object]:
    if channel.schema_id is None:
        return deepcopy(SIMPLE[channel.name])
    return {"payload": {"$ref": f"./{_schema_file(channel.schema_id)}"}}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (folder / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
