"""The anchor converts the times of a network camera."""

from __future__ import annotations

import pytest

from harstream.stream.sources.rtsp import Anchor


def test_anchor_matches_its_trace() -> None:
    anchor = Anchor()
    pairs = [(0.00, 100.00), (0.04, 100.05), (0.08, 100.08), (3.00, 105.00)]
    assert [anchor.time(stamp, now) for stamp, now in pairs] == pytest.approx([100.00, 100.04, 100.08, 105.00])


def test_a_picture_without_a_time_gets_its_time_of_arrival() -> None:
    assert Anchor().time(None, 100.0) == 100.0


def test_the_smallest_delay_is_the_anchor() -> None:
    anchor = Anchor()
    anchor.time(0.0, 100.5)  # this picture is half a second late
    assert anchor.time(1.0, 101.0) == 101.0
    assert anchor.time(2.0, 102.4) == 102.0
