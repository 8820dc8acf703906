"""From configuration to the parts that a run and a replay share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from importlib.metadata import version
from pathlib import Path

from harstream.models.contract import ModelContract
from harstream.stream.config.model import CameraConfig, Config
from harstream.stream.config.tracker_settings import tracker_settings
from harstream.stream.recognition.pipeline import Pipeline
from harstream.stream.recognition.protocols import Engine, Recognizer
from harstream.stream.recognition.smoothing import ExponentialMean
from harstream.stream.recognition.tracker import Tracker
from harstream.stream.service.protocols import FrameSink
from harstream.stream.sources.address import NetworkCamera, Scene, VideoFile, Webcam, parse_source
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.file import FileSource
from harstream.stream.sources.pace import Pace
from harstream.stream.sources.reader import NewSource
from harstream.stream.sources.reconnecting import Pictures, ReconnectingSource
from harstream.stream.sources.rtsp import rtsp_pictures
from harstream.stream.sources.webcam import webcam_pictures
from harstream.wire.context import Context
from harstream.wire.errors import ConfigError, Misfit, SourceError


def new_pipeline(config: Config, recognizer: Recognizer) -> Pipeline:
    """Raises ConfigError when the config does not fit the model."""
    settings = tracker_settings(config, recognizer.contract)
    return Pipeline(
        recognizer,
        tracker=lambda camera: Tracker(camera, recognizer.contract, settings),
        smoothing=lambda: ExponentialMean(config.activities.smoothing),
        stride=config.stride,
    )


def new_source(camera: CameraConfig, clock: Clock, *, must_open: bool) -> NewSource:
    """Raises SourceError for a file that is not there."""
    live = partial(_live, camera.name, clock, must_open)
    match parse_source(camera.source):
        case Webcam(index):
            return live(partial(webcam_pictures, index, clock))
        case NetworkCamera(url):
            return live(partial(rtsp_pictures, url, clock))
        case Scene(seed, seconds):
            from harstream.stream.sources.scene import SceneSource

            return partial(SceneSource, camera.name, Pace(clock), seed=seed, seconds=seconds)
        case VideoFile(path) as file:
            try:
                file.must_exist()
            except Misfit as error:
                raise SourceError(f"camera {camera.name}: {error}") from error
            return partial(FileSource, camera.name, path, Pace(clock))


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


def _live(camera: str, clock: Clock, must_open: bool, open_pictures: Callable[[], Pictures]) -> NewSource:
    return lambda stopping: ReconnectingSource(camera, open_pictures, clock, stopping, must_open=must_open)
