"""Combines the model's threshold, config.yaml, its overrides and what was asked for into the tracker's settings."""

from __future__ import annotations

from dataclasses import replace

from harstream.models.contract import ModelContract
from harstream.stream.config.file import overridden
from harstream.stream.config.model import CameraConfig, Config, Overrides
from harstream.stream.config.surroundings import Surroundings
from harstream.stream.recognition.tracker_settings import END_SHARE, TrackerSettings


def tracker_settings(
    config: Config, contract: ModelContract, camera: CameraConfig | None = None, threshold: float | None = None
) -> TrackerSettings:
    """Return the settings of one camera, or those of all. The later of these wins:

    the model's threshold; `activities`; the camera's own; `threshold`, which replaces start_above; then the overrides
    of single activities, first those for all cameras, then this camera's. Raises ConfigError if the configuration does
    not fit the model.
    """
    overridden(config, {}, Surroundings(lambda _: contract))
    settings = _for_all(config, contract)
    own = camera.activities if camera else None
    if own:
        settings = _changed(settings, own)
    if threshold is not None:
        settings = _starting_above(settings, threshold)
    overrides: dict[str, TrackerSettings] = {}
    for changes in (config.activities.overrides, own.overrides if own else {}):
        for activity, change in changes.items():
            overrides[activity] = _changed(overrides.get(activity, settings), change)
    return replace(settings, overrides=overrides)


def _for_all(config: Config, contract: ModelContract) -> TrackerSettings:
    given = {"start_above": contract.unknown_threshold} | config.activities.settings()
    return TrackerSettings(**({"end_below": END_SHARE * given["start_above"]} | given))


def _changed(settings: TrackerSettings, overrides: Overrides) -> TrackerSettings:
    changes = overrides.changes()
    if "start_above" in changes:
        settings = _starting_above(settings, changes["start_above"])
    return replace(settings, **changes)


def _starting_above(settings: TrackerSettings, threshold: float) -> TrackerSettings:
    """Replace start_above, and change end_below in proportion."""
    end_below = threshold * settings.end_below / settings.start_above if settings.start_above else threshold
    return replace(settings, start_above=threshold, end_below=end_below)
