"""A garden by a road: sky with clouds, hills, houses, trees in the wind, and sometimes a car."""

from __future__ import annotations

import numpy as np

from harstream.scene.camera import Camera
from harstream.scene.patch import Colour, Patch, Picture, box, ellipse, paint, shaded
from harstream.scene.people.person import dyed
from harstream.scene.places import movers
from harstream.scene.places.movers import Mover
from harstream.scene.places.surface import floor_row, gradient, roughen

_GROUNDS: tuple[Colour, ...] = ((150, 148, 146), (125, 165, 190), (80, 95, 150), (110, 120, 85), (175, 180, 185))
"""Asphalt, sand, a red and a green court, paving."""


def garden(random: np.random.Generator, camera: Camera) -> tuple[Picture, list[Mover]]:
    """Return the still picture and the things that move in it."""
    wide, high = camera.width, camera.height
    edge = floor_row(camera, random.uniform(3.0, 7.0))
    sky = shaded((225, 180, 125), float(random.uniform(0.75, 1.25)))
    if random.random() < 0.3:
        sky = shaded((200, 195, 190), float(random.uniform(0.7, 1.15)))
    picture = gradient(camera, sky, shaded(sky, 1.6))
    _hills(random, picture, camera, edge)
    _houses(random, picture, camera, edge)
    grass = shaded((70, 140, 105), float(random.uniform(0.6, 1.2)))
    if random.random() < 0.4:
        grass = shaded(_GROUNDS[random.integers(len(_GROUNDS))], float(random.uniform(0.75, 1.2)))
    picture[int(edge) :] = grass
    roughen(random, picture, slice(int(edge), high), (16, 5), 9)
    roughen(random, picture, slice(int(edge), high), (2, 2), 8)
    road = edge + 0.03 * high
    paint(
        picture,
        [
            Patch(
                0,
                box(0, edge + 0.012 * high, wide, edge + 0.055 * high),
                shaded((120, 118, 118), float(random.uniform(0.7, 1.2))),
            )
        ],
    )
    moving: list[Mover] = [movers.clouds(random, camera, edge), movers.car(random, camera, road)]
    moving += [
        movers.tree(random, camera, x * wide, edge + 0.07 * high) for x in random.uniform((-0.02, 0.75), (0.22, 1.02))
    ]
    return picture, moving


def _hills(random: np.random.Generator, picture: Picture, camera: Camera, edge: float) -> None:
    for tone in (1.25, 0.95):
        colour = shaded((105, 125, 95), tone * float(random.uniform(0.8, 1.1)))
        for x in random.uniform(-0.1, 1.1, 5) * camera.width:
            size = random.uniform(0.2, 0.4) * camera.width
            paint(picture, [Patch(0, ellipse(np.array((x, edge + 3)), size, size * 0.3 * tone), colour)])


def _houses(random: np.random.Generator, picture: Picture, camera: Camera, edge: float) -> None:
    for x in random.uniform(0.05, 0.95, random.integers(1, 4)) * camera.width:
        wall = dyed(random, (0.02, 0.25), (0.6, 0.95))
        half, high = random.uniform(0.09, 0.15) * camera.width, random.uniform(0.14, 0.26) * camera.height
        roof = np.array(
            [
                (x - half * 1.12, edge - high),
                (x + half * 1.12, edge - high),
                (x + half * 0.7, edge - high * 1.55),
                (x - half * 0.7, edge - high * 1.55),
            ]
        )
        paint(
            picture,
            [
                Patch(0, box(x - half, edge - high, x + half, edge + 1), wall),
                Patch(0, roof, shaded((70, 75, 150), float(random.uniform(0.5, 1.1)))),
            ],
        )
        for at in (-0.55, 0.0, 0.55):
            pane = box(x + at * half - 4, edge - high * 0.75, x + at * half + 4, edge - high * 0.4)
            paint(picture, [Patch(0, pane, (90, 75, 65))])
