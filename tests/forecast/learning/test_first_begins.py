"""An activity that begins every day at about the same time is missed when it does not."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from harstream.forecast.learning.episodes import Episode
from harstream.forecast.learning.first_begins import DAYS_NEEDED, first_begins, place_in_day
from harstream.forecast.model.states import States

BERLIN = ZoneInfo("Europe/Berlin")
HOME = States(("Breakfast", "Medicine", "Party"))
MIDNIGHT = 20_000 * 86400.0


def days(count: int) -> list[Episode]:
    """Breakfast at 7:00 and 19:00, medicine at 7:30, and a party once, at one at night."""
    episodes = []
    for day in range(count):
        midnight = MIDNIGHT + 86400 * day
        for name, hour in (("Breakfast", 7.0), ("Medicine", 7.5), ("Breakfast", 19.0)):
            episodes.append(Episode(name, midnight + 3600 * hour, midnight + 3600 * hour + 60))
    episodes.append(Episode("Party", MIDNIGHT + 3 * 86400 + 3600, MIDNIGHT + 3 * 86400 + 7200))
    return sorted(episodes, key=lambda episode: episode.start)


def test_only_the_first_begin_of_a_day_counts() -> None:
    begins = first_begins(days(21), HOME, UTC)

    assert begins.hours.shape == (19, 3)  # without the first and the last day, which are not whole
    np.testing.assert_allclose(begins.hours[:, 0], 3.0)  # hours since 4:00
    assert begins.usual(1) == 3.5


def test_what_usually_has_begun_is_rarely_still_to_begin() -> None:
    begins = first_begins(days(21), HOME, UTC)

    np.testing.assert_allclose(begins.still_to_begin(3.25), [1 / 20, 1.0, 1.0])
    np.testing.assert_allclose(begins.still_to_begin(10.0), [1 / 20, 1 / 20, 1.0])


def test_the_hour_after_midnight_belongs_to_the_day_before() -> None:
    assert place_in_day(MIDNIGHT + 3600, UTC)[0] == place_in_day(MIDNIGHT - 3600, UTC)[0]
    assert place_in_day(MIDNIGHT + 3600, UTC)[1] == 21.0
    assert np.isfinite(first_begins(days(21), HOME, UTC).hours[1, 2])


def test_few_days_say_nothing() -> None:
    assert first_begins(days(DAYS_NEEDED + 1), HOME, UTC).still_to_begin(20.0).tolist() == [1.0] * 3
    assert first_begins([], HOME, UTC).still_to_begin(20.0).tolist() == [1.0] * 3


def local(*moment: int, fold: int = 0) -> float:
    return datetime(*moment, fold=fold, tzinfo=BERLIN).timestamp()  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("time", "day", "hour"),
    [
        (local(2026, 3, 29, 1, 30), 28, 21.5), (local(2026, 3, 29, 3, 30), 28, 23.5),
        (local(2026, 3, 29, 4, 30), 29, 0.5), (local(2026, 3, 30, 3, 30), 29, 23.5),
        (local(2026, 10, 25, 2, 30), 24, 22.5), (local(2026, 10, 25, 2, 30, fold=1), 24, 22.5),
        (local(2026, 10, 25, 3, 30), 24, 23.5), (local(2026, 10, 25, 4, 0), 25, 0.0),
    ],
)  # fmt: skip
def test_a_day_begins_at_four_also_when_the_clocks_change(time: float, day: int, hour: float) -> None:
    found = place_in_day(time, BERLIN)
    assert (datetime.fromordinal(found[0]).day, found[1]) == (day, hour)
