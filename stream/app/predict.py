"""Video files through the pipeline of `harstream run`, as fast as it goes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain, count
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from harstream.stream.app.parts import new_context, new_pipeline, new_recorder, refuse_to_overwrite
from harstream.stream.config.model import Config
from harstream.stream.recognition import onnx_runtime as engine
from harstream.stream.recognition.protocols import Engine
from harstream.stream.service.service import without_pixels
from harstream.stream.sinks.jsonl import JsonLines
from harstream.stream.sources.file import FileSource
from harstream.stream.sources.pace import Pace
from harstream.stream.sources.read_ahead import ahead
from harstream.wire.values import Event, EventType, Step


def replay(
    config: Config, videos: Sequence[Path], events: Path | None, record: Path | None, console: Console
) -> Iterator[tuple[Path, list[Event]]]:
    """Yield, for each video, the ends of its activities. Raises HarstreamError."""
    refuse_to_overwrite(videos, events, record)
    recognizer = engine.load(config.model, config.device)
    engine.warn_if_gpu_is_left_out(recognizer, config.device)
    with ExitStack() as stack:
        sinks: list[Callable[[Step], None]] = []
        if events:
            jsonl = JsonLines(events, new_context(config, recognizer, {}))
            jsonl.start()
            stack.callback(jsonl.close)
            sinks.append(without_pixels(jsonl))
        if record:
            sinks.append(new_recorder(record, recognizer.contract, stack).show)
        progress = stack.enter_context(Progress(console=console, transient=True, disable=not console.is_terminal))
        for video, camera in zip(videos, camera_names(videos), strict=True):
            task = progress.add_task(video.name, total=None)
            ended = []
            for step in _replayed(config, recognizer, video, camera):
                for sink in sinks:
                    sink(step)
                ended += [event for event in step.notice.events if event.type is EventType.END]
            progress.update(task, total=1, completed=1)
            yield video, ended


def _replayed(config: Config, recognizer: Engine, video: Path, camera: str) -> Iterator[Step]:
    source = FileSource(camera, video, Pace(), threading.Event())
    return new_pipeline(config, recognizer).steps([item] for item in ahead(source.frames()))


def camera_names(videos: Sequence[Path]) -> list[str]:
    """Names of cameras, safe in topics, from those of files; none twice."""
    names: list[str] = []
    for video in videos:
        safe = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in video.stem)[:60] or "file"
        candidates = chain([safe], (f"{safe}_{number}" for number in count(2)))
        names.append(next(name for name in candidates if name not in names))
    return names
