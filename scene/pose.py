"""A pose: the wanted places of hips, hands and feet. The skeleton computes elbows and knees."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]
"""Lengths are body heights. Axes: x to the person's left, y up from the floor, z forward."""


def points(values: ArrayLike) -> Points:
    return np.asarray(values, dtype=np.float64)


@dataclass(frozen=True)
class Pose:
    """Pairs are (2, 3): left, then right. Directions need not have length 1."""

    hips: Points = field(default_factory=lambda: points((0, 0.525, 0)))
    spine: Points = field(default_factory=lambda: points((0, 1, 0)))
    """Direction from hips to neck."""
    hands: Points = field(default_factory=lambda: points([(0.17, 0.51, 0.03), (-0.17, 0.51, 0.03)]))
    feet: Points = field(default_factory=lambda: points([(0.065, 0.045, 0), (-0.065, 0.045, 0)]))
    """The ankles."""
    elbows: Points = field(default_factory=lambda: points([(0.3, 0, -1), (-0.3, 0, -1)]))
    """The directions elbows point to."""
    knees: Points = field(default_factory=lambda: points([(0.15, 0, 1), (-0.15, 0, 1)]))
    toes: Points = field(default_factory=lambda: points([(0.3, -0.2, 1), (-0.3, -0.2, 1)]))
    twist: float = 0.0
    """Radians by which the shoulders turn against the hips; positive: the right shoulder comes forward."""
    nod: float = 0.0
    """Lean of the head: positive forward and down."""
    yaw: float = 0.0
    """Radians: 0 faces the camera, pi/2 faces the right edge of the picture."""
    across: float = 0.0
    """Body heights to the right of where the person usually stands."""


def blended(first: Pose, second: Pose, weight: float) -> Pose:
    """Mix two poses: `first` at weight 0, `second` at 1."""
    if weight <= 0.0 or weight >= 1.0:
        return first if weight <= 0.0 else second
    values = {}
    for item in fields(Pose):
        one, other = getattr(first, item.name), getattr(second, item.name)
        values[item.name] = one + (other - one) * weight
    return Pose(**values)


def eased(fraction: float) -> float:
    """Rise from 0 to 1 with a soft start and end; outside, the value stays 0 or 1."""
    fraction = min(1.0, max(0.0, fraction))
    return fraction * fraction * (3.0 - 2.0 * fraction)
