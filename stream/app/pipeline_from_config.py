"""Makes a pipeline, and the context of its messages, from the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib.metadata import version

from harstream.stream.config.effective_tracker_settings import effective_tracker_settings
from harstream.stream.config.model import Config
from harstream.stream.recognition.pipeline import Pipeline
from harstream.stream.recognition.protocols import Detector, Engine, Recognizer
from harstream.stream.recognition.smoothing import ExponentialMean
from harstream.stream.recognition.tracker import Tracker
from harstream.stream.recognition.views.person_detector import load_person_detector
from harstream.stream.recognition.views.person_view import new_view
from harstream.wire.context import Context


def new_pipeline(
    config: Config,
    recognizer: Recognizer,
    recording: Callable[[str], str] | None = None,
    detector: Callable[[], Detector] | None = None,
) -> Pipeline:
    """Return a pipeline. Raises ConfigError if the configuration does not fit the model.

    `recording` returns a unique text for the recording of a camera. The default text is the node and the camera's name.
    `detector` returns what finds people. By default, it is loaded when a view first needs it.
    """
    settings = effective_tracker_settings(config, recognizer.contract)
    key = recording or (lambda camera: f"{config.node}/{camera}")
    return Pipeline(
        recognizer,
        tracker=lambda camera: Tracker(camera, recognizer.contract, settings, key(camera)),
        smoothing=lambda: ExponentialMean(config.activities.smoothing),
        stride=config.stride,
        view=config.view_settings(recognizer.contract),
        new_view=partial(new_view, detector=detector or new_detector(config)),
    )


def new_detector(config: Config) -> Callable[[], Detector]:
    """Return a function that loads what finds people at its first call. It raises ModelError if that fails."""
    return cache(partial(load_person_detector, config.device))


def new_context(config: Config, recognizer: Engine, areas: Mapping[str, str | None]) -> Context:
    """Return the context of messages. `areas`: the room of each camera."""
    return Context(
        node=config.node,
        areas=areas,
        contract=recognizer.contract,
        model_sha256=recognizer.files.sha256(),
        version=version("harstream"),
        stride_s=config.stride / recognizer.contract.live_rate,
        titles=config.titles,
        following=config.following,
    )
