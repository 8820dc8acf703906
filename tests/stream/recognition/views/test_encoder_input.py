"""The encoder sees both pictures of a pair through the same box."""

from __future__ import annotations

import weakref

import numpy as np
from numpy.typing import NDArray

from harstream.models.box import WHOLE, Box
from harstream.models.contract import ModelContract
from harstream.models.transform import BgrPicture
from harstream.stream.recognition.views.encoder_input import EncoderInput

CONTRACT = ModelContract("grey", "1", ("Jump", "Idle"), ("Idle",), frames=3, height=4, width=4, rate=10.0)
LEFT, RIGHT = Box(0.0, 0.0, 0.5, 1.0), Box(0.5, 0.0, 1.0, 1.0)


class CountedPicture(BgrPicture):
    """Counts how often it is cut."""

    cuts = 0

    def model_frame(self, height: int, width: int, box: Box = WHOLE) -> NDArray[np.uint8]:
        self.cuts += 1
        return super().model_frame(height, width, box)


def columns(*levels: int) -> CountedPicture:
    """Returns a picture of 8 x 8 pixels. Each level fills the same number of columns."""
    return CountedPicture(
        np.repeat(np.array(levels, np.uint8), 8 // len(levels))[None, :, None].repeat(8, 0).repeat(3, 2)
    )


def levels(cut: NDArray[np.uint8]) -> list[list[int]]:
    return cut.reshape(-1, 4, 4, 3)[:, 0, :, 0].tolist()


def test_both_pictures_are_cut_by_the_box_of_the_later_one() -> None:
    cutter = EncoderInput(CONTRACT, lookback=1)
    cutter.advance(columns(10, 20))
    cutter.frame(LEFT)
    cutter.advance(columns(30, 40))
    assert levels(cutter.cut(RIGHT)) == [[20] * 4, [40] * 4]


def test_first_picture_gives_no_pair() -> None:
    cutter = EncoderInput(CONTRACT, lookback=1)
    cutter.advance(columns(10, 20))
    assert not cutter.is_ready
    cutter.advance(columns(10, 20))
    assert cutter.is_ready
    cutter.clear()
    cutter.advance(columns(10, 20))
    assert not cutter.is_ready


def test_encoder_of_single_pictures_gets_one() -> None:
    cutter = EncoderInput(CONTRACT, lookback=0)
    cutter.advance(columns(10, 20))
    assert levels(cutter.cut(RIGHT)) == [[20] * 4]


def test_shaken_pair_is_cut_to_what_both_show() -> None:
    # The picture moved to the right by two of eight columns: what was in column 0 is in column 2.
    cutter = EncoderInput(CONTRACT, lookback=1)
    cutter.advance(columns(0, 10, 20, 30, 40, 50, 60, 70))
    cutter.advance(columns(99, 99, 0, 10, 20, 30, 40, 50))
    before, after = levels(cutter.cut(WHOLE, shift=(0.25, 0.0)))
    assert before == after


def test_box_that_stays_is_cut_once_from_each_picture() -> None:
    cutter = EncoderInput(CONTRACT, lookback=1)
    shown = [columns(10, 20) for _ in range(4)]
    for picture in shown:
        cutter.advance(picture)
        cutter.frame(WHOLE)
        if cutter.is_ready:
            cutter.cut(WHOLE)
    assert [picture.cuts for picture in shown] == [1, 1, 1, 1]


def test_only_the_last_picture_is_kept_until_the_next_one() -> None:
    cutter = EncoderInput(CONTRACT, lookback=1)
    first = columns(10, 20)
    kept = weakref.ref(first)
    cutter.advance(first)
    cutter.advance(columns(30, 40))
    del first
    assert kept() is not None
    cutter.release()
    assert kept() is None
    cutter.advance(columns(50, 60))
    assert levels(cutter.cut(RIGHT)) == [[40] * 4, [60] * 4]
