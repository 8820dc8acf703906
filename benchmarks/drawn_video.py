"""Videos for the benchmarks: the built-in scene as H.264, drawn once and kept."""

from __future__ import annotations

from pathlib import Path

import av

from harstream.resilience.whole_file import atomic_path
from harstream.scene.film import frames
from harstream.scene.script import script

RATE = 25


def drawn_video(folder: Path, width: int, height: int, seconds: float, seed: int = 8) -> Path:
    """Return the video file. It is x264 at default quality with a key frame every two seconds, like that of cameras."""
    file = folder / f"scene-{width}x{height}-{seconds:g}s.mp4"
    if file.exists():
        return file
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_path(file) as unfinished, av.open(str(unfinished), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"preset": "veryfast", "tune": "zerolatency", "g": str(2 * RATE)}
        for _, picture in frames(script(seed, seconds), seed, RATE, (width, height)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    return file
