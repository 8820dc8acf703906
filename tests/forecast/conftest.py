"""Fixtures for the tests of forecasts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harstream.forecast.client.diary import FILE, Diary


@pytest.fixture
def diary(tmp_path: Path) -> Iterator[Diary]:
    """An empty diary, which is open."""
    diary = Diary(tmp_path / FILE)
    diary.start()
    yield diary
    diary.close()
