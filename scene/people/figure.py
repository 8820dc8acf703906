"""Draws the body of a person around a skeleton."""

from __future__ import annotations

from math import atan2, hypot

import numpy as np

from harstream.scene.camera import Camera
from harstream.scene.patch import Bone, Colour, Patch, capsule, ellipse, hull, limbs, shaded, solid
from harstream.scene.people.person import Person
from harstream.scene.people.skeleton import Skeleton
from harstream.scene.pose import Points

SIDES = (0, 1)


def figure(body: Skeleton, person: Person, camera: Camera) -> list[Patch]:
    """Return all patches of the person. Depths are body heights towards the camera."""
    patches = _torso(body, person, camera) + _head(body, person, camera)
    for side in SIDES:
        patches += _leg(body, side, person, camera) + _arm(body, side, person, camera)
    return patches


def _between(start: Points, end: Points, fraction: float) -> Points:
    return start + (end - start) * fraction


def _bones(camera: Camera, depth: float, *bones: tuple[Points, Points, float, float, Colour]) -> list[Patch]:
    """Draw joined limbs between joints of the world (start, end, radius, radius, colour), radii in body heights."""
    seen, zoom = camera.seen(np.array([joint for bone in bones for joint in bone[:2]]))
    return limbs(
        depth,
        [
            Bone(seen[2 * i], seen[2 * i + 1], first * zoom[2 * i], last * zoom[2 * i + 1], colour)
            for i, (_, _, first, last, colour) in enumerate(bones)
        ],
    )


def _arm(body: Skeleton, side: int, person: Person, camera: Camera) -> list[Patch]:
    shoulder, elbow, wrist, hand = body.shoulders[side], body.elbows[side], body.wrists[side], body.hands[side]
    build, skin, shirt = person.build, person.skin, person.shirt
    depth = float(shoulder[2] + elbow[2] + wrist[2]) / 3 + 0.06
    bare = [
        (shoulder, elbow, 0.037 * build, 0.028 * build, skin),
        (elbow, wrist, 0.029 * build, 0.018 * build, skin),
        (wrist, hand, 0.019 * build, 0.024 * build, skin),
    ]
    patches = _bones(camera, depth, *bare)
    if person.sleeves <= 0:
        return patches
    sleeve = [(shoulder, _between(shoulder, elbow, min(1.0, person.sleeves)), 0.043 * build, 0.036 * build, shirt)]
    if person.sleeves > 1:
        sleeve.append((elbow, wrist, 0.035 * build, 0.026 * build, shirt))
    return patches + _bones(camera, depth, *sleeve)


def _leg(body: Skeleton, side: int, person: Person, camera: Camera) -> list[Patch]:
    socket, knee, ankle, toe = body.sockets[side], body.knees[side], body.ankles[side], body.toes[side]
    build, cloth = person.build, person.trousers
    depth = float(socket[2] + knee[2] + ankle[2]) / 3 - 0.01
    calf = _between(knee, ankle, 0.3)
    patches = _shoe(camera, depth, ankle, toe, person)
    if person.legs < 2:
        bare = [
            (socket, knee, 0.056 * build, 0.038 * build, person.skin),
            (knee, calf, 0.037 * build, 0.039 * build, person.skin),
            (calf, ankle, 0.039 * build, 0.023, person.skin),
        ]
        patches += _bones(camera, depth, *bare)
    covered = [(socket, _between(socket, knee, min(1.0, person.legs)), 0.064 * build, 0.048 * build, cloth)]
    if person.legs > 1:
        hem = _between(knee, ankle, min(0.95, person.legs - 1))
        covered.append((knee, hem, 0.047 * build, (0.046 - 0.013 * min(1.0, person.legs - 1)) * build, cloth))
    return patches + _bones(camera, depth, *covered)


def _shoe(camera: Camera, depth: float, ankle: Points, toe: Points, person: Person) -> list[Patch]:
    heel = ankle - (toe - ankle) * 0.25
    down = np.array((0, -0.014, 0))
    sole = _bones(camera, depth, (heel + down, toe + down * 0.3, 0.024, 0.019, shaded(person.shoes, 1.7)))
    return sole[:2] + _bones(camera, depth, (heel, toe, 0.027, 0.018, person.shoes))


def _ring(camera: Camera, centre: Points, radius: float) -> Points:
    (middle,), (zoom,) = camera.seen(centre[None])
    return ellipse(middle, radius * zoom, radius * zoom)


def _torso(body: Skeleton, person: Person, camera: Camera) -> list[Patch]:
    build, left = person.build, body.left
    across = body.sockets[0] - body.hips
    waist = _between(body.hips, body.neck, 0.3)
    chest = _between(body.hips, body.neck, 0.78)
    top = _between(body.hips, body.neck, 0.93)
    round_by = 0.06 * build * camera.scale
    rings = [(top, left * 0.085, 0.034), (chest, left * 0.062, 0.06), (waist, left * 0.042, 0.058)]
    seat = [(waist, left * 0.04, 0.05), (body.hips, across * 0.9, 0.06)]
    hem = _between(body.hips, body.neck, 0.1)
    depth = float(waist[2])
    patches = solid(depth, _wrap(camera, seat, build), person.trousers, round_by)
    patches += solid(depth + 0.04, _wrap(camera, [*rings, (hem, across * 0.8, 0.058)], build), person.shirt, round_by)
    if person.striped:
        patches += [_band(body, fraction, depth + 0.041, person, camera) for fraction in (0.5, 0.64, 0.78)]
    return patches


def _band(body: Skeleton, fraction: float, depth: float, person: Person, camera: Camera) -> Patch:
    """Draw a stripe round the chest at a fraction of the way from hips to neck."""
    (low, middle), (_, zoom) = camera.seen(np.stack((body.hips, _between(body.hips, body.neck, fraction))))
    x, y = middle - low
    aside = np.array((-y, x)) / max(1e-6, hypot(x, y))
    half = aside * (abs(float(body.left[0])) * 0.05 + 0.047) * person.build * zoom
    return Patch(depth, capsule(middle - half, middle + half, 0.012 * zoom, 0.012 * zoom), person.stripe)


def _wrap(camera: Camera, rings: list[tuple[Points, Points, float]], build: float) -> Points:
    """Return the outline around pairs of balls: (middle, offset to both sides, radius)."""
    return hull(
        _ring(camera, middle + sign * offset * build, radius * build)
        for middle, offset, radius in rings
        for sign in (-1, 1)
    )


def _head(body: Skeleton, person: Person, camera: Camera) -> list[Patch]:
    depth = float(body.head[2]) + 0.03
    neck = (body.neck, body.head, 0.036, 0.03, shaded(person.skin, 0.88))
    patches = _bones(camera, float(body.neck[2]) + 0.012, neck)
    (base, centre), (_, zoom) = camera.seen(np.stack((body.neck, body.head)))
    size = 0.073 * zoom
    tilt = atan2(centre[1] - base[1], centre[0] - base[0])
    look = np.array((body.face[0], -body.face[1])) * size
    up = np.array((np.cos(tilt), np.sin(tilt))) * size
    towards = float(body.face[2])
    cap = shaded(person.skin, 0.95) if person.bald else person.hair
    skull = ellipse(centre, size * 1.06, size * 0.86, tilt)
    if person.long_hair and not person.bald:
        fall = ellipse(centre - up * 0.55 - look * 0.4, size * 0.95, size * 0.75, tilt)
        patches += [Patch(depth - 0.05 if towards > -0.2 else depth + 0.05, fall, shaded(cap, 0.85))]
    patches += solid(depth, skull, cap, size)
    if towards > -0.45:
        patches += _face(centre, look, up, size, tilt, towards, depth, person)
    return patches


def _face(
    centre: Points, look: Points, up: Points, size: float, tilt: float, towards: float, depth: float, person: Person
) -> list[Patch]:
    """Draw the skin over the front of the skull, and eyes and mouth if they are visible."""
    narrow = 0.62 + 0.19 * max(0.0, towards)
    middle = centre + look * 0.3 - up * 0.26
    patches = solid(depth + 0.001, ellipse(middle, size * 0.86, size * narrow, tilt), person.skin, size)
    nose = ellipse(centre + look * 0.92 - up * 0.18, size * 0.15, size * 0.12, tilt)
    patches.append(Patch(depth + 0.002, nose, shaded(person.skin, 0.9)))
    sideways = np.array((-up[1], up[0]))
    for side in (-1, 1):
        eye = middle + look * 0.5 + up * 0.22 + sideways * side * 0.32 * max(0.15, towards)
        brow = eye + up * 0.2
        patches.append(Patch(depth + 0.003, ellipse(brow, size * 0.05, size * 0.13, tilt), shaded(person.skin, 0.6)))
        patches.append(Patch(depth + 0.004, ellipse(eye, size * 0.075, size * 0.07), (45, 40, 45)))
    mouth = middle + look * 0.45 - up * 0.36
    lips = (person.skin[0] * 0.75, person.skin[1] * 0.65, person.skin[2] * 0.88)
    patches.append(Patch(depth + 0.003, ellipse(mouth, size * 0.05, size * 0.22 * max(0.3, towards), tilt), lips))
    return patches
