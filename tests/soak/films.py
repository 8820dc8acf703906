"""H.264 films for the imitated cameras."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from harstream.scene.film import frames
from harstream.scene.script import Segment

RATE = 25
"""Pictures a second."""
SCENE = (Segment(None, 0.0, 3.0), Segment("JumpingJack", 3.0, 9.0))


def write_h264(file: Path, parts: Sequence[tuple[float, int]], size: tuple[int, int] = (160, 120)) -> Path:
    """Write noise of some seconds and grey levels (0 to 247) at 25 pictures a second, without late references."""
    return write_pictures(file, _noise(parts, size), size)


def write_scene(file: Path, *larger: tuple[Path, tuple[int, int]]) -> None:
    """Write 9 s of a drawn person who pauses and then does jumping jacks, 320x240.

    `larger`: more files for the same film, with their width and height.
    """
    pictures = [picture for _, picture in frames(SCENE, seed=8, rate=RATE)]
    write_pictures(file, pictures, (320, 240))
    for other, size in larger:
        write_pictures(other, (cv2.resize(picture, size).astype(np.uint8) for picture in pictures), size)


def _noise(parts: Sequence[tuple[float, int]], size: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    noise, (width, height) = np.random.default_rng(1), size
    for seconds, level in parts:
        for _ in range(round(seconds * RATE)):
            yield noise.integers(level, level + 8, (height, width, 3), np.uint8)


def write_pictures(file: Path, pictures: Iterable[NDArray[np.uint8]], size: tuple[int, int]) -> Path:
    """Write pictures, each (height, width, 3) uint8 BGR, at 25 a second."""
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"bf": "0", "g": "25", "tune": "zerolatency"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    return file
