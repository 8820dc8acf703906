"""Short films whose parts differ in brightness."""

from __future__ import annotations

from itertools import cycle, islice
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import pytest

GRAINS = 8
"""Different patterns of noise, which follow one another. Without noise, the picture of a camera counts as frozen."""


class WriteFilm(Protocol):
    """`film("a.mp4", (2, 200), (1, 0))` writes 2 s of light grey and 1 s of black, at 25 pictures a second."""

    def __call__(
        self, name: str, *parts: tuple[float, int], size: tuple[int, int] = (160, 120), codec: str = "mp4v"
    ) -> Path: ...


@pytest.fixture
def film(tmp_path: Path) -> WriteFilm:
    def write(name: str, *parts: tuple[float, int], size: tuple[int, int] = (160, 120), codec: str = "mp4v") -> Path:
        path = tmp_path / name
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 25, size)
        assert writer.isOpened()
        grains = np.random.default_rng(1).integers(0, 8, (GRAINS, size[1], size[0], 3), dtype=np.uint8)
        for seconds, grey in parts:
            pictures = [cv2.add(grain, np.full_like(grain, grey)) for grain in grains]
            for picture in islice(cycle(pictures), round(seconds * 25)):
                writer.write(picture)
        writer.release()
        return path

    return write
