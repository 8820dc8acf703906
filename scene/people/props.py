"""Draws the things that belong to an activity: rope, bar, boxing gloves and bag, barbell, dumbbells, chair.

`presence` rises from 0 to 1 while a thing appears. The thing grows, or comes down from above.
"""

from __future__ import annotations

from math import cos, pi, sin

import numpy as np

from harstream.scene.camera import Camera
from harstream.scene.patch import Colour, Patch, capsule, ellipse, limb, shaded
from harstream.scene.people.poses import BAR, Style, blows
from harstream.scene.people.skeleton import Skeleton
from harstream.scene.pose import Points, points

STEEL: Colour = (120, 115, 110)
IRON: Colour = (50, 46, 46)


def rope(body: Skeleton, camera: Camera, time: float, style: Style, presence: float) -> list[Patch]:
    """Draw a loop from hand to hand round the body. It is below the feet at the top of each hop."""
    colour = ((240, 240, 245), (40, 40, 200), (30, 190, 220), (30, 25, 30))[style.variant % 4]
    turn = 2 * pi * style.tempo * time
    along = np.linspace(0.0, 1.0, 21)[:, None]
    first, last = body.hands
    bow = np.sin(pi * along) ** 0.6 * presence
    long = float(first[1] + last[1]) / 2 + 0.03
    forward = points((body.front[0], 0.0, body.front[2]))
    wide = (first - last) * (0.5 - along) * 0.3 * bow
    loop = first + (last - first) * along + wide + bow * long * (points((0, -1, 0)) * cos(turn) + forward * sin(turn))
    seen, zoom = camera.seen(loop)
    return [
        Patch(float(loop[i, 2]) + 0.02, capsule(seen[i], seen[i + 1], 0.0075 * zoom[i], 0.0075 * zoom[i]), colour)
        for i in range(len(loop) - 1)
    ]


def bar(across: float, yaw: float, camera: Camera, style: Style, presence: float) -> list[Patch]:
    """Draw a bar on two posts, or hung from the ceiling, in front of the person's face."""
    drop = max(0.0, 0.7 - 1.8 * presence)  # the bar arrives before the hands
    ahead = 0.05 * cos(yaw)
    half = 0.42 + 0.15 * style.throw(2)
    ends = points([(across - half, BAR + drop, ahead), (across + half, BAR + drop, ahead)])
    seen, zoom = camera.seen(ends)
    patches = []
    for end, size in zip(seen, zoom, strict=True):
        top = points((end[0], -5.0))
        foot = points((end[0], camera.floor)) if style.variant % 2 else end
        patches += limb(ahead - 0.02, top, foot, 0.016 * size, 0.016 * size, IRON)
    return patches + limb(ahead, seen[0], seen[1], 0.012 * zoom[0], 0.012 * zoom[1], STEEL)


def gloves(body: Skeleton, camera: Camera, colour: Colour, presence: float) -> list[Patch]:
    patches = []
    for wrist, hand in zip(body.wrists, body.hands, strict=True):
        (start, end), zoom = camera.seen(np.stack((wrist, hand)))
        size = 0.044 * presence * zoom[0]
        # All patches of an arm have one depth. The fist is nearer, so that it hides its forearm.
        patches += limb(float(hand[2]) + 0.14, start, end, size * 0.7, size, colour)
    return patches


def bag(across: float, yaw: float, camera: Camera, time: float, style: Style, presence: float) -> list[Patch]:
    """Draw a heavy bag on a chain. Every blow pushes it."""
    swing = 0.05 * sum(blows(time - 0.06, style)) + 0.012 * sin(3 * time)
    ahead = 0.59 + swing
    x, z = across + ahead * sin(yaw), ahead * cos(yaw)
    lift = (1.0 - presence) * 1.2
    ends = points([(x, 0.98 + lift, z), (x + 0.3 * swing * sin(yaw), 0.48 + lift, z)])
    (top, bottom), zoom = camera.seen(ends)
    colour = ((45, 42, 48), (30, 30, 140), (120, 60, 40))[style.variant % 3]
    chain = capsule(points((camera.middle + (across + 0.6 * sin(yaw)) * zoom[0], -5.0)), top, 1.0, 1.0)
    thick = 0.085 * zoom[0]
    band = capsule(top * 0.8 + bottom * 0.2 - (thick * 0.9, 0), top * 0.8 + bottom * 0.2 + (thick * 0.9, 0), 1.5, 1.5)
    body = limb(z, top, bottom, thick, thick, colour)
    return [Patch(z, chain, STEEL), *body, Patch(z, band, shaded(colour, 1.5))]


def barbell(body: Skeleton, camera: Camera, style: Style, presence: float) -> list[Patch]:
    """Draw a barbell across the shoulders, with a plate at both ends."""
    middle = body.neck - body.front * 0.03 + (0, 0.012, 0)
    half = body.left * 0.46 * presence
    ends = np.stack((middle + half, middle - half))
    seen, zoom = camera.seen(ends)
    depth = float(middle[2])
    colour = ((40, 38, 42), (40, 35, 170), (130, 70, 35))[style.variant // 3 % 3]
    patches = limb(depth + 0.03, seen[0], seen[1], 0.011 * zoom[0], 0.011 * zoom[1], STEEL)
    for end, place, size in zip(ends, seen, zoom, strict=True):
        radius = (0.09 + 0.06 * style.throw(4)) * presence * size
        thin = max(0.16, abs(float(body.left[2])))
        for grow, tone in ((1.0, 0.75), (0.9, 1.0), (0.55, 1.12), (0.16, 1.5)):
            outline = ellipse(place, radius * grow * thin, radius * grow)
            patches.append(Patch(float(end[2]), outline, shaded(colour, tone)))
    return patches


def dumbbells(body: Skeleton, camera: Camera, presence: float) -> list[Patch]:
    patches = []
    for hand in body.hands:
        forward = points((body.front[0], 0, body.front[2])) * 0.07
        ends = np.stack((hand - forward, hand + forward))
        (start, end), (size, _) = camera.seen(ends)
        depth = float(hand[2]) + 0.07
        patches += limb(depth, start, end, 0.012 * size, 0.012 * size, STEEL)
        for knob in (start, end):
            patches += limb(depth, knob, knob + 0.01, *(0.03 * size * presence,) * 2, IRON)
    return patches


def chair(across: float, yaw: float, camera: Camera, colour: Colour, presence: float) -> list[Patch]:
    """Draw four legs, a seat and a back, behind the person."""
    turn = points([(cos(yaw), 0, -sin(yaw)), (0, 1, 0), (sin(yaw), 0, cos(yaw))])
    corners = points(
        [(x, y, z) for y in (0.23, 0.0) for x, z in ((-0.11, 0.06), (0.11, 0.06), (0.11, -0.17), (-0.11, -0.17))]
    )
    back = points([(-0.11, 0.5, -0.19), (0.11, 0.5, -0.19)])
    world = (np.concatenate((corners, back)) * presence) @ turn + (across, 0, 0)
    seen, zoom = camera.seen(world)
    thick = 0.014 * float(zoom[0]) * presence
    middle = float(world[:4, 2].mean()) - 0.12
    patches = []
    for i in range(4):
        patches += limb(float(world[i, 2]) - 0.13, seen[i], seen[i + 4], thick, thick * 0.8, colour)
    patches.append(Patch(middle, seen[:4], shaded(colour, 1.1)))
    patches += limb(middle, seen[0], seen[1], thick * 1.2, thick * 1.2, colour)
    behind = middle - 0.05 if cos(yaw) > 0 else middle + 0.4
    rest = _plate(seen[[2, 3, 8, 9]])
    return [*patches, Patch(behind, rest, shaded(colour, 0.85))]


def _plate(corners: Points) -> Points:
    """Return the chair's back from its corners: right-bottom, left-bottom, left-top, right-top."""
    low = corners[:2] * 0.55 + corners[[3, 2]] * 0.45
    return np.concatenate((low, corners[2:]))
