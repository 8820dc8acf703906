"""When activities start and end before a camera: config.yaml, what it overrides, and what was asked for meanwhile."""

from __future__ import annotations

from dataclasses import replace

from harstream.models.contract import ModelContract
from harstream.stream.config.file import overridden
from harstream.stream.config.model import CameraConfig, Config, Overrides, Surroundings
from harstream.stream.recognition.tracker import END_SHARE, TrackerSettings


def tracker_settings(
    config: Config, contract: ModelContract, camera: CameraConfig | None = None, threshold: float | None = None
) -> TrackerSettings:
    """The later wins: the model's threshold, `activities`, the camera's own, `threshold` (in place of start_above, with
    end_below in proportion), then the overrides of single activities: for all cameras, and for this one.

    Raises ConfigError when the config does not fit the model.
    """
    overridden(config, {}, Surroundings(lambda _: contract))
    settings = _of_all(config, contract)
    own = camera.activities if camera else None
    if own:
        settings = _with(settings, own)
    if threshold is not None:
        settings = _starting_above(settings, threshold)
    overrides: dict[str, TrackerSettings] = {}
    for changes in (config.activities.overrides, own.overrides if own else {}):
        for activity, change in changes.items():
            overrides[activity] = _with(overrides.get(activity, settings), change)
    return replace(settings, overrides=overrides)


def _of_all(config: Config, contract: ModelContract) -> TrackerSettings:
    activities = config.activities
    start_above = contract.unknown_threshold if activities.start_above is None else activities.start_above
    return TrackerSettings(
        start_above=start_above,
        end_below=END_SHARE * start_above if activities.end_below is None else activities.end_below,
        hold=activities.hold,
        gone=activities.gone,
        merge=activities.merge,
        update=activities.update,
        max_duration=activities.max_duration,
    )


def _with(settings: TrackerSettings, overrides: Overrides) -> TrackerSettings:
    """`end_below` follows `start_above` where it is not given beside it."""
    changes = overrides.model_dump(exclude={"overrides"}, exclude_none=True)
    if overrides.start_above is not None:
        settings = _starting_above(settings, overrides.start_above)
    return replace(settings, **changes)


def _starting_above(settings: TrackerSettings, threshold: float) -> TrackerSettings:
    """With `end_below` in proportion."""
    end_below = threshold * settings.end_below / settings.start_above if settings.start_above else threshold
    return replace(settings, start_above=threshold, end_below=end_below)
