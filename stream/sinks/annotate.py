"""Draws the recognized activity onto a picture, for the recorder and the OpenCV window."""

from __future__ import annotations

import cv2
import numpy as np

from harstream.models.contract import UNKNOWN
from harstream.models.picture import Pixels
from harstream.wire.values import LabelScore, Notice, Step, Subject

MIN_HEIGHT = 480
"""Pixels. A lower picture is scaled up to this height, so that its text is readable."""
FONT = cv2.FONT_HERSHEY_DUPLEX
WHITE, GREY, GREEN, AMBER = (255, 255, 255), (205, 205, 205), (153, 211, 52), (36, 191, 251)


def annotate(step: Step) -> Pixels:
    """Return a new BGR picture (H, W, 3) uint8. Raises ValueError for a step without a frame."""
    if step.frame is None:
        raise ValueError(f"only a step with a frame can be drawn on, got a change of camera {step.notice.camera!r}")
    picture = _at_least_high(step.frame.picture.bgr())
    H, W, _ = picture.shape
    unit = min(H, 0.75 * W) / 100
    for subject in step.notice.boxed:
        _draw_subject(picture, subject, unit)
    _darken(picture, top=round(H - 31 * unit))
    _draw_state(picture, step.notice, unit)
    _draw_activity(picture, step.notice, unit)
    _draw_candidates(picture, step.notice.best, unit)
    return picture


def _at_least_high(picture: Pixels) -> Pixels:
    H, W, _ = picture.shape
    if H >= MIN_HEIGHT:
        return picture.copy()
    size = (max(1, round(W * MIN_HEIGHT / H)), MIN_HEIGHT)
    return cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)


def _darken(picture: Pixels, top: int) -> None:
    """Darken the picture from `top` downwards, by up to 80 % at the lower edge, as background for the text."""
    band = picture[max(0, top) :]
    light = np.round(256 - 205 * np.linspace(0, 1, len(band)) ** 0.5).astype(np.uint16)
    band[:] = (band * light[:, None, None]) >> 8


def _draw_subject(picture: Pixels, subject: Subject, unit: float) -> None:
    """Draw the box that the model sees. Over it stand the number of a person and the activity, if there is one."""
    H, W, _ = picture.shape
    rows, columns = subject.box.pixels(H, W)
    is_active = subject.activity.name != UNKNOWN
    colour = GREEN if is_active else GREY
    corners = (columns.start, rows.start), (columns.stop - 1, rows.stop - 1)
    cv2.rectangle(picture, *corners, colour, max(1, round(0.4 * unit)), cv2.LINE_AA)
    if subject.person is None:
        return
    words = f"{subject.person} {subject.activity.name}" if is_active else f"{subject.person}"
    size, high = 3.2 * unit, round(6.4 * unit)
    top = max(0, rows.start - high)
    right = columns.start + round(_width(words, size) + 3 * unit)
    _box(picture, columns.start, top, right, top + high)
    _write(picture, words, columns.start + 1.5 * unit, top + 0.5 * (high + size), size, colour)


def _draw_state(picture: Pixels, notice: Notice, unit: float) -> None:
    W = picture.shape[1]
    has, needs = notice.warming
    words, colour = ("LIVE", GREEN) if notice.warming.is_over else (f"WARMING {has}/{needs}", AMBER)
    size, edge = 3.6 * unit, round(4 * unit)
    width = _width(words, size)
    left, middle = W - edge - width, round(6.2 * unit)
    _box(picture, round(left - 5.5 * unit), round(2.5 * unit), W - round(2 * unit), round(10 * unit))
    cv2.circle(picture, (round(left - 2.6 * unit), middle), round(1.1 * unit), colour, cv2.FILLED, cv2.LINE_AA)
    _write(picture, words, left, middle + size / 2, size, WHITE)
    fitting_size = _fitting_size(notice.camera, size, room=left - 13.5 * unit)
    name_end = round(edge + _width(notice.camera, fitting_size) + 2 * unit)
    _box(picture, round(2 * unit), round(2.5 * unit), name_end, round(10 * unit))
    _write(picture, notice.camera, edge, middle + fitting_size / 2, fitting_size, WHITE)


def _draw_activity(picture: Pixels, notice: Notice, unit: float) -> None:
    H, W, _ = picture.shape
    left, room = round(4 * unit), round(0.56 * W - 4 * unit)
    name, confidence = notice.activity.name, notice.activity.confidence
    if name == UNKNOWN:
        words = "No activity" if notice.warming.is_over else "Getting ready"
        _write(picture, words, left, H - 5 * unit, _fitting_size(words, 5.5 * unit, room), GREY)
        return
    _write(picture, name, left, H - 14 * unit, _fitting_size(name, 8 * unit, room), WHITE)
    _draw_bar(picture, left, round(H - 11.2 * unit), room, round(1.6 * unit), confidence)
    tick = left + round(notice.activity.threshold * room)
    cv2.line(picture, (tick, round(H - 11.8 * unit)), (tick, round(H - 9 * unit)), WHITE, max(1, round(0.4 * unit)))
    lasts = f"{confidence:.0%} for {max(0.0, notice.time - notice.activity.since):.0f} s"
    _write(picture, lasts, left, H - 4 * unit, _fitting_size(lasts, 3.6 * unit, room), WHITE)


def _draw_candidates(picture: Pixels, best: tuple[LabelScore, ...], unit: float) -> None:
    H, W, _ = picture.shape
    left, right, size = round(0.64 * W), W - round(4 * unit), 3.3 * unit
    for row, (label, score) in enumerate(best):
        line = H - (21.4 - 7.6 * row) * unit
        share = f"{score:.0%}"
        room = right - left - _width("100%", size) - round(2 * unit)
        _write(picture, label, left, line, _fitting_size(label, size, room), WHITE if row == 0 else GREY)
        _write(picture, share, right - _width(share, size), line, size, WHITE if row == 0 else GREY)
        _draw_bar(picture, left, round(line + 1.5 * unit), right - left, max(1, round(0.8 * unit)), score)


def _draw_bar(picture: Pixels, left: int, top: int, width: int, height: int, share: float) -> None:
    bar = picture[top : top + height, left : left + width]
    bar[:] = bar // 2 + 50
    bar[:, : round(width * min(1.0, max(0.0, share)))] = GREEN


def _box(picture: Pixels, left: int, top: int, right: int, bottom: int) -> None:
    box = picture[max(0, top) : bottom, max(0, left) : right]
    box[:] = box // 3


def _write(picture: Pixels, text: str, left: float, bottom: float, size: float, colour: tuple[int, int, int]) -> None:
    """Draw text. `size`: the height of a capital letter; `bottom`: the base line; both in pixels."""
    at = (round(left), round(bottom))
    cv2.putText(picture, text, at, FONT, _scale(size), colour, _thickness(size), cv2.LINE_AA)


def _fitting_size(text: str, size: float, room: float) -> float:
    """Return `size`, or the largest size that fits the text into `room` pixels."""
    return size * min(1.0, max(0.1, room) / max(1, _width(text, size)))


def _width(text: str, size: float) -> int:
    return cv2.getTextSize(text, FONT, _scale(size), _thickness(size))[0][0]


def _scale(size: float) -> float:
    """Return OpenCV's scale. At scale 1, the font's capital letters are 21 pixels high."""
    return size / 21


def _thickness(size: float) -> int:
    return max(1, round(size / 16))
