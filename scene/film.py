"""Draws the pictures of a film: one person, or several side by side, follow their scripts in one place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from harstream.scene.camera import Camera
from harstream.scene.patch import Patch, Picture, paint
from harstream.scene.people import props
from harstream.scene.people.acting import Role, role
from harstream.scene.people.figure import figure
from harstream.scene.people.person import Person, dyed, person
from harstream.scene.people.skeleton import Skeleton, skeleton
from harstream.scene.places.backdrop import backdrop
from harstream.scene.pose import Pose, blended, eased
from harstream.scene.script import Segment
from harstream.scene.sensor import sensor

CHANGE = 0.4
"""Seconds of a transition between motions; those to or from floor, bar and chair take twice as long."""


COMPANY_HEIGHT = 0.5
"""The largest height of each of several people, as a share of the picture's. They need room beside each other."""


def frames(
    segments: Iterable[Segment],
    seed: int,
    rate: float = 25.0,
    size: tuple[int, int] = (320, 240),
    company: Sequence[Iterable[Segment]] = (),
) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Give seconds since the start and a new picture (H, W, 3) uint8 BGR, `rate` times a second; `size` is (W, H).

    segments:  |--- None ---|--- Punch ---|
    time:      0   1/rate   2/rate  ...    until the last end, which is left out

    `company`: the scripts of more people. They stand beside the first one, and stay there in their pauses.
    """
    random = np.random.default_rng((seed, 0))
    camera, look = _camera(random, size), person(random)
    cameras = _side_by_side(camera, 1 + len(company)) if company else [camera]
    place, lens = backdrop(random, cameras[0]), sensor(random, *size)
    side = 1 if random.random() < 0.5 else -1
    looks = [look, *(person(np.random.default_rng((seed, 3, number))) for number in range(len(company)))]
    actors = [
        _Actor(look, camera, _roles(script, seed + number, side, stays=bool(company)))
        for number, (look, camera, script) in enumerate(zip(looks, cameras, [segments, *company], strict=True))
    ]
    number = 0
    while all(actor.turn_to(number / rate) for actor in actors):
        picture = place.at(number / rate)
        for actor in actors:
            actor.play(picture, number / rate)
        yield number / rate, lens.take(picture, number / rate, number)
        number += 1


class _Actor:
    """A person who plays one role after the other."""

    def __init__(self, look: Person, camera: Camera, roles: Iterator[tuple[Role | None, Role, float]]) -> None:
        """`camera`: the one whose middle is where the person stands."""
        self._look, self._camera, self._roles = look, camera, roles
        self._playing = next(roles, None)

    def turn_to(self, time: float) -> bool:
        """Take the role of a time, not before the last one. Return whether there is any."""
        while self._playing is not None and time >= self._playing[2] - 1e-9:
            self._playing = next(self._roles, None)
        return self._playing is not None

    def play(self, picture: Picture, time: float) -> None:
        assert self._playing is not None
        before, now, _ = self._playing
        _play(picture, before, now, time, self._look, self._camera)


def _roles(
    segments: Iterable[Segment], seed: int, side: int, *, stays: bool
) -> Iterator[tuple[Role | None, Role, float]]:
    """Give the role before each segment, its own role, and its end."""
    before: Role | None = None
    for segment, following in pairwise(chain(segments, (None,))):
        assert segment is not None
        now = role(segment, seed, side, opens=before is None, closes=following is None, stays=stays)
        yield before, now, segment.end
        before = now


def _camera(random: np.random.Generator, size: tuple[int, int]) -> Camera:
    """Choose the person's height so that raised hands, and a head above the bar, stay in the picture."""
    width, height = size
    floor = height * float(random.uniform(0.88, 0.96))
    scale = height * float(random.uniform(0.5, 0.66))
    scale = min(scale, (floor - 4) / 1.43)
    return Camera(
        width=width,
        height=height,
        middle=width * float(random.uniform(0.38, 0.62)),
        floor=floor,
        scale=scale,
        distance=float(random.uniform(3.2, 6.0)),
        eye=float(random.uniform(0.55, 0.95)),
    )


def _side_by_side(camera: Camera, people: int) -> list[Camera]:
    """Return a camera for each person, with the places in which they stand from left to right."""
    scale = min(camera.scale, COMPANY_HEIGHT * camera.height)
    shares = [(number + 0.5) / people for number in range(people)]
    return [replace(camera, scale=scale, middle=share * camera.width) for share in shares]


def _play(picture: Picture, before: Role | None, now: Role, time: float, look: Person, camera: Camera) -> None:
    weight, pose = 1.0, now.pose(time)
    if before is not None:
        weight = eased((time - now.start) / _change(before, now))
        pose = blended(before.pose(time), pose, weight)
    body = skeleton(pose)
    patches = figure(body, look, camera) + _things(now, time, weight, pose, body, look, camera)
    if before is not None and weight < 1.0:
        patches += _things(before, time, 1.0 - weight, pose, body, look, camera)
    _shadow(picture, body, camera)
    paint(picture, patches)


def _change(before: Role, now: Role) -> float:
    gap = before.pose(now.start).hips - now.pose(now.start).hips
    return CHANGE * (2.0 if abs(gap[1]) > 0.08 else 1.0)


def _things(
    part: Role, time: float, presence: float, pose: Pose, body: Skeleton, look: Person, camera: Camera
) -> list[Patch]:
    style, since = part.style, part.time(time)
    match part.part.prop:
        case "rope":
            return props.rope(body, camera, since, style, presence)
        case "bar":
            return props.bar(0.0, style.yaw, camera, style, presence)
        case "weights" if style.variant % 3 == 0:
            return props.barbell(body, camera, style, presence)
        case "weights" if style.variant % 3 == 1:
            return props.dumbbells(body, camera, presence)
        case "gloves":
            worn = props.gloves(body, camera, look.gloves, presence)
            hung = style.variant % 2 == 0
            return worn + (props.bag(0.0, style.yaw, camera, since, style, presence) if hung else [])
        case "chair":
            colour = dyed(np.random.default_rng(style.variant), (0.1, 0.6), (0.3, 0.8))
            return props.chair(0.0, style.yaw, camera, colour, presence)
    return []


def _shadow(picture: Picture, body: Skeleton, camera: Camera) -> None:
    """Draw a soft shadow on the floor under the body."""
    joints = np.stack((body.head, body.hips, *body.ankles, *body.knees, *body.hands))
    joints[:, 1] = 0.0
    seen, _ = camera.seen(joints)
    half = float(np.ptp(seen[:, 0])) / 2 + 0.1 * camera.scale
    left, right = int(seen[:, 0].mean() - half), int(seen[:, 0].mean() + half)
    row, high = float(seen[:, 1].mean()), int(0.09 * camera.scale)
    top, bottom = max(0, int(row) - high), min(camera.height, int(row) + high)
    first, last = max(0, left), min(camera.width, right)
    if last - first < 4 or bottom - top < 4:
        return
    rows = (np.arange(top, bottom) - row) / high
    columns = (np.arange(first, last) - (left + right) / 2) / half
    dark = 0.55 * np.exp(-2.5 * (rows[:, None] ** 2 + columns[None] ** 2))
    keep = np.repeat((255 * (1 - dark)).astype(np.uint8)[..., None], 3, axis=2)
    region = picture[top:bottom, first:last]
    picture[top:bottom, first:last] = cv2.multiply(region, keep, scale=1 / 255)
