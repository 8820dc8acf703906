"""From configuration to the parts that a run and a replay share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

from harstream.models.contract import ModelContract
from harstream.stream.config.model import Config
from harstream.stream.config.tracker_settings import tracker_settings
from harstream.stream.recognition.pipeline import Pipeline
from harstream.stream.recognition.protocols import Engine, Recognizer
from harstream.stream.recognition.smoothing import ExponentialMean
from harstream.stream.recognition.tracker import Tracker
from harstream.stream.service.protocols import FrameSink
from harstream.wire.context import Context
from harstream.wire.errors import ConfigError


def new_pipeline(config: Config, recognizer: Recognizer, recording: Callable[[str], str] | None = None) -> Pipeline:
    """Raises ConfigError when the config does not fit the model.

    `recording`: from a camera's name to what tells its recording from all others; None for the node and the name.
    """
    settings = tracker_settings(config, recognizer.contract)
    key = recording or (lambda camera: f"{config.node}/{camera}")
    return Pipeline(
        recognizer,
        tracker=lambda camera: Tracker(camera, recognizer.contract, settings, key(camera)),
        smoothing=lambda: ExponentialMean(config.activities.smoothing),
        stride=config.stride,
    )


def new_context(config: Config, recognizer: Engine, areas: Mapping[str, str | None]) -> Context:
    return Context(
        node=config.node,
        areas=areas,
        contract=recognizer.contract,
        model_sha256=recognizer.files.sha256(),
        version=version("harstream"),
        stride_s=config.stride / recognizer.contract.live_rate,
    )


def new_recorder(path: Path, contract: ModelContract, stack: ExitStack) -> FrameSink:
    """Started; the stack closes it."""
    from harstream.stream.sinks.recorder import VideoRecorder

    recorder = VideoRecorder(path, contract)
    recorder.start()
    stack.callback(recorder.close)
    return recorder


def refuse_to_overwrite(watched: Sequence[Path], *outputs: Path | None) -> None:
    """Raises ConfigError where something that is watched would be written."""
    files = {path.resolve() for path in watched if path.is_file()}
    for output in outputs:
        if output is not None and output.resolve() in files:
            raise ConfigError(f"{output} is what is watched: choose another file for what is written")
