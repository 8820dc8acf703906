"""Rooms without anybody, in which something is never quite still: a sensor in the dark, rain, a curtain, a fan."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from harstream.scene.camera import Camera
from harstream.scene.places.backdrop import backdrop

Pixels = NDArray[np.uint8]
Disturbance = Callable[[Pixels, float, np.random.Generator], Pixels]
"""Changes the picture of a room at a time in seconds."""

SIZE = (240, 320)
RATE = 8.0
"""Pictures a second, as many as the default model takes."""


def night(room: Pixels, time: float, random: np.random.Generator) -> Pixels:
    """The noise of a small sensor in the dark: a standard deviation of 21 grey levels, in pictures of 160 x 120.

    The average over a model's pixel leaves less of it in larger pictures.
    """
    small = room[::2, ::2]
    return _levels(0.5 * small + random.normal(0, 21, small.shape))


def shake(room: Pixels, time: float, random: np.random.Generator) -> Pixels:
    """A camera on a mast in the wind: up to 4 % of the picture from one picture to the next."""
    height, width = room.shape[:2]
    right, down = random.uniform(-0.04, 0.04, 2) * (width, height)
    return _warped(room, np.array([[1, 0, right], [0, 1, down]], np.float32))


def flicker(room: Pixels, time: float, random: np.random.Generator) -> Pixels:
    """A lamp that flickers by a tenth, and a cloud that passes every minute."""
    return _levels(room * (1 + random.uniform(-0.1, 0.1) + 0.2 * np.sin(2 * np.pi * time / 60)))


def rain(room: Pixels, time: float, random: np.random.Generator) -> Pixels:
    """Drops that fall through the whole picture, each in one picture only."""
    shown = room.copy()
    for _ in range(40):
        x, y = int(random.integers(0, room.shape[1])), int(random.integers(0, room.shape[0]))
        cv2.line(shown, (x, y), (x + 1, y + int(random.integers(6, 16))), (190, 190, 190), 1, cv2.LINE_AA)
    return shown


def curtain(room: Pixels, time: float, random: np.random.Generator) -> Pixels:
    """A curtain of a quarter of the width, with stripes, that swings in the wind of a window."""
    shown, (height, width) = room.copy(), room.shape[:2]
    gust = 1 + np.sin(2 * np.pi * time / 11)
    for x in range(width // 4):
        swing = 5 * gust * x / (width / 4) * np.sin(2 * np.pi * time / 2.7)
        level = 150 + 50 * np.sin(2 * np.pi * (x + swing) / 14)
        shown[height // 6 : height * 5 // 6, 8 + x] = (level, level, 0.9 * level)
    return shown


def fan(room: Pixels, time: float, random: np.random.Generator) -> Pixels:
    """A fan on a table, which turns once a second and swings to the sides."""
    shown, (height, width) = room.copy(), room.shape[:2]
    middle = int(width * 0.7 + 8 * np.sin(2 * np.pi * time / 9)), height // 2
    cv2.circle(shown, middle, 30, (70, 70, 70), 2, cv2.LINE_AA)
    for blade in range(3):
        angle = 360 * (time + blade / 3)
        cv2.ellipse(shown, middle, (26, 9), angle, 0, 60, (210, 210, 210), -1, cv2.LINE_AA)
    return shown


def television(room: Pixels, time: float, random: np.random.Generator) -> Pixels:
    """A television in a corner, whose picture changes every other second and moves in between."""
    shown = room.copy()
    scene = np.random.default_rng(int(time / 2)).integers(30, 226, (5, 8, 3), np.uint8)
    screen = cv2.resize(np.roll(scene, int(time * 3), axis=1), (80, 50), interpolation=cv2.INTER_LINEAR)
    shown[20:70, 20:100] = screen
    return shown


KINDS: dict[str, Disturbance] = {
    kind.__name__: kind for kind in (night, shake, flicker, rain, curtain, fan, television)
}


def quiet_room(kind: str, seconds: float, seed: int = 1) -> Iterator[tuple[float, Pixels]]:
    """Yields (seconds since the start, BGR picture) of an empty room, drawn from the seed, with a disturbance."""
    random = np.random.default_rng(seed)
    room = _room(random)
    for number in range(round(seconds * RATE)):
        time = number / RATE
        yield time, KINDS[kind](_levels(room + random.normal(0, 2, room.shape)), time, random)


def _room(random: np.random.Generator) -> Pixels:
    height, width = SIZE
    camera = Camera(width, height, middle=width / 2, floor=0.92 * height, scale=0.6 * height, distance=4.0, eye=0.75)
    return backdrop(random, camera).still


def _levels(picture: NDArray[np.floating]) -> Pixels:
    return np.clip(picture, 0, 255).astype(np.uint8)


def _warped(picture: Pixels, by: NDArray[np.float32]) -> Pixels:
    height, width = picture.shape[:2]
    return np.asarray(cv2.warpAffine(picture, by, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8)
