"""A room: wall, floor, window with curtains, furniture, and a fan or a screen that moves."""

from __future__ import annotations

import numpy as np

from harstream.scene.camera import Camera
from harstream.scene.patch import Patch, Picture, box, paint, shaded
from harstream.scene.people.person import dyed
from harstream.scene.places import movers
from harstream.scene.places.furniture import FURNITURE
from harstream.scene.places.movers import Mover
from harstream.scene.places.surface import floor_row, gradient, roughen


def room(random: np.random.Generator, camera: Camera) -> tuple[Picture, list[Mover]]:
    """Return the still picture and the things that move in it."""
    wide, high = camera.width, camera.height
    edge = floor_row(camera, random.uniform(1.0, 2.2))
    wall = dyed(random, (0.02, 0.22), (0.55, 0.92))
    picture = gradient(camera, shaded(wall, 0.85), shaded(wall, 1.1))
    roughen(random, picture, slice(0, int(edge)), (24, 24), 4)
    _floor(random, picture, camera, edge)
    paint(picture, [Patch(0, box(0, edge - 0.022 * high, wide, edge), shaded(wall, 1.4))])
    free = [float(x) * wide for x in random.permutation(np.array((0.08, 0.36, 0.64, 0.92)))]
    moving: list[Mover] = [movers.window(random, picture, camera, free.pop(), edge)]
    if random.random() < 0.5:
        moving.append(movers.fan(random, camera))
    else:
        moving.append(movers.screen(random, camera, free.pop(), edge))
    for x, thing in zip(free, random.permutation(np.array(tuple(FURNITURE))), strict=False):
        FURNITURE[str(thing)](random, picture, camera, x, edge)
    return picture, moving


def _floor(random: np.random.Generator, picture: Picture, camera: Camera, edge: float) -> None:
    """Boards or tiles that run to the vanishing point, darker far away, with a mat or carpet."""
    wide, high = camera.width, camera.height
    wood = dyed(random, (0.05, 0.5), (0.3, 0.75))
    if random.random() < 0.6:
        wood = shaded((70, 110, 165), float(random.uniform(0.6, 1.3)))
    picture[int(edge) :] = wood
    vanish = np.array((wide / 2, camera.horizon))
    boards = []
    for x in np.arange(-2.5 * wide, 3.5 * wide, wide * random.uniform(0.1, 0.25)):
        tone = float(random.uniform(0.88, 1.08))
        corners = [(x, high * 1.3), (x + 0.12 * wide, high * 1.3)]
        outline = [
            np.array(c) + (vanish - c) * (high * 1.3 - edge) / (high * 1.3 - vanish[1]) for c in reversed(corners)
        ]
        boards.append(Patch(0, np.array([*corners, *outline]), shaded(wood, tone)))
    paint(picture, boards)
    roughen(random, picture, slice(int(edge), high), (30, 3), 5)
    if random.random() < 0.5:
        mat = dyed(random, (0.2, 0.7), (0.3, 0.8))
        world = np.array([(-1.0, 0, -0.5), (1.0, 0, -0.5), (1.0, 0, 0.45), (-1.0, 0, 0.45)])
        paint(picture, [Patch(0, camera.seen(world)[0], mat)])
