from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from harstream.models.contract import ModelContract
from harstream.stream.config.effective_tracker_settings import effective_tracker_settings
from harstream.stream.config.json_schema import config_schema
from harstream.stream.config.model import Config
from harstream.stream.recognition.tracker_settings import TrackerSettings, declared
from harstream.wire.errors import ConfigError

CONTRACT = ModelContract("light", "1", ("Jump", "Walk", "Idle"), ("Idle",), unknown_threshold=0.8)


def settings(
    activities: dict[str, Any] | None = None, own: dict[str, Any] | None = None, threshold: float | None = None
) -> TrackerSettings:
    """Returns the settings of one camera. The section `activities` of this camera is `own`."""
    camera = {"name": "hall", "source": "scene", "activities": own}
    config = Config.model_validate({"cameras": [camera], "activities": activities or {}})
    return effective_tracker_settings(config, CONTRACT, config.cameras[0], threshold)


def thresholds(found: TrackerSettings) -> tuple[float, float]:
    return found.start_above, found.end_below


def test_the_models_threshold_applies_if_nothing_is_configured() -> None:
    assert thresholds(settings()) == (0.8, 0.5)
    assert settings() == settings({"start_above": None}) == settings(own={})


def test_a_camera_overrides_the_settings_for_all_cameras() -> None:
    found = settings({"hold": 2.0, "merge": 5.0}, {"hold": 0.0, "update": 1.0})
    assert (found.hold, found.merge, found.update, found.gone) == (0.0, 5.0, 1.0, 1.5)


def test_the_end_follows_the_start_in_proportion_unless_it_is_given() -> None:
    assert thresholds(settings({"start_above": 0.8, "end_below": 0.4}, {"start_above": 0.6})) == pytest.approx(
        (0.6, 0.3)
    )
    assert thresholds(settings(own={"start_above": 0.6, "end_below": 0.1})) == (0.6, 0.1)
    assert thresholds(settings({"start_above": 0.0}, {"start_above": 0.6})) == (0.6, 0.6)


def test_a_threshold_set_at_run_time_replaces_the_cameras_own() -> None:
    assert thresholds(settings(own={"start_above": 0.6, "end_below": 0.3}, threshold=0.9)) == pytest.approx((0.9, 0.45))


def test_an_activitys_setting_overrides_the_cameras() -> None:
    found = settings({"overrides": {"Jump": {"hold": 3.0}}}, {"merge": 9.0}, threshold=0.6)
    assert (found.of("Jump").hold, found.of("Jump").merge, found.of("Jump").start_above) == (3.0, 9.0, 0.6)
    assert found.of("Walk") is found


def test_an_activitys_own_threshold_stays_if_another_is_set_at_run_time() -> None:
    found = settings({"overrides": {"Jump": {"start_above": 0.9, "end_below": 0.7}}}, threshold=0.6)
    assert thresholds(found.of("Jump")) == (0.9, 0.7)
    assert found.of("Walk").start_above == 0.6


def test_an_activitys_setting_for_one_camera_overrides_the_one_for_all_cameras() -> None:
    for_all = {"overrides": {"Jump": {"start_above": 0.9, "hold": 3.0}, "Walk": {"gone": 4.0}}}
    found = settings(for_all, {"overrides": {"Jump": {"hold": 1.5}}})
    assert (found.of("Jump").start_above, found.of("Jump").hold) == (0.9, 1.5)
    assert found.of("Walk").gone == 4.0


def test_an_activity_that_the_model_does_not_know_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"cameras.0.activities.overrides.Sleep: model light knows Jump, Walk"):
        settings(own={"overrides": {"Sleep": {"hold": 1}}})


def test_config_takes_name_limit_and_default_of_each_setting_from_its_declaration() -> None:
    properties = config_schema()["$defs"]
    for section in ("ActivitiesConfig", "Overrides", "CameraActivities"):
        known = properties[section]["properties"]
        assert set(declared()) == set(known) - {"smoothing", "overrides"}
        for name, setting in declared().items():
            assert known[name]["description"].startswith(setting.limits.description)
            assert known[name]["default"] == (setting.default if section == "ActivitiesConfig" else None)
    with pytest.raises(ValidationError, match="max_duration"):
        Config.model_validate({"activities": {"max_duration": 0}})
