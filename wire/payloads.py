"""The payloads without a message type: single words, and JSON whose schema others define."""

from __future__ import annotations

import json
from collections.abc import Mapping

from harstream.wire.values import CameraState

ONLINE, OFFLINE = "online", "offline"
"""The availability of a node or a camera."""
ON, OFF = "ON", "OFF"
"""The state of a switch."""


def availability(state: CameraState) -> str | None:
    """Return a camera's availability. None while it connects, because the last availability still holds."""
    if state is CameraState.CONNECTING:
        return None
    return OFFLINE if state.is_away else ONLINE


def encode_json(content: Mapping[str, object]) -> bytes:
    """Write one line of UTF-8 without its line end. Raises ValueError for NaN, which is not JSON."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
