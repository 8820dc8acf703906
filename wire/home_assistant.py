"""Announces a node and its cameras to Home Assistant, where they appear without configuration.

A camera becomes a device, and each of its components becomes an entity. To add a component, extend
`_camera_components`; a topic must drive it. Keys are written in full, without Home Assistant's abbreviations.

Source: https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload
"""

from __future__ import annotations

from collections.abc import Iterable

from harstream.models.contract import UNKNOWN
from harstream.wire.context import Context
from harstream.wire.health import HealthState
from harstream.wire.home_assistant_components import (
    EXPIRE_AFTER,
    Payload,
    available,
    device_id,
    device_payload,
    diagnostic,
    hidden,
    on_off,
    readable_name,
    sensor,
)
from harstream.wire.payloads import OFFLINE, ONLINE, encode_json
from harstream.wire.topics import Topics
from harstream.wire.values import EventType

BIRTH = "homeassistant/status"
"""Home Assistant publishes `online` here once it has started, whatever its discovery prefix is."""
HEALTHY_STATES = (HealthState.CONNECTING, HealthState.WARMING, HealthState.LIVE, HealthState.DISABLED)


def announcements(
    prefix: str, context: Context, cameras: Iterable[str], page: str | None = None, *, snapshots: bool = False
) -> dict[str, bytes]:
    """Return the payload by discovery topic: first the node's, then the cameras'.

    `prefix` is Home Assistant's discovery prefix. `page` is the URL at which other machines open the live view.
    `snapshots` says whether the node publishes snapshots.
    """
    node = device_id(context.node)
    payloads = {f"har/{context.node}": _node_payload(node, context, page)}
    for camera in cameras:
        payload = _camera_payload(device_id(context.node, camera), camera, context, page, snapshots=snapshots)
        payloads[f"har_{context.node}/{camera}"] = payload
    return {f"{prefix}/device/{place}/config": encode_json(payload) for place, payload in payloads.items()}


def _node_payload(device: str, context: Context, page: str | None) -> Payload:
    topics = Topics(context.node)
    components = {
        # It has no availability, because this entity shows whether the node is gone.
        "connectivity": on_off("Connectivity", topics.status, ONLINE, OFFLINE, device_class="connectivity"),
        "version": sensor("Version", topics.info, "{{ value_json.version }}"),
        "model": sensor("Model", topics.info, "{{ value_json.model.name }} {{ value_json.model.version }}"),
    }
    about = _about(device, f"harstream {context.node}", context, page)
    components = {key: diagnostic(component) for key, component in components.items()}
    return device_payload(about, components, context.version, f"harstream {context.node}")


def _camera_payload(device: str, camera: str, context: Context, page: str | None, *, snapshots: bool) -> Payload:
    own_page = page and f"{page}#{camera}"
    name = context.titles.get(camera) or readable_name(camera)
    about = _about(device, name, context, own_page) | {"via_device": device_id(context.node)}
    if area := context.areas.get(camera):
        about["suggested_area"] = area
    # A device keeps a component that is left out. It removes a component that has only a platform.
    snapshot: Payload = _snapshot(camera, context) if snapshots else {"platform": "image"}
    people: Payload = _people(camera, context) if camera in context.following else {"platform": "sensor"}
    components = _camera_components(camera, context) | {"snapshot": snapshot, "people": people}
    return device_payload(about, components, context.version, readable_name(camera))


def _camera_components(camera: str, context: Context) -> dict[str, Payload]:
    topics = Topics(context.node)
    activity, health = topics.activity(camera), topics.health(camera)
    whole_node = available(topics.status)
    watched = available(topics.status, topics.availability(camera))
    return {
        "activity": sensor(
            "Activity", activity, "{{ value_json.activity }}",
            device_class="enum", options=[*context.contract.activities, UNKNOWN], expire_after=EXPIRE_AFTER,
            json_attributes_topic=activity, json_attributes_template=_WHO if camera in context.following else _SINCE,
        ) | watched,
        "event": {
            "platform": "event", "name": "Event", "state_topic": topics.event(camera), "qos": 1,
            "event_types": [EventType.START.value, EventType.END.value],
            # An update every few seconds would fill the logbook. Home Assistant ignores an empty rendering.
            "value_template": "{{ value if value_json.event_type != 'update' }}",
        } | watched,
        "confidence": sensor(
            "Confidence", activity,
            f"{{{{ None if value_json.activity == '{UNKNOWN}' else (100 * value_json.confidence) | round | int }}}}",
            unit_of_measurement="%", state_class="measurement", expire_after=EXPIRE_AFTER,
        ) | watched,
        # These depend on the node alone, so that they show what is wrong while the camera is away.
        "connectivity": diagnostic(
            on_off(
                "Connectivity", topics.availability(camera), ONLINE, OFFLINE, device_class="connectivity"
            )
        ) | whole_node,
        "problem": diagnostic(
            on_off(
                "Problem", health, "on", "off", device_class="problem", value_template=_PROBLEM,
                json_attributes_topic=health, json_attributes_template=_WHY,
            )
        ) | whole_node,
        "enabled": {
            "platform": "switch", "name": "Enabled", "state_topic": topics.setting(camera, "enabled"), "qos": 1,
            "command_topic": topics.command(camera, "enabled"), "icon": "mdi:cctv",
        } | whole_node,
        "threshold": {
            "platform": "number", "name": "Threshold", "state_topic": topics.setting(camera, "threshold"), "qos": 1,
            "command_topic": topics.command(camera, "threshold"), "min": 0, "max": 1, "step": 0.01, "mode": "slider",
            "entity_category": "config",
        } | whole_node,
        **{key: hidden(component) | whole_node for key, component in _figures(health).items()},
    }  # fmt: skip


def _people(camera: str, context: Context) -> Payload:
    topics = Topics(context.node)
    count = sensor(
        "People", topics.activity(camera), "{{ value_json.get('people', []) | count }}",
        state_class="measurement", icon="mdi:account-multiple", expire_after=EXPIRE_AFTER,
    )  # fmt: skip
    return count | available(topics.status, topics.availability(camera))


def _snapshot(camera: str, context: Context) -> Payload:
    topics = Topics(context.node)
    image = {"platform": "image", "name": "Snapshot", "image_topic": topics.snapshot(camera), "qos": 1}
    return image | {"content_type": "image/jpeg"} | available(topics.status)


def _figures(health: str) -> dict[str, Payload]:
    """Return entities for troubleshooting."""
    return {
        "fps": sensor(
            "Frame rate", health, "{{ value_json.fps }}", unit_of_measurement="fps", state_class="measurement"
        ),
        "frame_age": sensor(
            "Frame age", health, "{{ value_json.frame_age_s }}", device_class="duration", unit_of_measurement="s"
        ),
        "reconnects": sensor("Reconnects", health, "{{ value_json.reconnects }}", state_class="total_increasing"),
        "dropped": sensor("Dropped frames", health, "{{ value_json.dropped }}", state_class="total_increasing"),
    }


# These attributes stay the same while the activities last. Confidences would trigger automations every minute.
_SINCE = "{{ {'since': value_json.since} | tojson }}"
_WHO = (
    "{% set found = namespace(people=[]) %}{% for each in value_json.get('people', []) %}"
    "{% set found.people = found.people + "
    "[{'person': each.person, 'activity': each.activity, 'since': each.since}] %}{% endfor %}"
    "{{ {'since': value_json.since, 'person': value_json.get('person'), 'people': found.people} | tojson }}"
)
_PROBLEM = (
    "{{ 'on' if value_json.reason or value_json.overloaded or value_json.state not in ["
    + ", ".join(f"'{state.value}'" for state in HEALTHY_STATES)
    + "] else 'off' }}"
)
# Home Assistant drops attributes whose names it uses itself, such as `state`.
_WHY = "{{ {'health': value_json.state, 'reason': value_json.reason, 'overloaded': value_json.overloaded} | tojson }}"


def _about(device: str, name: str, context: Context, page: str | None) -> Payload:
    return {
        "identifiers": device,
        "name": name,
        "manufacturer": "harstream",
        "model": f"{context.contract.name} {context.contract.version}",
        "sw_version": context.version,
        **({"configuration_url": page} if page else {}),
    }
