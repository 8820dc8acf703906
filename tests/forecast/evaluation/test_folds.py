"""No fold learns from the day that it predicts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from harstream.forecast.evaluation.folds import Folding, begin_of, folds
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


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 5, 1), 24)])
def test_a_day_lasts_from_midnight_to_midnight_also_when_the_clocks_change(day: date, hours: int) -> None:
    number = day.toordinal()
    assert begin_of(number + 1, BERLIN) - begin_of(number, BERLIN) == hours * 3600


@pytest.mark.parametrize("changed", [datetime(2026, 3, 29, tzinfo=BERLIN), datetime(2026, 10, 25, tzinfo=BERLIN)])
def test_the_night_in_which_the_clocks_change_is_left_out_as_a_whole(changed: datetime) -> None:
    evening, morning = (changed.replace(hour=hour).timestamp() for hour in (0, 23))
    course = [
        Interval(0, evening - 30 * 3600, evening - 26 * 3600, 1, None),
        Interval(1, evening + 600, evening + 7200, 0, 0),
        Interval(0, morning, morning + 1800, 1, 1),
        Interval(1, morning + 7200, morning + 9000, None, 0),
    ]
    found = {fold.day: fold.learned for fold in folds([course], Folding.DAY, BERLIN)}
    assert [each.start for each in found[changed.toordinal()]] == [course[0].start, course[3].start]
    assert [each.start for each in found[changed.toordinal() + 1]] == [each.start for each in course[:3]]
