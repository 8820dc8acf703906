"""A taught model that was chosen takes the place of the model on which it was taught, and of no other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harstream.stream.config.activities import ActivitiesConfig
from harstream.stream.config.model import Config
from harstream.stream.teaching.chosen_model import FILE, choose_model, chosen_model, with_chosen_model

COOKING = {
    "activity": "Cooking", "examples": 5, "recognized": 4, "found": 3, "taken_for": {"Yoga": 1},
    "threshold": {"value": 0.65, "false_events": 0, "is_quiet": True},
}  # fmt: skip
REPORT: dict[str, Any] = {
    "taught_on": "flow_tcn", "exported": "2026-11-30T16:38:30+00:00", "cross_validation": [COOKING], "notes": [],
    "warnings": [],
}  # fmt: skip


@pytest.fixture
def taught(tmp_path: Path) -> Path:
    """The folder of a model that was taught on flow_tcn, in the state folder."""
    folder = tmp_path / "taught-2026-11-30_16-38-24"
    folder.mkdir()
    (folder / "export.json").write_text(json.dumps(REPORT))
    return folder


def test_a_chosen_model_brings_its_thresholds(tmp_path: Path, taught: Path) -> None:
    overrides = {"Cooking": {"start_above": 0.9, "hold": 3.0}, "PushUps": {"start_above": 0.7}}
    config = Config(state=tmp_path, activities=ActivitiesConfig.model_validate({"overrides": overrides}))
    assert with_chosen_model(config) is config
    choose_model(tmp_path, taught)
    used = with_chosen_model(config)
    assert used.model == str(taught)
    changes = {name: each.changes() for name, each in used.activities.overrides.items()}
    assert changes == {"Cooking": {"start_above": 0.65, "hold": 3.0}, "PushUps": {"start_above": 0.7}}
    choose_model(tmp_path, None)
    assert with_chosen_model(config) is config


def test_a_chosen_model_also_replaces_an_earlier_one_that_was_taught_on_the_same(tmp_path: Path, taught: Path) -> None:
    earlier = tmp_path / "taught"
    earlier.mkdir()
    (earlier / "export.json").write_text(json.dumps({"taught_on": "flow_tcn"}))
    choose_model(tmp_path, taught)
    assert with_chosen_model(Config(state=tmp_path, model=str(earlier))).model == str(taught)


def test_a_model_that_was_taught_on_another_one_is_not_used(
    tmp_path: Path, taught: Path, caplog: pytest.LogCaptureFixture
) -> None:
    choose_model(tmp_path, taught)
    config = Config(state=tmp_path, model="lrcn")
    assert with_chosen_model(config) is config
    assert "was not taught on lrcn: config.yaml applies" in caplog.text


def test_a_missing_model_is_not_used(tmp_path: Path, taught: Path, caplog: pytest.LogCaptureFixture) -> None:
    choose_model(tmp_path, taught)
    (taught / "export.json").unlink()
    config = Config(state=tmp_path)
    assert with_chosen_model(config) is config
    assert "is missing" in caplog.text


@pytest.mark.parametrize("content", ["", "[]", "{}", "{", '"x"'])
def test_a_damaged_choice_is_no_choice(tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE).write_text(content)
    assert chosen_model(tmp_path) is None
    assert "cannot be read" in caplog.text
