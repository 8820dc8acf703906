"""Decides which part of a camera's picture the model sees: all of it, or the box in which something moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from harstream.models.box import WHOLE, Box
from harstream.models.picture import Picture
from harstream.stream.recognition.views.motion import Motion
from harstream.stream.recognition.views.settings import ViewSettings

MARGIN_OF_MOTION = 1.0
"""Factor from the box around all movement to what the model sees. With 1.2, fewer small people are recognized."""
ASPECT = 4 / 3
"""Width to height of what the model sees, in pixels: that of the clips on which the shipped models were trained."""
SMALLEST = 0.25
"""The lowest height of a box, as a share of what the camera watches. A moving hand is no person."""
STAYS = 0.05
"""A box stays while each side of a new one is nearer than this share of its longer side. So it does not tremble."""


class Sight(NamedTuple):
    """A part of the picture that the model sees."""

    person: int | None
    """The number of the person in it, None if it is not known whom it shows."""
    box: Box


class View(Protocol):
    """Decides what the model sees of one camera."""

    region: Box
    """The part of the picture that is watched at all."""

    def update(self, picture: Picture, motion: Motion, time: float) -> tuple[Sight, ...]:
        """Return what the model sees of the next picture on the grid, at `time` in seconds. At least one part.

        `motion` knows this picture already. Its boxes are shares of the region.
        """
        ...

    def clear(self) -> None:
        """Forget who and what was where, after a long gap."""
        ...


NewView = Callable[[ViewSettings], View]


class PictureView:
    """Shows the model all that the camera watches."""

    def __init__(self, region: Box = WHOLE) -> None:
        self.region = region

    def update(self, picture: Picture, motion: Motion, time: float) -> tuple[Sight, ...]:
        return (Sight(None, self.region),)

    def clear(self) -> None:
        pass


class MotionView:
    """Shows the model the box in which something moved during the last window.

    It needs no network. It cannot tell two people apart, and it includes a television.
    """

    def __init__(self, region: Box = WHOLE) -> None:
        self.region = region
        self._box = region

    def update(self, picture: Picture, motion: Motion, time: float) -> tuple[Sight, ...]:
        if moved := motion.box:
            self._box = steady(
                self._box, fitted(moved.in_picture(self.region), MARGIN_OF_MOTION, picture.size, self.region)
            )
        return (Sight(None, self._box),)

    def clear(self) -> None:
        self._box = self.region


def view_without_network(settings: ViewSettings) -> View:
    """Return a view that needs no network. Raises ValueError for one that does."""
    match settings.kind:
        case "picture":
            return PictureView(settings.region)
        case "motion":
            return MotionView(settings.region)
    raise ValueError(f"expected a view that needs no network, got {settings.kind}")


def fitted(box: Box, margin: float, size: tuple[int, int], region: Box) -> Box:
    """Return the box times a margin, grown to ASPECT and moved into the region. `size`: the picture's (H, W) pixels."""
    H, W = size
    height = max(margin * box.height, margin * box.width * W / H / ASPECT, SMALLEST * region.height)
    return box.sized(height * H * ASPECT / W, height).moved_into(region)


def steady(box: Box, wanted: Box) -> Box:
    """Return `box` while it is near enough to `wanted`, else `wanted`."""
    near = STAYS * max(wanted.width, wanted.height)
    left_top = max(abs(box.left - wanted.left), abs(box.top - wanted.top))
    right_bottom = max(abs(box.right - wanted.right), abs(box.bottom - wanted.bottom))
    return box if max(left_top, right_bottom) <= near else wanted
