"""Finds a hardware decoder of this machine for the video of a camera."""

from __future__ import annotations

import av
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.error import FFmpegError

CODEC = "h264"
"""A decoder for it decides whether a device is used. Streams of a codec that it cannot decode stay on the processor."""


def hardware_decoder() -> str | None:
    """Return the kind of the first device that PyAV's FFmpeg knows and this machine has, such as `cuda`; else None.

    PyAV's wheels know NVDEC (`cuda`) on Linux and Windows, and VideoToolbox on macOS.
    """
    return next((kind for kind in hwdevices_available() if _is_there(kind)), None)


def _is_there(kind: str) -> bool:
    try:
        HWAccel(kind, allow_software_fallback=False).create(av.codec.Codec(CODEC, "r"))
    except (FFmpegError, NotImplementedError, RuntimeError):
        return False
    return True
