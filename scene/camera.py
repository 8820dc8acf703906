"""Projects points of the world into the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harstream.scene.pose import Points


@dataclass(frozen=True)
class Camera:
    """A level camera in front of the person. `distance` and `eye` are in body heights, everything else is in pixels."""

    width: int
    height: int
    middle: float
    """Column in which the person stands."""
    floor: float
    """Row in which the person's feet stand."""
    scale: float
    """Height of the person."""
    distance: float = 4.5
    eye: float = 0.7
    """Height of the lens over the floor."""

    @property
    def horizon(self) -> float:
        return self.floor - self.eye * self.scale

    def seen(self, places: Points) -> tuple[Points, Points]:
        """Return pixels (N, 2) and pixels per body height (N,) for points (N, 3)."""
        zoom = self.scale * self.distance / (self.distance - np.minimum(places[:, 2], self.distance / 2))
        columns = self.middle + places[:, 0] * zoom
        rows = self.horizon + (self.eye - places[:, 1]) * zoom
        return np.stack((columns, rows), axis=1), zoom
