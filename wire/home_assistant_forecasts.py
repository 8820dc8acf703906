"""Announces the forecasts of a node's cameras to Home Assistant, as entities of the cameras' devices.

The forecaster announces them itself, so that they are there only where a forecaster runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from harstream.models.contract import UNKNOWN
from harstream.wire.home_assistant_components import (
    EXPIRE_AFTER,
    Payload,
    available,
    device_id,
    device_payload,
    diagnostic,
    on_off,
    readable_name,
    sensor,
)
from harstream.wire.payloads import encode_json
from harstream.wire.topics import Topics

SOON = 900
"""The horizon of the entities that say whether an activity begins soon, in seconds. Each forecast must have it."""


def forecast_announcements(
    prefix: str, node: str, cameras: Iterable[str], activities: Iterable[str], version: str
) -> dict[str, bytes]:
    """Return the payload by discovery topic, one per camera.

    `prefix` is Home Assistant's discovery prefix. `version` is that of harstream.
    """
    names = list(activities)
    return {
        f"{prefix}/device/har-forecast_{node}/{camera}/config": encode_json(_payload(node, camera, names, version))
        for camera in cameras
    }


def _payload(node: str, camera: str, activities: list[str], version: str) -> Payload:
    topics = Topics(node)
    components = {
        key: component | available(topics.status, topics.forecaster)
        for key, component in _components(topics.forecast(camera), activities).items()
    }
    # The node announces the device, with its name and area. A name here would replace the camera's title.
    about: Payload = {"identifiers": device_id(node, camera)}
    return device_payload(about, components, version, readable_name(camera))


def _components(forecast: str, activities: list[str]) -> dict[str, Payload]:
    """`forecast`: the topic. Left-out fields are read with `get`, because Home Assistant warns of undefined ones."""
    next_ = "value_json.next"
    components = {
        "next_activity": sensor(
            "Next activity", forecast, f"{{{{ {next_}.activity if {next_} else '{UNKNOWN}' }}}}",
            device_class="enum", options=[*activities, UNKNOWN], json_attributes_topic=forecast,
            json_attributes_template="{{ {'reason': value_json.get('next_reason')} | tojson }}",
        ),
        "next_activity_probability": sensor(
            "Next activity probability", forecast, f"{{{{ {_percent(f'{next_}.p')} if {next_} else None }}}}",
            unit_of_measurement="%", state_class="measurement",
        ),
        "next_activity_at": sensor(
            "Next activity at", forecast, f"{{{{ {next_}.expected_at if {next_} else None }}}}",
            device_class="timestamp",
        ),
        "unusual": on_off(
            "Unusual", forecast, "on", "off", device_class="problem",
            value_template="{{ 'on' if value_json.get('unusual') else 'off' }}",
            json_attributes_topic=forecast, json_attributes_template=_UNUSUAL,
        ),
        "forecast_skill": diagnostic(sensor(
            "Forecast skill", forecast,
            f"{{{{ {_percent('value_json.skill.value')} if value_json.get('skill') else None }}}}",
            unit_of_measurement="%", state_class="measurement",
        )),
        "surprise": diagnostic(sensor(
            "Surprise", forecast, "{{ value_json.get('surprise') }}",
            unit_of_measurement="nats", state_class="measurement",
        )),
        **{f"soon/{activity}": _soon(forecast, activity) for activity in activities},
    }  # fmt: skip
    return {key: component | {"expire_after": EXPIRE_AFTER} for key, component in components.items()}


def _soon(forecast: str, activity: str) -> Payload:
    begins = f"(value_json.horizons | selectattr('horizon_s', 'eq', {SOON}) | first).begins[{json.dumps(activity)}]"
    return sensor(
        f"{activity} within {SOON // 60} min", forecast, f"{{{{ {_percent(begins)} if value_json.next else None }}}}",
        unit_of_measurement="%", state_class="measurement", enabled_by_default=False,
    )  # fmt: skip


def _percent(share: str) -> str:
    return f"(100 * {share}) | round | int"


_UNUSUAL = (
    "{% set found = value_json.get('unusual') or {} %}"
    "{{ {'kind': found.get('kind'), 'activity': found.get('activity'), 'since': found.get('since')} | tojson }}"
)
