"""An explanation names what followed, when and for how long."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harstream.forecast.app.commands import forecast
from harstream.forecast.client.diary import Diary
from harstream.forecast.evaluation.explanation import explanation_of, read_pasts
from harstream.forecast.predictors.structure import read_structure
from harstream.wire.errors import ConfigError
from tests.forecast.client.household import MONDAY, fill


def test_an_explanation_has_followers_hour_and_durations(diary: Diary) -> None:
    fill(diary, 10)
    found = explanation_of(read_pasts(diary, UTC, MONDAY), "Shower", 7.2, read_structure())
    assert (found.activity, found.times) == ("Shower", 10)
    assert found.durations is not None
    assert found.durations.p50 == pytest.approx(0.2 * 3600)
    first = found.followers[0]
    assert (first.activity, first.times) == ("Breakfast", 10)
    assert first.ratio == pytest.approx(1, abs=0.2)  # the shower already says all about the breakfast
    assert first.probability > 0.8
    assert "now x hour" in found.parents
    assert "room" not in found.parents  # there is only one


def test_the_last_activity_is_explained_and_an_unknown_one_refused(diary: Diary) -> None:
    with pytest.raises(ConfigError, match="empty"):
        read_pasts(diary, UTC, MONDAY)
    fill(diary, 2)
    past = read_pasts(diary, UTC, MONDAY)
    assert explanation_of(past, None, 18.0, read_structure()).activity == "Work"
    with pytest.raises(ConfigError, match="Dance"):
        explanation_of(past, "Dance", 18.0, read_structure())


def test_the_command_explains(diary: Diary, tmp_path: Path) -> None:
    fill(diary, 10)
    result = CliRunner().invoke(
        forecast, ["explain", "Shower", "--hour", "7.2", "--zone", "UTC", "--state", str(tmp_path)]
    )
    assert result.exit_code == 0, result.output
    assert "12 min" in result.output
    assert "Breakfast" in result.output
    assert "07:12" in result.output
    assert "recency" in result.output


def test_the_command_takes_an_own_structure(diary: Diary, tmp_path: Path) -> None:
    fill(diary, 10)
    file = tmp_path / "own.yaml"
    file.write_text("next: {hour: 2}\nlater: {now: 1}")
    command = ["explain", "Shower", "--hour", "7.2", "--zone", "UTC", "--state", str(tmp_path), "--structure"]
    result = CliRunner().invoke(forecast, [*command, str(file)])
    assert result.exit_code == 0, result.output
    assert "from: hour." in result.output

    file.write_text("next: {tea: 2}\nlater: {now: 1}")
    result = CliRunner().invoke(forecast, [*command, str(file)])
    assert (result.exit_code, "tea" in result.output) == (3, True)
