"""Counts hold seconds at risk by phase and part of the day, and what ended and followed."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from harstream.forecast.learning.counts import SLOT_SECONDS, count
from harstream.forecast.learning.episodes import Interval

WIDTHS = np.array([100.0, 1000.0, 5000.0])
MIDNIGHT = 20_000 * 86400.0


def whole(_: float) -> float:
    return 1.0


def test_the_seconds_of_an_interval_fall_into_its_phases() -> None:
    counts = count([Interval(0, MIDNIGHT, MIDNIGHT + 600, 1, None)], 3, WIDTHS, UTC, whole)

    np.testing.assert_allclose(counts.risk[0, 0], [100, 500, 0])
    np.testing.assert_allclose(counts.ends[0, 0], [0, 1, 0])
    assert counts.moves[0, 0, 1] == 1
    assert counts.risk.sum() == 600


def test_the_last_phase_has_no_end() -> None:
    counts = count([Interval(0, MIDNIGHT, MIDNIGHT + 50_000, 1, None)], 3, WIDTHS, UTC, whole)

    assert counts.risk.sum() == pytest.approx(50_000)
    assert counts.risk[:, 0, 2].sum() == pytest.approx(50_000 - 1100)


def test_an_interval_is_split_at_each_half_hour() -> None:
    start = MIDNIGHT + SLOT_SECONDS - 200
    counts = count([Interval(0, start, start + 500, 1, None)], 3, WIDTHS, UTC, whole)

    np.testing.assert_allclose(counts.risk[0, 0], [100, 100, 0])
    np.testing.assert_allclose(counts.risk[1, 0], [0, 300, 0])
    assert counts.ends[1, 0].tolist() == [0, 1, 0]
    assert counts.moves[1, 0, 1] == 1


def test_an_interval_may_cross_midnight() -> None:
    start = MIDNIGHT - 50
    counts = count([Interval(0, start, start + 80, 1, None)], 3, WIDTHS, UTC, whole)

    assert counts.risk[47, 0, 0] == pytest.approx(50)
    assert counts.risk[0, 0, 0] == pytest.approx(30)


def test_an_end_that_was_not_seen_is_time_at_risk_only() -> None:
    counts = count([Interval(0, MIDNIGHT, MIDNIGHT + 600, None, None)], 3, WIDTHS, UTC, whole)

    assert counts.risk.sum() == 600
    assert not counts.ends.any()
    assert not counts.moves.any()


def test_an_older_interval_counts_less() -> None:
    counts = count([Interval(0, MIDNIGHT, MIDNIGHT + 60, 1, None)], 3, WIDTHS, UTC, lambda _: 0.25)

    assert counts.risk.sum() == 15
    assert counts.ends.sum() == counts.moves.sum() == 0.25


@pytest.mark.parametrize(("day", "hours"), [(datetime(2026, 3, 29), 7), (datetime(2026, 10, 25), 9)])
def test_a_night_in_which_the_clocks_change_counts_with_its_true_length(day: datetime, hours: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    midnight, morning = (day.replace(hour=hour, tzinfo=berlin).timestamp() for hour in (0, 8))
    counts = count([Interval(0, midnight, morning, 1, None)], 3, np.array([100.0, 1e5]), berlin, whole)
    assert counts.risk.sum() == hours * 3600
    assert counts.ends.sum() == counts.moves.sum() == 1
