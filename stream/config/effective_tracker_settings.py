"""Combines the model's threshold, config.yaml, its overrides and a threshold set at run time."""

from __future__ import annotations

from dataclasses import replace

from harstream.models.contract import ModelContract
from harstream.stream.config.activities import Overrides
from harstream.stream.config.camera import CameraConfig
from harstream.stream.config.file import with_overrides
from harstream.stream.config.model import Config
from harstream.stream.config.validation_context import ValidationContext
from harstream.stream.recognition.tracker_settings import END_SHARE, TrackerSettings


def effective_tracker_settings(
    config: Config, contract: ModelContract, camera: CameraConfig | None = None, threshold: float | None = None
) -> TrackerSettings:
    """Return the settings of one camera, or the general settings if `camera` is None.

    Later settings override earlier ones: the model's threshold, `activities`, the camera's own settings, and
    `threshold` as start_above. The overrides of single activities come last: those for all cameras, then those for
    this camera. Raises ConfigError if the configuration does not fit the model.
    """
    with_overrides(config, {}, ValidationContext(lambda _: contract))
    settings = _for_all(config, contract)
    own = camera.activities if camera else None
    if own:
        settings = _with_changes(settings, own)
    if threshold is not None:
        settings = _with_start_above(settings, threshold)
    overrides: dict[str, TrackerSettings] = {}
    for changes in (config.activities.overrides, own.overrides if own else {}):
        for activity, change in changes.items():
            overrides[activity] = _with_changes(overrides.get(activity, settings), change)
    return replace(settings, overrides=overrides)


def _for_all(config: Config, contract: ModelContract) -> TrackerSettings:
    given = {"start_above": contract.unknown_threshold} | config.activities.settings()
    return TrackerSettings(**({"end_below": END_SHARE * given["start_above"]} | given))


def _with_changes(settings: TrackerSettings, overrides: Overrides) -> TrackerSettings:
    changes = overrides.changes()
    if "start_above" in changes:
        settings = _with_start_above(settings, changes["start_above"])
    return replace(settings, **changes)


def _with_start_above(settings: TrackerSettings, threshold: float) -> TrackerSettings:
    """Replace start_above, and change end_below in proportion."""
    end_below = threshold * settings.end_below / settings.start_above if settings.start_above else threshold
    return replace(settings, start_above=threshold, end_below=end_below)
