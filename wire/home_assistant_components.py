"""The parts of an announcement to Home Assistant: components and their availability."""

from __future__ import annotations

import re

from harstream.wire.payloads import OFFLINE, ONLINE

EXPIRE_AFTER = 180
"""Seconds without a message until an activity or a forecast becomes unavailable. Each is published every 60 s."""

Payload = dict[str, object]


def device_id(*names: str) -> str:
    """Return the identifier of a node, or of a node's camera. No name contains a slash, so none is another's."""
    return "/".join(["har", *names])


def device_payload(about: Payload, components: dict[str, Payload], version: str, name: str) -> Payload:
    """Give the components their ids. `about` names the device, and `version` is that of harstream.

    `name` begins the ids of the entities, which stay the same when a title changes.
    """
    device = about["identifiers"]
    named = {
        key: component
        | {
            "unique_id": f"{device}/{key}",
            "default_entity_id": f"{component['platform']}.{slug(name)}_{slug(str(component['name']))}",
        }
        for key, component in components.items()
        if "name" in component
    }
    origin = {"name": "harstream", "sw_version": version}
    return {"device": about, "origin": origin, "components": components | named}


def sensor(name: str, topic: str, template: str, **more: object) -> Payload:
    return {"platform": "sensor", "name": name, "state_topic": topic, "qos": 1, "value_template": template, **more}


def on_off(name: str, topic: str, on: str, off: str, **more: object) -> Payload:
    payloads = {"payload_on": on, "payload_off": off}
    return {"platform": "binary_sensor", "name": name, "state_topic": topic, "qos": 1, **payloads, **more}


def available(*topics: str) -> Payload:
    said = {"payload_available": ONLINE, "payload_not_available": OFFLINE}
    # The default is `latest`: a node that returns would make all its cameras available.
    return {"availability": [{"topic": topic, **said} for topic in topics], "availability_mode": "all"}


def diagnostic(component: Payload) -> Payload:
    return component | {"entity_category": "diagnostic"}


def hidden(component: Payload) -> Payload:
    return diagnostic(component) | {"enabled_by_default": False}


def readable_name(camera: str) -> str:
    """Turn `living-room` into `Living room`."""
    words = " ".join(re.findall(r"[A-Za-z0-9]+", camera)) or "Camera"
    return words[0].upper() + words[1:]


def slug(name: str) -> str:
    """Make an entity's id from its name, as Home Assistant does."""
    return "_".join(re.findall(r"[a-z0-9]+", name.lower()))
