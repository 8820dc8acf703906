"""Shows a clip as other cameras would: a box around the person, near or far, in another room, shaken and at night.

A window comes in larger frames than the model's, so that a small box is not blurred, and leaves in the model's size.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from harstream.models.box import WHOLE, Box
from harstream.training.augmentation.action_box import action_box, squared
from harstream.training.augmentation.frames import Range, hide_a_part, with_other_light
from harstream.training.augmentation.sensors import darkened, fisheye, noisy, shaken_steps, softened

Frames = NDArray[np.uint8]
"""(T, H, W, 3) RGB."""
Steps = NDArray[np.float64]
"""(T, 2) shifts of the frames to the right and down, in pixels of the view."""

SHARPEST = 1.6
"""Pixels of a clip for one of the model's, up to which linear interpolation needs no average before it."""

SIDES = 0.4, 2.4
"""The shortest and the longest side of a view around the action, where the clip's side is 1."""


@dataclass(frozen=True)
class Views:
    """How a window may be seen: ranges for uniform draws, and probabilities between 0 and 1."""

    stored: float
    """The side of a stored frame, as a multiple of the model's."""
    whole: float
    """Probability that the view is the whole picture, a little moved, as `zoom` and `shift` say."""
    zoom: Range
    margin: Range
    """Side of the view around the action, as a multiple of the action's side."""
    aspect: Range
    """Factor on the ratio of width to height."""
    shift: float
    """Largest shift to either side, as a share of the view."""
    tilt: float
    """Largest rotation, in degrees, to either side."""
    surrounded: float
    """Probability that another clip fills what the view shows beside the clip. Otherwise it is one colour."""
    beside: float
    """Probability that a second clip covers one side of the view."""
    television: float
    """Probability that another clip moves in a corner."""
    shaken: float
    dark: float
    noisy: float
    fisheye: float
    soft: float
    hidden: float
    grey: float
    light: Range
    """Factor on the contrast, and on the brightness."""
    still: float
    """Windows of still pictures, as a share of the windows of clips. They are background."""
    joined: float
    """Probability that the first half of a window, at most, shows what was before."""


@dataclass(frozen=True, eq=False)
class Other:
    """A window of another clip that may be in view."""

    frames: Frames
    is_background: bool


def joined(window: Frames, before: Frames | None, random: np.random.Generator) -> Frames:
    """Return the window (T, H, W, 3) with other first frames, at most half: the last ones of `before`.

    Without `before`, nothing moves until the rest begins.
    """
    count = int(random.integers(1, len(window) // 2 + 1))
    made = window.copy()
    made[:count] = window[count] if before is None else before[-count:]
    return made


def seen(
    window: Frames, box: Box, other: Other | None, size: tuple[int, int], how: Views, random: np.random.Generator
) -> Frames:
    """Return a window (T, height, width, 3) for `size` (height, width), changed at random within `how`.

    `box` is where the action is. `other` may appear around the clip, beside it, or on a television. Without it, one
    colour surrounds the clip.
    """
    T = len(window)
    made = np.empty((T, *size, 3), np.uint8)
    steps = shaken_steps(T, random) if random.random() < how.shaken else np.zeros((T, 2))
    part = made
    if other is not None and random.random() < how.beside:
        part = _share_the_view(made, other, steps, random)
    if random.random() < how.whole:
        _show_whole(window, part, how, steps, random)
    else:
        _show_box(window, box, other, part, how, steps, random)
    if other is not None and random.random() < how.television:
        _show_television(made, other, steps, random)
    return _through_a_camera(made, how, random)


def _share_the_view(made: Frames, other: Other, steps: Steps, random: np.random.Generator) -> Frames:
    """Draw the second clip on one side of the view, and return the other side, a view of `made`."""
    _, H, W, _ = made.shape
    width = int(W * random.uniform(0.15, 0.5 if other.is_background else 0.3))
    is_left = random.random() < 0.5
    theirs, ours = (made[:, :, :width], made[:, :, width:]) if is_left else (made[:, :, -width:], made[:, :, :-width])
    margin, aspect = random.uniform(1.0, 1.6), random.uniform(width / H, 1)
    view = squared(action_box(other.frames), margin, aspect, sides=(0.2, 1.0))
    _render(other.frames, view, theirs, steps, 0, random, border=cv2.BORDER_REPLICATE)
    return ours


def _show_whole(window: Frames, made: Frames, how: Views, steps: Steps, random: np.random.Generator) -> None:
    """Draw the whole picture of the clip, a little moved."""
    view = squared(WHOLE, 1 / random.uniform(*how.zoom), random.uniform(0.9, 1.1), sides=(0.0, 2.0))
    view = _moved(view, 0.6 * how.shift, random)
    _render(window, view, made, steps, how.tilt, random, border=cv2.BORDER_REFLECT_101)


def _show_box(
    window: Frames, box: Box, other: Other | None, made: Frames, how: Views, steps: Steps, random: np.random.Generator
) -> None:
    """Draw a view around the box, and around the clip what it shows beside the clip."""
    margin, aspect = random.uniform(*how.margin), random.uniform(*how.aspect)
    view = _moved(squared(box, margin, aspect, sides=SIDES), how.shift, random)
    made[:] = random.integers(0, 256, 3) if random.random() < 0.3 else random.integers(0, 160)
    if other is not None and random.random() < how.surrounded:
        _show_surroundings(other, made, steps, random)
    _render(window, view, made, steps, how.tilt, random)


def _show_surroundings(other: Other, made: Frames, steps: Steps, random: np.random.Generator) -> None:
    """Draw a clip of background, or one frame of any clip, over the whole view."""
    frames = other.frames
    if not other.is_background or random.random() < 0.4:
        frames = np.broadcast_to(frames[:1], frames.shape)
    _render(frames, WHOLE.sized(0.85, 0.85), made, steps, 0, random, border=cv2.BORDER_REFLECT_101)


def _show_television(made: Frames, other: Other, steps: Steps, random: np.random.Generator) -> None:
    """Draw the other clip in a corner."""
    _, H, W, _ = made.shape
    height, width = (int(side * random.uniform(0.15, 0.33)) for side in (H, W))
    top, left = (int(random.random() < 0.5) * (side - part) for side, part in ((H, height), (W, width)))
    part = made[:, top : top + height, left : left + width]
    _render(other.frames, WHOLE.sized(0.95, 0.95), part, steps, 0, random, border=cv2.BORDER_REPLICATE)


def _render(
    window: Frames,
    view: Box,
    made: Frames,
    steps: Steps,
    tilt: float,
    random: np.random.Generator,
    *,
    border: int = cv2.BORDER_TRANSPARENT,
) -> None:
    """Draw what the view shows of a window into `made` (T, height, width, 3). Half of all windows are mirrored.

    A transparent border keeps what is there already.
    """
    _, H, W, _ = made.shape
    frames = _averaged(window, view, H, W)
    h, w = frames[0].shape[:2]
    warp = _to_view(view, (h, w), (H, W), random.uniform(-tilt, tilt), is_mirrored=random.random() < 0.5)
    for frame, target, step in zip(frames, made, steps, strict=True):
        moved = warp.copy()
        moved[:, 2] += step
        canvas = np.ascontiguousarray(target)
        cv2.warpAffine(frame, moved, (W, H), canvas, cv2.INTER_LINEAR, border)
        target[:] = canvas


def _moved(view: Box, shift: float, random: np.random.Generator) -> Box:
    """Return the view moved by at most this share of its sides."""
    across, down = random.uniform(-shift, shift, 2)
    return view.shifted(across * view.width, down * view.height)


def _averaged(window: Frames, view: Box, height: int, width: int) -> list[Frames]:
    """Return the frames smaller if the view is so large that linear interpolation would skip pixels of them."""
    _, h, w, _ = window.shape
    down, across = view.height * h / height, view.width * w / width
    if max(down, across) <= SHARPEST:
        return list(window)
    smaller = max(int(w / max(across, 1)), 4), max(int(h / max(down, 1)), 4)
    return [np.asarray(cv2.resize(frame, smaller, interpolation=cv2.INTER_AREA), np.uint8) for frame in window]


def _to_view(
    view: Box, source: tuple[int, int], target: tuple[int, int], degrees: float, *, is_mirrored: bool
) -> NDArray[np.float64]:
    """Return the matrix (2, 3) from pixels of the source to pixels of the view; sizes are (height, width)."""
    (h, w), (H, W) = source, target
    across, down = W / (view.width * w), H / (view.height * h)
    turn = np.radians(degrees)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * [across, down]
    centre = np.array(view.centre) * [w, h] - 0.5
    warp = np.column_stack([matrix, np.array([W - 1, H - 1]) / 2 - matrix @ centre])
    if is_mirrored:
        warp[0] = [0, 0, W - 1] - warp[0]
    return np.asarray(warp, np.float64)


def _through_a_camera(frames: Frames, how: Views, random: np.random.Generator) -> Frames:
    """Return the frames with the lens, the light and the sensor of another camera."""
    if random.random() < how.fisheye:
        frames = fisheye(frames, random)
    if random.random() < how.hidden:
        hide_a_part(frames, random)
    if random.random() < how.soft:
        frames = softened(frames, random)
    if random.random() < how.grey:
        frames[:] = frames[..., 1:2]  # green stands for luminance
    frames = with_other_light(frames, how.light, random)
    is_dark = random.random() < how.dark
    if is_dark:
        frames = darkened(frames, random)
    return noisy(frames, random) if random.random() < (0.6 if is_dark else how.noisy) else frames
