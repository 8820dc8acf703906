"""The payloads that are no message type: words, and JSON without a schema of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping

from harstream.wire.values import CameraState

ONLINE, OFFLINE = "online", "offline"
"""Of a node or a camera."""
ON, OFF = "ON", "OFF"
"""Of a switch."""


def availability(state: CameraState) -> str | None:
    """Return a camera's availability; None while it is connecting, for the last availability stays true."""
    if state is CameraState.CONNECTING:
        return None
    return OFFLINE if state.is_away else ONLINE


def encode_json(content: Mapping[str, object]) -> bytes:
    """Write one line of UTF-8 without its line end. Raises ValueError for NaN, which is not JSON."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
