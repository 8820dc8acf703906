"""The short form of each long proof, at the start of which everything is new and small."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.films import write_h264
from tests.soak.growth import watch_growth
from tests.soak.kill_rounds import kill_rounds
from tests.support.broker import Mosquitto


@pytest.mark.mosquitto
@pytest.mark.timeout(300)
def test_no_event_is_lost_in_twenty_rounds_of_faults(
    tmp_path: Path, light_model: Path, stopped_mosquitto: Mosquitto
) -> None:
    film = write_h264(tmp_path / "film.mp4", [(1.5, 0), (1.5, 200)])
    account = kill_rounds(tmp_path, light_model, film, stopped_mosquitto, rounds=20)
    assert account.events >= 20
    assert not any(account.faults.values()), account.faults


@pytest.mark.mosquitto
@pytest.mark.timeout(200)
def test_memory_threads_and_files_do_not_grow(tmp_path: Path, stopped_mosquitto: Mosquitto) -> None:
    film = write_h264(tmp_path / "film.mp4", [(1.5, 0), (1.5, 200)])
    growth = watch_growth(tmp_path, film, stopped_mosquitto, cameras=3, viewers=1, warm_up=15, seconds=30)
    assert growth.memory < 0.1, str(growth)
    assert growth.threads <= 0, str(growth)
    assert growth.files <= 0, str(growth)
