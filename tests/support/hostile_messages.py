"""Messages that no program of ours sends, for hypothesis: random bytes, odd text, and JSON that is almost right."""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.support.damage import DAMAGES, damaged

hostile_settings = settings(
    max_examples=DAMAGES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
"""As many inputs as damaged files of a kind, the same in each run."""
ODD_NUMBERS = (0, -1, 1e15, -1e15, 1e300, 10**400, 253_402_300_800, float("nan"), float("inf"), -float("inf"), 5e-324)
ODD_TEXTS = (
    "", "\0", "\x1b[2J", "\r\n", "\u202e", "\ud800", "2026-11-20", "0001-01-01T00:00:00+14:00", "NaN", "Infinity",
    "1e999", "[bold]", "\x9b6n", "a" * 5000,
)  # fmt: skip
odd_values: SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from((*ODD_NUMBERS, *ODD_TEXTS)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
raw_bytes: SearchStrategy[bytes] = st.one_of(
    st.binary(max_size=300),
    st.text().map(lambda text: text.encode()),
    st.sampled_from(ODD_TEXTS).map(lambda text: text.encode(errors="surrogatepass")),
    st.integers(1, 100_000).map(lambda depth: b"[" * depth),
    st.integers(1, 5000).map(lambda digits: b"9" * digits),
    st.integers(1, 300_000).map(lambda size: b"x" * size),
)


@st.composite
def almost_right(draw: DrawFn, sample: Mapping[str, Any], keep: Collection[str] = ()) -> bytes:
    """Replace or remove some values of a message, also of inner ones, but none of the keys in `keep`."""
    content = deepcopy(dict(sample))
    for _ in range(draw(st.integers(0, 3))):
        inside: Any = content
        while True:
            key = draw(st.sampled_from(_keys(inside, keep)))
            if not _keys(inside[key], keep) or draw(st.booleans()):
                break
            inside = inside[key]
        if isinstance(inside, dict) and draw(st.integers(0, 4)) == 0:
            del inside[key]
        else:
            inside[key] = draw(odd_values)
        if not _keys(content, keep):
            break
    return json.dumps(content, ensure_ascii=draw(st.booleans())).encode(errors="surrogatepass")


def payloads(sample: Mapping[str, Any], keep: Collection[str] = ()) -> SearchStrategy[bytes]:
    """Return a strategy for all kinds of payloads on the topic of `sample`."""
    good = json.dumps(sample).encode()
    cut = st.integers().map(lambda seed: damaged(good, random.Random(seed)))
    return st.one_of(raw_bytes, almost_right(sample, keep), almost_right(sample, keep), cut)


def _keys(value: Any, keep: Collection[str]) -> list[Any]:
    if isinstance(value, dict):
        return [key for key in value if key not in keep]
    return list(range(len(value))) if isinstance(value, list) else []


@dataclass(frozen=True)
class Message:
    """A message of MQTT 5."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    content_type: str = ""
    user_properties: tuple[tuple[str, str], ...] = field(default=())

    @property
    def properties(self) -> Properties:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if self.content_type:
            properties.ContentType = self.content_type
            properties.ResponseTopic = "har/home/camera/hall/enabled/set"
            properties.CorrelationData = self.payload[:100]
            properties.PayloadFormatIndicator = 1
            properties.MessageExpiryInterval = 3600
        if self.user_properties:
            properties.UserProperty = list(self.user_properties)
        return properties


TOPIC_LETTERS = st.characters(exclude_categories=("Cc", "Cs", "Cn"), exclude_characters="+#/$")
"""mosquitto disconnects a client that sends others."""
levels = st.sampled_from(("hall", "yard", "enabled", "threshold")) | st.text(TOPIC_LETTERS, min_size=1, max_size=40)


@st.composite
def messages(draw: DrawFn, topic: SearchStrategy[str], payload: SearchStrategy[bytes]) -> Message:
    return Message(
        draw(topic),
        draw(payload),
        draw(st.integers(0, 2)),
        draw(st.booleans()),
        draw(st.sampled_from(("", "", "application/json", "text/\u202eplain"))),
        draw(st.just(()) | st.tuples(st.tuples(st.text(TOPIC_LETTERS, max_size=20), st.text(TOPIC_LETTERS)))),
    )
