"""The work of `harstream predict`: sends video files through the pipeline of `run`, as fast as possible."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain, count
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from harstream.stream.app.output_check import check_outputs
from harstream.stream.app.pipeline_from_config import new_context, new_pipeline
from harstream.stream.app.recognize import recording_key, replayed_steps, start_of
from harstream.stream.config.model import Config
from harstream.stream.recognition import onnx_runtime as engine
from harstream.stream.recognition.pipeline import Pipeline
from harstream.stream.recognition.protocols import Engine
from harstream.stream.service.delivery import without_pixels
from harstream.stream.sinks.jsonl import JsonLines
from harstream.stream.sinks.recorder import VideoRecorder
from harstream.wire.errors import ConfigError, SourceError
from harstream.wire.values import Event, EventType, Step


@dataclass(frozen=True)
class FileActivities:
    """The activities in one video file."""

    video: Path
    start: float
    """Time of the first frame, in seconds since the epoch; 0 if it is unknown."""
    ended: tuple[Event, ...]
    """The end event of each activity."""
    problem: SourceError | None = None
    """Why the file could not be read, or not to its end."""


def predict_files(
    config: Config,
    videos: Sequence[Path],
    console: Console,
    *,
    events: Path | None = None,
    record: Path | None = None,
    start_time: datetime | None = None,
) -> Iterator[FileActivities]:
    """Yield the activities of each video, also of one that breaks. Raises HarstreamError for all other failures.

    `events`, `record`: files to write. `start_time`: time of the first frame of every video; None takes it from each
    file's name or metadata.
    """
    for video in videos:
        if video.is_dir():
            raise ConfigError(f"expected video files, got the folder {video}: name its files, such as {video}/*.mp4")
    check_outputs(videos, events, record)
    recognizer = engine.load_engine(config.model, config.device)
    engine.warn_if_gpu_is_left_out(recognizer, config.device)
    with ExitStack() as stack:
        sinks = _sinks(config, recognizer, events, record, stack)
        progress = stack.enter_context(Progress(console=console, transient=True, disable=not console.is_terminal))
        for video, camera in zip(videos, camera_names(videos), strict=True):
            task = progress.add_task(video.name, total=None)
            pipeline = new_pipeline(config, recognizer, partial(_recording, recording_key(video)))
            found = _recognize(video, camera, start_of(video, start_time), pipeline, sinks)
            progress.update(task, total=1, completed=1)
            yield found


def _recording(key: str, _camera: str) -> str:
    return key


def _recognize(
    video: Path, camera: str, start: float, pipeline: Pipeline, sinks: Sequence[Callable[[Step], None]]
) -> FileActivities:
    """Send a video through the pipeline and its steps to the sinks. Raises SinkError."""
    ended: list[Event] = []
    problem = None
    try:
        for step in replayed_steps(camera, video, start, pipeline):
            for sink in sinks:
                sink(step)
            ended += [event for event in step.notice.events if event.type is EventType.END]
    except SourceError as error:
        problem = error
    return FileActivities(video, start, tuple(ended), problem)


def _sinks(
    config: Config, recognizer: Engine, events: Path | None, record: Path | None, stack: ExitStack
) -> list[Callable[[Step], None]]:
    """Return started sinks. The stack closes them."""
    sinks: list[Callable[[Step], None]] = []
    if events:
        jsonl = JsonLines(events, new_context(config, recognizer, {}))
        jsonl.start()
        stack.callback(jsonl.close)
        sinks.append(without_pixels(jsonl))
    if record:
        recorder = VideoRecorder(record)
        recorder.start()
        stack.callback(recorder.close)
        sinks.append(recorder.show)
    return sinks


def camera_names(videos: Sequence[Path]) -> list[str]:
    """Return a unique camera name per video, made from the file's name and safe in topics."""
    names: list[str] = []
    for video in videos:
        safe = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in video.stem)[:60] or "file"
        candidates = chain([safe], (f"{safe}_{number}" for number in count(2)))
        names.append(next(name for name in candidates if name not in names))
    return names
