"""The short form of the year of a forecaster."""

from __future__ import annotations

from pathlib import Path

from tests.soak.forecast_year import live_on


def test_two_days_of_a_forecaster_take_no_memory(tmp_path: Path) -> None:
    first, second = live_on(tmp_path, days=2, every=1)
    assert second.episodes > first.episodes > 5
    assert second.memory < 1.1 * first.memory
