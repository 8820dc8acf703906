"""Makes a pipeline, and the context of its messages, from the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version

from harstream.stream.config.effective_tracker_settings import effective_tracker_settings
from harstream.stream.config.model import Config
from harstream.stream.recognition.pipeline import Pipeline
from harstream.stream.recognition.protocols import Engine, Recognizer
from harstream.stream.recognition.smoothing import ExponentialMean
from harstream.stream.recognition.tracker import Tracker
from harstream.wire.context import Context


def new_pipeline(config: Config, recognizer: Recognizer, recording: Callable[[str], str] | None = None) -> Pipeline:
    """Return a pipeline. Raises ConfigError if the configuration does not fit the model.

    `recording` returns a unique text for the recording of a camera. The default text is the node and the camera's name.
    """
    settings = effective_tracker_settings(config, recognizer.contract)
    key = recording or (lambda camera: f"{config.node}/{camera}")
    return Pipeline(
        recognizer,
        tracker=lambda camera: Tracker(camera, recognizer.contract, settings, key(camera)),
        smoothing=lambda: ExponentialMean(config.activities.smoothing),
        stride=config.stride,
    )


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
    )
