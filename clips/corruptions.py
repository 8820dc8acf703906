"""Changes pictures as other cameras, rooms and nights do, to measure what a model loses by that.

A change takes a picture (H, W, 3) BGR of any size and returns one. It draws at random from the clip's seed and the
picture's number alone. So a clip always changes in the same way, whichever of its pictures are looked at.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator

import cv2
import numpy as np

from harstream.models.box import WHOLE, Box
from harstream.models.picture import Picture, Pixels
from harstream.models.transform import to_model_frame

Opened = Callable[[], Iterable[tuple[float, Picture]]]
"""Opens a clip from its start: (seconds since the first picture, picture)."""
Change = Callable[[Pixels, np.random.Generator], Pixels]
Joining = Callable[[Pixels, Pixels], Pixels]
"""Puts a picture of a second clip into one of the first."""

AROUND = 114
"""The grey level around a picture that does not fill the view."""
BARS = 0.22
"""The height of each of the two black bars of a letterbox, as a share of the picture's height."""
SHAKE = 0.08
"""How far a shaking camera moves to each side between two pictures, as a share of the view."""
NIGHT, NIGHT_NOISE = 0.7, 21.0
"""The light of a night as a factor on grey levels, and its noise as their standard deviation."""
DARKNESS = 0.3
"""The light of a dark room, as a factor on grey levels."""
BARREL = 0.12
"""How much further from the centre the corners of a fisheye look."""
WIDE = 16 / 9
"""Width by height of the view of two clips."""
TELEVISION = 0.3
"""The side of a television, as a share of the view."""


def smaller(picture: Pixels) -> Pixels:
    """Return the picture in the middle of a view of twice its size."""
    down, across = picture.shape[0] // 2, picture.shape[1] // 2
    return _bordered(picture, down, across, AROUND)


def letterboxed(picture: Pixels) -> Pixels:
    """Return the picture between two black bars."""
    return _bordered(picture, round(BARS * picture.shape[0]), 0, 0)


def shaken(picture: Pixels, random: np.random.Generator) -> Pixels:
    """Return what a view a little smaller than the picture shows from a place drawn at random."""
    H, W, _ = picture.shape
    down, across = round(SHAKE * H), round(SHAKE * W)
    top, left = (int(random.integers(0, 2 * side + 1)) for side in (down, across))
    return picture[top : top + H - 2 * down, left : left + W - 2 * across]


def at_night(picture: Pixels, random: np.random.Generator) -> Pixels:
    """Return a darker picture with the noise of a sensor."""
    noise = random.standard_normal(picture.shape, dtype=np.float32) * np.float32(NIGHT_NOISE)
    return _levels(picture * np.float32(NIGHT) + noise)


def darkened(picture: Pixels) -> Pixels:
    return _levels(picture * np.float32(DARKNESS))


def through_fisheye(picture: Pixels) -> Pixels:
    """Return the picture bent as a barrel. Outside of it is black."""
    return np.asarray(cv2.remap(picture, *_barrel(*picture.shape[:2]), cv2.INTER_LINEAR), np.uint8)


def beside(picture: Pixels, other: Pixels) -> Pixels:
    """Return the picture with another one of the same height on its right, in a view of WIDE at least.

    The grey above and below keeps the shape of an ordinary view. Otherwise both persons would become thin.
    """
    H, W, _ = other.shape
    height = picture.shape[0]
    pair = np.hstack([picture, _resized(other, height, round(W * height / H))])
    return _bordered(pair, max(round(pair.shape[1] / WIDE - height) // 2, 0), 0, AROUND)


def with_television(picture: Pixels, other: Pixels) -> Pixels:
    """Return the picture in a view of twice its size, with another one in the upper left corner."""
    made = smaller(picture)
    height, width = (round(TELEVISION * side) for side in made.shape[:2])
    made[:height, :width] = _resized(other, height, width)
    return made


CHANGES: dict[str, Change] = {
    "small": lambda picture, _: smaller(picture),
    "letterbox": lambda picture, _: letterboxed(picture),
    "shake": shaken,
    "night": at_night,
    "dark": lambda picture, _: darkened(picture),
    "fisheye": lambda picture, _: through_fisheye(picture),
}
"""The kinds that need one clip."""
JOININGS: dict[str, Joining] = {"two": beside, "bystander": beside, "television": with_television}
"""The kinds that need a second clip: another activity, somebody who does none, and anything."""
KINDS = (*CHANGES, *JOININGS)


class ChangedPicture:
    """A Picture that is changed when it is first looked at."""

    def __init__(self, change: Callable[[], Pixels]) -> None:
        self._change = change
        self._changed: Pixels | None = None

    @property
    def size(self) -> tuple[int, int]:
        height, width = self.bgr().shape[:2]
        return height, width

    def bgr(self) -> Pixels:
        if self._changed is None:  # two threads at once would make the same pixels
            self._changed = self._change()
        return self._changed

    def model_frame(self, height: int, width: int, box: Box = WHOLE) -> Pixels:
        return to_model_frame(self.bgr(), height, width, box)


def corrupted(clip: Opened, kind: str, *, seed: int, other: Opened | None = None) -> Iterator[tuple[float, Picture]]:
    """Yield the pictures of a clip, each changed as `kind` says, one of KINDS. Some kinds need another clip.

    The other clip starts again whenever it ends. Raises VideoError for a clip that cannot be read.
    """
    if kind in JOININGS:
        assert other is not None, f"{kind} needs a second clip"
        for time, picture, second in _together(clip, other):
            yield time, ChangedPicture(functools.partial(_joined, JOININGS[kind], picture, second))
        return
    for number, (time, picture) in enumerate(clip()):
        yield time, ChangedPicture(functools.partial(_changed, CHANGES[kind], picture, (seed, number)))


def _joined(joining: Joining, picture: Picture, second: Picture) -> Pixels:
    return joining(picture.bgr(), second.bgr())


def _changed(change: Change, picture: Picture, seed: tuple[int, int]) -> Pixels:
    return change(picture.bgr(), np.random.default_rng(seed))


def _together(clip: Opened, other: Opened) -> Iterator[tuple[float, Picture, Picture]]:
    """Yield time and picture of a clip, and the newest picture that the other clip has then.

    time:   0    1    2    3
    clip:   a    b    c    d
    other:  A    B    A    B      the other clip has two pictures, one second apart
    """
    others = _repeated(other)
    _, newest = next(others)
    following = next(others)
    for time, picture in clip():
        while following[0] <= time:
            newest, following = following[1], next(others)
        yield time, picture, newest


def _repeated(clip: Opened) -> Iterator[tuple[float, Picture]]:
    """Yield the pictures of a clip over and over, with times that go on by its last interval."""
    begin = 0.0
    while True:
        last = interval = 0.0
        for time, picture in clip():
            interval, last = time - last or interval, time
            yield begin + time, picture
        begin += last + (interval or 1.0)


def _bordered(picture: Pixels, down: int, across: int, level: int) -> Pixels:
    H, W, _ = picture.shape
    made = np.full((H + 2 * down, W + 2 * across, 3), level, np.uint8)
    made[down : down + H, across : across + W] = picture
    return made


def _levels(values: np.ndarray) -> Pixels:
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def _resized(picture: Pixels, height: int, width: int) -> Pixels:
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


@functools.lru_cache(maxsize=8)
def _barrel(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns and the rows (H, W) that a fisheye shows. The middle of each side stays in view."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    further = (1 + BARREL * (x * x + y * y)) / np.float32(1 + BARREL / 4)
    columns, rows = (x * further + 1) * (width - 1) / 2, (y * further + 1) * (height - 1) / 2
    return columns.astype(np.float32), rows.astype(np.float32)
