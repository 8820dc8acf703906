"""Real-time recognition of what people do, from ordinary cameras.

    import harstream

    for event in harstream.recognize("clip.mp4"):         # a file, rtsp://..., 0 for a webcam, or (seconds, BGR) pairs
        print(event.type, event.activity, event.started_at, event.confidence.mean)

    for scores in harstream.recognize("clip.mp4", scores=True):
        print(scores.time, scores.by_label()["PushUps"])

    model = harstream.load("lrcn")
    model(frames)                                         # (20, H, W, 3) uint8 BGR -> {label: probability}

Its packages are links to the folders beside it. Each name is imported at its first use.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harstream.models.contract import UNKNOWN, ModelContract
    from harstream.stream.app.recognize import recognize
    from harstream.stream.recognition.model import Model, load
    from harstream.wire.errors import HarstreamError, ModelError, SourceError
    from harstream.wire.values import Confidence, EndReason, Event, EventType, Scores

__all__ = [
    "UNKNOWN",
    "Confidence",
    "EndReason",
    "Event",
    "EventType",
    "HarstreamError",
    "Model",
    "ModelContract",
    "ModelError",
    "Scores",
    "SourceError",
    "load",
    "recognize",
]

_HOMES = {
    "models.contract": ("UNKNOWN", "ModelContract"),
    "stream.app.recognize": ("recognize",),
    "stream.recognition.model": ("Model", "load"),
    "wire.errors": ("HarstreamError", "ModelError", "SourceError"),
    "wire.values": ("Confidence", "EndReason", "Event", "EventType", "Scores"),
}
"""The module of each public name. Every module of the package imports this one first, so this one imports no other."""

# At import, ONNX Runtime's builds for Linux start to record usage data in the home folder and to send it to their
# maker. A call after the import is too late. Source: ONNX Runtime, docs/Privacy.md
os.environ["ORT_DISABLE_TELEMETRY"] = "1"


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
