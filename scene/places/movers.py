"""Things in the background that move: clouds, trees, cars, curtains, a fan, a screen."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi, sin

import numpy as np

from harstream.scene.camera import Camera
from harstream.scene.patch import Colour, Patch, Picture, box, ellipse, paint, shaded
from harstream.scene.people.person import dyed

Mover = Callable[[float], list[Patch]]
"""The patches of a moving thing at a time in seconds."""


def clouds(random: np.random.Generator, camera: Camera, edge: float) -> Mover:
    wide = camera.width
    speed = float(random.uniform(4, 14)) * (1 if random.random() < 0.5 else -1)
    puffs = [
        (np.array((x, y)) + random.normal(0, (16, 3), 2), float(random.uniform(8, 15)))
        for x, y in zip(random.uniform(0, 1.4 * wide, 4), random.uniform(0.05, 0.5, 4) * edge, strict=True)
        for _ in range(6)
    ]
    below = [Patch(0, ellipse(middle + np.array((0, 2)), size, size * 0.5), (225, 222, 220)) for middle, size in puffs]
    above = [Patch(1, ellipse(middle, size, size * 0.46), (247, 246, 245)) for middle, size in puffs]

    def at(time: float) -> list[Patch]:
        return [_moved(puff, ((speed * time + start(puff)) % (1.5 * wide) - start(puff), 0)) for puff in below + above]

    def start(puff: Patch) -> float:
        return float(puff.outline[0, 0]) + 0.25 * wide

    return at


def tree(random: np.random.Generator, camera: Camera, x: float, foot: float) -> Mover:
    """A crown of leaves that sways on its trunk."""
    high = float(random.uniform(0.55, 0.95)) * foot
    green = shaded((55, 115, 65), float(random.uniform(0.6, 1.2)))
    trunk = np.array([(x - 3, foot), (x + 3, foot), (x + 2, foot - high * 0.6), (x - 2, foot - high * 0.6)])
    leaves = sorted((_leaf(random, x, foot, high, green) for _ in range(34)), key=lambda leaf: leaf.depth)
    pace, wind, start = random.uniform(1.2, 2.8), random.uniform(0.01, 0.035), float(random.uniform(0, 6))

    def at(time: float) -> list[Patch]:
        lean = wind * (sin(pace * time + start) + 0.4 * sin(2.7 * pace * time))
        crown = [
            _moved(
                leaf, (lean * (foot - leaf.outline[0, 1]) + 0.8 * sin(5 * time + number), 0.5 * sin(4 * time + number))
            )
            for number, leaf in enumerate(leaves)
        ]
        return [Patch(0, trunk, (50, 65, 85)), *crown]

    return at


def _leaf(random: np.random.Generator, x: float, foot: float, high: float, green: Colour) -> Patch:
    """A tuft of leaves; the lit ones are in front and above."""
    angle, far = random.uniform(0, 2 * pi), 0.28 * random.uniform(0, 1) ** 0.5
    up = 0.68 + far * sin(angle)
    size = random.uniform(0.06, 0.12) * high
    tone = float(np.clip(0.55 + 0.75 * (up - 0.4) + random.uniform(-0.1, 0.25) - 0.5 * cos(angle) * far, 0.5, 1.25))
    middle = np.array((x + far * cos(angle) * 0.85 * high, foot - up * high))
    return Patch(tone, ellipse(middle, size, size * 0.8), shaded(green, tone))


def _moved(patch: Patch, by: tuple[float, float]) -> Patch:
    return Patch(patch.depth, patch.outline + by, patch.colour)


def car(random: np.random.Generator, camera: Camera, row: float) -> Mover:
    """A car that passes every few seconds, from alternating sides."""
    wide, size = camera.width, 0.3 * camera.scale
    paintwork = dyed(random, (0.2, 0.9), (0.3, 0.9))
    pause, speed, start = random.uniform(5, 14), random.uniform(60, 160), random.uniform(0, 10)
    body = np.array([(-1, 0), (-1, -0.28), (-0.9, -0.38), (0.9, -0.35), (1, -0.2), (1, 0)]) * size
    cabin = np.array([(-0.62, -0.35), (-0.45, -0.66), (0.3, -0.66), (0.55, -0.35)]) * size
    glass = np.array([(-0.5, -0.37), (-0.4, -0.6), (0.25, -0.6), (0.42, -0.37)]) * size

    def at(time: float) -> list[Patch]:
        lap, since = divmod(time + start, pause)
        x = -size + since * speed
        if x > wide + size:
            return []
        side = 1 if int(lap) % 2 else -1
        place, flip = np.array((x if side > 0 else wide - x, row)), np.array((side, 1))
        tyres = [
            Patch(2, ellipse(place + np.array((dx * size, 0)), size * 0.17, size * 0.17), (30, 30, 30))
            for dx in (-0.6, 0.6)
        ]
        shapes = ((cabin, shaded(paintwork, 0.9)), (glass, (120, 105, 95)), (body, paintwork))
        return [Patch(1, place + shape * flip, colour) for shape, colour in shapes] + tyres

    return at


def window(random: np.random.Generator, picture: Picture, camera: Camera, x: float, edge: float) -> Mover:
    """Draw the window into the picture, and return its curtains, which move in the wind."""
    half, top = 0.3 * camera.scale, max(6.0, edge - 0.85 * camera.scale)
    bottom = edge - 0.3 * camera.scale
    frame: Colour = (225, 228, 230)
    sky = shaded((230, 195, 150), float(random.uniform(0.5, 1.3)))
    paint(
        picture,
        [
            Patch(0, box(x - half - 3, top - 3, x + half + 3, bottom + 4), frame),
            Patch(0, box(x - half, top, x + half, bottom), sky),
        ],
    )
    paint(picture, [Patch(0, ellipse(np.array((x - half * 0.4, bottom - 6)), half * 0.4, 9), (80, 130, 95))])
    paint(picture, [Patch(0, box(x - 1.5, top, x + 1.5, bottom), frame)])
    cloth = dyed(random, (0.1, 0.6), (0.45, 0.95))
    pace, wind = random.uniform(0.8, 2.2), random.uniform(1.5, 5)

    def at(time: float) -> list[Patch]:
        patches = []
        for side in (-1, 1):
            for fold in range(5):
                near, far = x + side * half * (1.15 - fold * 0.13), x + side * half * (1.15 - (fold + 1) * 0.13)
                blow = wind * (fold / 4) * sin(pace * time + 0.7 * fold + side)
                corners = np.array(
                    [
                        (near, top - 4),
                        (far, top - 4),
                        (far - side * blow, bottom + 14),
                        (near - side * blow * 0.7, bottom + 14),
                    ]
                )
                patches.append(Patch(0, corners, shaded(cloth, 0.82 if fold % 2 else 1.05)))
        return patches

    return at


def fan(random: np.random.Generator, camera: Camera) -> Mover:
    """A fan under the ceiling."""
    middle = np.array((random.uniform(0.2, 0.8) * camera.width, 0.05 * camera.height))
    pace, long = random.uniform(2, 6), 0.28 * camera.scale

    def at(time: float) -> list[Patch]:
        patches = [Patch(0, box(middle[0] - 1.5, -2, middle[0] + 1.5, middle[1]), (80, 80, 85))]
        for blade in range(4):
            angle = pace * time + blade * pi / 2
            tip = middle + np.array((cos(angle) * long, sin(angle) * long * 0.13))
            aside = np.array((-sin(angle) * long * 0.13, 2.0))
            corners = np.array([middle - aside * 0.3, tip - aside, tip + aside, middle + aside * 0.3])
            patches.append(Patch(1, corners, (70, 85, 105)))
        return patches

    return at


def screen(random: np.random.Generator, camera: Camera, x: float, edge: float) -> Mover:
    """A television whose picture changes."""
    half, top = 0.22 * camera.scale, edge - 0.42 * camera.scale
    colours = [dyed(random, (0.2, 0.8), (0.3, 0.9)) for _ in range(8)]
    cuts = random.uniform(0.8, 2.5)

    def at(time: float) -> list[Patch]:
        colour = colours[int(time / cuts) % len(colours)]
        shape = ellipse(np.array((x + half * 0.4 * sin(1.7 * time), top + half * 0.6)), half * 0.2, half * 0.3)
        return [
            Patch(0, box(x - half * 1.3, edge - 0.12 * camera.scale, x + half * 1.3, edge + 6), (60, 70, 85)),
            Patch(1, box(x - half - 2, top - 2, x + half + 2, top + half * 1.2 + 2), (30, 30, 30)),
            Patch(1, box(x - half, top, x + half, top + half * 1.2), colour),
            Patch(1, shape, shaded(colour, 1.5)),
        ]

    return at
