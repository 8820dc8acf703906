"""H.264 films for the imitated cameras."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np


def write_h264(file: Path, parts: Sequence[tuple[float, int]], size: tuple[int, int] = (160, 120)) -> Path:
    """Write noise of some seconds and grey levels (0 to 247) at 25 pictures a second, without late references."""
    noise, (width, height) = np.random.default_rng(1), size
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "0", "g": "25", "tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for seconds, level in parts:
            for _ in range(round(seconds * 25)):
                pixels = noise.integers(level, level + 8, (height, width, 3), np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return file
