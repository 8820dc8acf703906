"""Draws the places of the built-in scene without anybody in them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harstream.models.picture import Picture
from harstream.models.transform import BgrPicture
from harstream.scene.camera import Camera
from harstream.scene.places.backdrop import backdrop
from harstream.scene.sensor import sensor

WIDTH, HEIGHT = 320, 240


def empty_places(count: int) -> Iterator[Picture]:
    """Yield rooms and gardens with what moves in them, each one as another cheap camera records it."""
    for seed in range(count):
        random = np.random.default_rng((seed, 3))
        camera = Camera(WIDTH, HEIGHT, middle=WIDTH / 2, floor=0.92 * HEIGHT, scale=0.6 * HEIGHT)
        place, lens = backdrop(random, camera), sensor(random, WIDTH, HEIGHT)
        time = float(random.uniform(0, 60))
        yield BgrPicture(lens.take(place.at(time), time, 0))
