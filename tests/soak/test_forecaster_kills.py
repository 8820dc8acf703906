"""The short form of the kills of a forecaster and its broker."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.forecaster_kills import forecaster_kills
from tests.support.broker import Mosquitto


@pytest.mark.mosquitto
def test_every_activity_that_ended_is_learned_in_six_rounds_of_kills(
    tmp_path: Path, stopped_mosquitto: Mosquitto
) -> None:
    account = forecaster_kills(tmp_path, stopped_mosquitto, rounds=6, seed=2)
    assert account.ended >= 20
    assert account.is_good, (str(account), account.missing)
