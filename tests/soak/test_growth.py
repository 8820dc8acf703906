"""The short form of the watch over memory, threads and files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.films import write_h264
from tests.soak.growth import watch_growth
from tests.support.broker import Mosquitto


@pytest.mark.mosquitto
@pytest.mark.timeout(200)
def test_memory_threads_and_files_do_not_grow(tmp_path: Path, stopped_mosquitto: Mosquitto) -> None:
    film = write_h264(tmp_path / "film.mp4", [(1.5, 0), (1.5, 200)])
    growth = watch_growth(tmp_path, film, stopped_mosquitto, cameras=3, viewers=1, warm_up=10, seconds=24)
    assert growth.memory < 0.1, str(growth)
    assert growth.threads <= 0, str(growth)
    assert growth.files <= 0, str(growth)
