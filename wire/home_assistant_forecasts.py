"""Announces the forecasts of a node to Home Assistant, as entities of the devices of its cameras or of the node.

The forecaster announces them itself, so that they are there only where a forecaster runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import cast

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


Earlier = Mapping[str, Mapping[str, str]]
"""The platforms of announced components, by discovery topic and key of the component."""


def forecast_announcements(
    prefix: str,
    node: str,
    places: Iterable[str | None],
    activities: Iterable[str],
    version: str,
    earlier: Earlier = MappingProxyType({}),
) -> dict[str, bytes]:
    """Return the payload by discovery topic, one per place: a camera, or None for the home, which is the node's device.

    `prefix` is Home Assistant's discovery prefix. `version` is that of harstream. `earlier`: what was announced before.
    """
    names = list(activities)
    payloads = {_topic(prefix, node, place): _payload(node, place, names, version) for place in places}
    return {topic: encode_json(_without_old(payload, earlier.get(topic, {}))) for topic, payload in payloads.items()}


def discovery_topics(prefix: str, node: str) -> tuple[str, str]:
    """Return the topics of the announcements: for all cameras, and for the home."""
    return f"{prefix}/device/har-forecast_{node}/+/config", _topic(prefix, node, None)


def components_of(payload: bytes) -> dict[str, str]:
    """Return the platform of each component of an announcement, by its key. Another payload has none."""
    try:
        return {str(key): str(component["platform"]) for key, component in json.loads(payload)["components"].items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _topic(prefix: str, node: str, place: str | None) -> str:
    return (
        f"{prefix}/device/" + (f"har-forecast/{node}" if place is None else f"har-forecast_{node}/{place}") + "/config"
    )


def _without_old(payload: Payload, earlier: Mapping[str, str]) -> Payload:
    """Remove the components of an earlier model. A device keeps a component that is left out.

    It removes a component that has only a platform.
    """
    old: dict[str, Payload] = {key: {"platform": platform} for key, platform in earlier.items()}
    return payload | {"components": old | cast(dict[str, Payload], payload["components"])}


def _payload(node: str, place: str | None, activities: list[str], version: str) -> Payload:
    topics = Topics(node)
    forecast = topics.home_forecast if place is None else topics.forecast(place)
    components = {
        key: component | available(topics.status, topics.forecaster)
        for key, component in _components(forecast, activities).items()
    }
    # The node announces the device, with its name and area. A name here would replace the camera's title.
    about: Payload = {"identifiers": device_id(node) if place is None else device_id(node, place)}
    return device_payload(about, components, version, f"harstream {node}" if place is None else readable_name(place))


def _components(forecast: str, activities: list[str]) -> dict[str, Payload]:
    """`forecast`: the topic. Left-out fields are read with `get`, because Home Assistant warns of undefined ones."""
    components = {
        "next_activity": sensor(
            "Next activity", forecast, _shown("value_json.next.activity", "value_json.next", f"'{UNKNOWN}'"),
            device_class="enum", options=[*activities, UNKNOWN], json_attributes_topic=forecast,
            json_attributes_template=_shown("{'reason': value_json.get('next_reason')} | tojson", otherwise="'{}'"),
        ),
        "next_activity_probability": sensor(
            "Next activity probability", forecast, _shown(_percent("value_json.next.p"), "value_json.next"),
            unit_of_measurement="%", state_class="measurement",
        ),
        "next_activity_at": sensor(
            "Next activity at", forecast, _shown("value_json.next.expected_at", "value_json.next"),
            device_class="timestamp",
        ),
        "unusual": on_off(
            "Unusual", forecast, "on", "off", device_class="problem",
            value_template=_shown("'on'", "value_json.get('unusual')", "'off'"),
            json_attributes_topic=forecast, json_attributes_template=_shown(_UNUSUAL, otherwise="'{}'"),
        ),
        "forecast_skill": diagnostic(sensor(
            "Forecast skill", forecast, _shown(_percent("value_json.skill.value"), "value_json.get('skill')"),
            unit_of_measurement="%", state_class="measurement",
        )),
        "surprise": diagnostic(sensor(
            "Surprise", forecast, _shown("value_json.get('surprise')"),
            unit_of_measurement="nats", state_class="measurement",
        )),
        **{f"soon/{activity}": _soon(forecast, activity) for activity in activities},
    }  # fmt: skip
    return {key: component | {"expire_after": EXPIRE_AFTER} for key, component in components.items()}


def _soon(forecast: str, activity: str) -> Payload:
    begins = f"(value_json.horizons | selectattr('horizon_s', 'eq', {SOON}) | first).begins[{json.dumps(activity)}]"
    return sensor(
        f"{activity} within {SOON // 60} min", forecast, _shown(_percent(begins), "value_json.next"),
        unit_of_measurement="%", state_class="measurement", enabled_by_default=False,
    )  # fmt: skip


def _shown(value: str, condition: str = "", otherwise: str = "None") -> str:
    """Return a template of `value`, or of `otherwise` where the condition does not hold.

    A forecaster that ends clears its forecast. Home Assistant has no `value_json` for such an empty message.
    """
    holds = " and ".join(filter(None, ("value_json is defined", condition)))
    return f"{{{{ {value} if {holds} else {otherwise} }}}}"


def _percent(share: str) -> str:
    return f"(100 * {share}) | round | int"


_FOUND = "(value_json.get('unusual') or {})"
_UNUSUAL = (
    f"{{'kind': {_FOUND}.get('kind'), 'activity': {_FOUND}.get('activity'), 'since': {_FOUND}.get('since')}} | tojson"
)
