"""Things against the wall of a room: each draws itself at column `x`; the floor begins in row `edge`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harstream.scene.camera import Camera
from harstream.scene.patch import Colour, Patch, Picture, box, ellipse, paint, shaded
from harstream.scene.people.person import dyed


def _framed(picture: Picture, outline: tuple[float, float, float, float], frame: Colour, inside: Colour) -> None:
    left, top, right, bottom = outline
    rim = 0.02 * picture.shape[0]
    paint(picture, [Patch(0, box(left + 2, top + 2, right + 3, bottom + 3), shaded(inside, 0.4))])
    paint(
        picture,
        [Patch(0, box(*outline), frame), Patch(0, box(left + rim, top + rim, right - rim, bottom - rim), inside)],
    )


def _door(random: np.random.Generator, picture: Picture, camera: Camera, x: float, edge: float) -> None:
    colour = dyed(random, (0.1, 0.5), (0.35, 0.9))
    half, high = 0.23 * camera.scale, 1.12 * camera.scale * 0.72
    _framed(picture, (x - half, edge - high, x + half, edge + 2), shaded(colour, 1.3), colour)
    paint(picture, [Patch(0, ellipse(np.array((x + half * 0.65, edge - high * 0.45)), 2.5, 2.5), (90, 190, 220))])


def _shelf(random: np.random.Generator, picture: Picture, camera: Camera, x: float, edge: float) -> None:
    wood = shaded((55, 85, 125), float(random.uniform(0.5, 1.3)))
    half, high = 0.25 * camera.scale, 0.72 * camera.scale
    _framed(picture, (x - half, edge - high, x + half, edge + 4), wood, shaded(wood, 0.55))
    for row in range(4):
        bottom = edge - high * (0.06 + 0.235 * row)
        column = x - half + 4
        while column < x + half - 8:
            wide, tall = random.uniform(3, 7), high * random.uniform(0.1, 0.18)
            book = Patch(0, box(column, bottom - tall, column + wide, bottom), dyed(random, (0.2, 0.8), (0.3, 0.9)))
            paint(picture, [book])
            column += wide + 0.5
        paint(picture, [Patch(0, box(x - half, bottom, x + half, bottom + 2.5), wood)])


def _picture(random: np.random.Generator, picture: Picture, camera: Camera, x: float, edge: float) -> None:
    half, top = 0.2 * camera.scale, edge - random.uniform(0.7, 0.8) * camera.scale
    bottom = top + random.uniform(0.22, 0.35) * camera.scale
    _framed(
        picture,
        (x - half, top, x + half, bottom),
        dyed(random, (0.1, 0.6), (0.15, 0.8)),
        dyed(random, (0.1, 0.6), (0.4, 0.9)),
    )
    middle = np.array((x, (top + bottom) / 2))
    paint(picture, [Patch(0, ellipse(middle, half * 0.5, half * 0.3), dyed(random, (0.3, 0.8), (0.3, 0.9)))])


def _sofa(random: np.random.Generator, picture: Picture, camera: Camera, x: float, edge: float) -> None:
    colour, s = dyed(random, (0.1, 0.6), (0.25, 0.8)), camera.scale
    parts = [
        (box(x - 0.42 * s, edge - 0.36 * s, x + 0.42 * s, edge - 0.02 * s), 0.85),
        (box(x - 0.38 * s, edge - 0.2 * s, x + 0.38 * s, edge + 0.05 * s), 1.08),
        (box(x - 0.38 * s, edge - 0.09 * s, x + 0.38 * s, edge + 0.07 * s), 0.78),
        (box(x - 0.48 * s, edge - 0.25 * s, x - 0.37 * s, edge + 0.08 * s), 0.95),
        (box(x + 0.37 * s, edge - 0.25 * s, x + 0.48 * s, edge + 0.08 * s), 0.95),
        (box(x - 0.005 * s, edge - 0.35 * s, x + 0.005 * s, edge - 0.09 * s), 0.7),
    ]
    paint(picture, [Patch(0, outline, shaded(colour, tone)) for outline, tone in parts])


def _plant(random: np.random.Generator, picture: Picture, camera: Camera, x: float, edge: float) -> None:
    s = camera.scale
    pot = np.array(
        [
            (x - 0.09 * s, edge - 0.1 * s),
            (x + 0.09 * s, edge - 0.1 * s),
            (x + 0.06 * s, edge + 0.08 * s),
            (x - 0.06 * s, edge + 0.08 * s),
        ]
    )
    paint(picture, [Patch(0, pot, (60, 90, 170))])
    for _ in range(26):
        angle = random.uniform(-2.7, -0.4)
        long = s * random.uniform(0.12, 0.32)
        middle = np.array((x + np.cos(angle) * long * 0.6, edge - 0.1 * s + np.sin(angle) * long * 0.8))
        leaf = shaded((60, 130, 60), float(random.uniform(0.55, 1.3)))
        paint(picture, [Patch(0, ellipse(middle, long * 0.45, long * 0.12, angle), leaf)])


def _lamp(random: np.random.Generator, picture: Picture, camera: Camera, x: float, edge: float) -> None:
    s = camera.scale
    shade = np.array(
        [
            (x - 0.07 * s, edge - 0.8 * s),
            (x + 0.07 * s, edge - 0.8 * s),
            (x + 0.13 * s, edge - 0.62 * s),
            (x - 0.13 * s, edge - 0.62 * s),
        ]
    )
    paint(picture, [
        Patch(0, box(x - 0.01 * s, edge - 0.65 * s, x + 0.01 * s, edge + 0.02 * s), (60, 60, 65)),
        Patch(0, ellipse(np.array((x, edge + 0.02 * s)), 0.09 * s, 0.025 * s), (55, 55, 60)),
        Patch(0, shade, shaded((150, 215, 245), float(random.uniform(0.8, 1.3)))),
    ])  # fmt: skip


FURNITURE: dict[str, Callable[[np.random.Generator, Picture, Camera, float, float], None]] = {
    "door": _door,
    "shelf": _shelf,
    "picture": _picture,
    "sofa": _sofa,
    "plant": _plant,
    "lamp": _lamp,
}
