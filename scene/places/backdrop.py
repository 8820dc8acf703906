"""The place behind the person: a picture that is drawn once, and things that move in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harstream.scene.camera import Camera
from harstream.scene.patch import Picture, paint
from harstream.scene.places.garden import garden
from harstream.scene.places.movers import Mover
from harstream.scene.places.room import room


@dataclass(frozen=True)
class Backdrop:
    still: Picture
    """Read only."""
    moving: tuple[Mover, ...]

    def at(self, time: float) -> Picture:
        """Return a new picture of the empty place."""
        picture = self.still.copy()
        for mover in self.moving:
            paint(picture, mover(time))
        return picture


def backdrop(random: np.random.Generator, camera: Camera) -> Backdrop:
    place = room if random.random() < 0.55 else garden
    still, moving = place(random, camera)
    return Backdrop(still, tuple(moving))
