"""No fold learns from the day that it predicts."""

from __future__ import annotations

from datetime import UTC

from harstream.forecast.evaluation.folds import Folding, folds
from harstream.forecast.learning.episodes import Interval

DAY = 86400.0
COURSE = [
    Interval(0, 0.1 * DAY, 0.5 * DAY, 1, None),
    Interval(1, 0.5 * DAY, 1.3 * DAY, 0, 0),  # over midnight
    Interval(0, 1.3 * DAY, 1.9 * DAY, 1, 1),
    Interval(1, 2.1 * DAY, 2.5 * DAY, 0, 0),
    Interval(0, 2.5 * DAY, 3.5 * DAY, None, 1),
    Interval(1, 3.6 * DAY, 4.2 * DAY, None, 1),
]


def test_a_day_is_left_out_with_all_that_touches_it() -> None:
    found = {fold.day: fold.learned for fold in folds([COURSE], Folding.DAY, UTC)}
    first = min(found)
    assert sorted(found) == [first + number for number in range(5)]
    assert [each.start / DAY for each in found[first + 1]] == [0.1, 2.1, 2.5, 3.6]
    assert found[first + 1][0].next is None  # what followed is on the day that is left out
    assert [each.start / DAY for each in found[first + 3]] == [0.1, 0.5, 1.3, 2.1]
    assert [each.start / DAY for each in found[first + 4]] == [0.1, 0.5, 1.3, 2.1, 2.5]


def test_each_day_is_predicted_from_the_days_before_it() -> None:
    found = list(folds([COURSE], Folding.PREQUENTIAL, UTC))
    assert len(found) == 2  # the first three days are only learned from
    for fold in found:
        assert all(each.end <= fold.now for each in fold.learned)
    assert found[0].learned[-1] == Interval(0, 2.5 * DAY, 3 * DAY, None, 1)
