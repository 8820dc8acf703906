"""Coloured convex shapes, from which everything that moves is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, hypot, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from harstream.scene.pose import Points

Picture = NDArray[np.uint8]
"""(H, W, 3), BGR."""
Colour = tuple[float, float, float]
"""Blue, green, red; 0 to 255."""

SHIFT = 3
"""Binary places of the integer corners for cv2. Without them, slow motions jump by whole pixels."""
LIGHT = np.array((-0.5, -0.6))
"""Direction of the light in the picture: from the top left."""
_HALF = np.stack((np.cos(np.linspace(0.5, 1.5, 7) * np.pi), np.sin(np.linspace(0.5, 1.5, 7) * np.pi)), axis=1)
_CIRCLE = np.stack((np.cos(np.arange(18) * np.pi / 9), np.sin(np.arange(18) * np.pi / 9)), axis=1)


@dataclass(frozen=True)
class Patch:
    """A shape: `outline` (N, 2) has its corners in pixels (column, row); a greater `depth` is nearer to the camera."""

    depth: float
    outline: Points
    colour: Colour


def paint(picture: Picture, patches: Iterable[Patch]) -> None:
    """Draw the patches into `picture`, the far ones first, and those of equal depth in the given order."""
    ordered = sorted(patches, key=lambda patch: patch.depth)
    if not ordered:
        return
    corners = np.rint(np.concatenate([patch.outline for patch in ordered]) * (1 << SHIFT)).astype(np.int32)
    first = 0
    for patch in ordered:
        last = first + len(patch.outline)
        cv2.fillConvexPoly(picture, corners[first:last], patch.colour, cv2.LINE_AA, SHIFT)
        first = last


def shaded(colour: Colour, factor: float) -> Colour:
    """Return a darker colour for a factor below 1, and one nearer to white above 1."""
    if factor <= 1.0:
        return (colour[0] * factor, colour[1] * factor, colour[2] * factor)
    white = factor - 1.0
    return tuple(part + (255 - part) * white for part in colour)  # type: ignore[return-value]


def capsule(start: Points, end: Points, first: float, last: float) -> Points:
    """Outline of a limb with round ends of radius `first` and `last`; all pixels."""
    half = _half_circle(start, end)
    return np.concatenate((start + half * first, end - half * last))


def _half_circle(start: Points, end: Points) -> Points:
    """Return the half of the unit circle on the side of `start`, seen from `end`."""
    x, y = float(end[0] - start[0]), float(end[1] - start[1])
    long = hypot(x, y)
    x, y = (x / long, y / long) if long else (1.0, 0.0)
    turned: Points = _HALF @ np.array(((x, y), (-y, x)))
    return turned


def ellipse(centre: Points, across: float, down: float, angle: float = 0.0) -> Points:
    """Outline with half axes `across` and `down`, turned by `angle` radians."""
    c, s = cos(angle), sin(angle)
    ring: Points = _CIRCLE @ np.array(((across * c, across * s), (-down * s, down * c)))
    return centre + ring


def box(left: float, top: float, right: float, bottom: float) -> Points:
    return np.array(((left, top), (right, top), (right, bottom), (left, bottom)), dtype=np.float64)


def hull(outlines: Iterable[Points]) -> Points:
    """Return the convex hull of several outlines."""
    corners = np.concatenate(tuple(outlines)).astype(np.float32)
    return cv2.convexHull(corners)[:, 0].astype(np.float64)


def solid(depth: float, outline: Points, colour: Colour, round_by: float) -> list[Patch]:
    """A body with a dark edge and a lit side; `round_by` is its half thickness in pixels."""
    centre = outline.mean(axis=0)
    lit = centre + (outline - centre) * 0.62 + LIGHT * round_by * 0.35
    soft = centre + (outline - centre) * 0.84 + LIGHT * round_by * 0.15
    return [
        Patch(depth, outline, shaded(colour, 0.72)),
        Patch(depth, soft, colour),
        Patch(depth, lit, shaded(colour, 1.12)),
    ]


@dataclass(frozen=True)
class Bone:
    """A tapered limb between two points; pixels."""

    start: Points
    end: Points
    first: float
    last: float
    colour: Colour


def limbs(depth: float, bones: Sequence[Bone]) -> list[Patch]:
    """Joined limbs with one dark edge around them all and a lit side, so that the joints do not show."""
    edges: list[Patch] = []
    sides: list[Patch] = []
    lights: list[Patch] = []
    for bone in bones:
        half = _half_circle(bone.start, bone.end)
        first, last = half * bone.first, half * bone.last
        for layer, breadth, aside, tone in (
            (edges, 1.0, 0.0, 0.68),
            (sides, 0.82, 0.16, 1.0),
            (lights, 0.45, 0.4, 1.13),
        ):
            start = bone.start + LIGHT * aside * bone.first + first * breadth
            end = bone.end + LIGHT * aside * bone.last - last * breadth
            layer.append(Patch(depth, np.concatenate((start, end)), shaded(bone.colour, tone)))
    return edges + sides + lights


def limb(depth: float, start: Points, end: Points, first: float, last: float, colour: Colour) -> list[Patch]:
    """Return the patches of one limb."""
    return limbs(depth, [Bone(start, end, first, last, colour)])
