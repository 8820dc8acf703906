"""The short form of the kill rounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.films import write_h264
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
