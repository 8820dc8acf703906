"""Errors that last are measured on a stream: somebody walks for ten seconds, then nobody is there for ten."""

from __future__ import annotations

import numpy as np
import pytest

from harstream.evaluation.streams.event_metrics import Segment
from harstream.evaluation.streams.lasting_in_streams import lasting_in_streams
from harstream.evaluation.streams.stream_runner import Watched
from harstream.models.contract import ModelContract
from harstream.wire.values import Scores

CONTRACT = ModelContract("m", "1", ("Walk", "Jump", "nobody"), ("nobody",), rate=10.0)
TRUTH = (Segment("Walk", 0.0, 10.0), Segment(None, 10.0, 20.0))


def watched(first_jump: float) -> Watched:
    """Returns a stream with a window each 0.1 s. It shows Walk, and Jump from `first_jump` on."""
    scores = [
        Scores(np.array([1, 0, 0] if time < first_jump else [0, 1, 0], dtype=np.float32), time, 1.9, CONTRACT.labels)
        for time in (tick / 10 for tick in range(19, 200))
    ]
    return Watched("stream1", TRUTH, (0.0, 0.1, *scores), last=19.9, events=())


def test_windows_show_one_activity_and_are_one_span_apart() -> None:
    found = lasting_in_streams([watched(first_jump=10.5)], CONTRACT)
    assert found is not None
    # 1.9, 3.8 ... 9.5 in front of Walk, and 11.9, 13.8 ... 19.5 in front of nobody.
    assert (found.windows, found.wrong, found.runs) == (10, 5, 1)
    assert found.run_longest == pytest.approx(5 * 1.9)
    assert (found.share_in_long_runs, found.share_in_cut_runs) == (1, 1)


def test_a_run_ends_where_the_activity_ends() -> None:
    found = lasting_in_streams([watched(first_jump=7.6)], CONTRACT)
    assert found is not None
    assert (found.wrong, found.runs) == (7, 2)


def test_a_stream_without_whole_windows_gives_no_figure() -> None:
    assert lasting_in_streams([Watched("stream1", TRUTH, (0.0, 0.1), last=0.1, events=())], CONTRACT) is None
