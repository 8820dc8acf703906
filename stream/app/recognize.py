"""The function `recognize` for programs: it recognizes activities in a file, a camera or a program's own pictures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal, get_args, overload

from harstream.clips.recording_time import recorded_at
from harstream.models.contract import ContractError, ModelContract
from harstream.stream.recognition.model import Model, load
from harstream.stream.recognition.pipeline import Arrival, Pipeline
from harstream.stream.recognition.protocols import Recognizer
from harstream.stream.recognition.smoothing import ExponentialMean
from harstream.stream.recognition.tracker import Tracker
from harstream.stream.recognition.tracker_settings import END_SHARE, TrackerSettings
from harstream.stream.recognition.views.person_view import new_view
from harstream.stream.recognition.views.settings import ViewKind, ViewSettings
from harstream.stream.recognition.views.view import NewView, view_without_network
from harstream.stream.sources.address import Source, VideoFile, Webcam, parse_source
from harstream.stream.sources.arrays import ArraySource, TimedArrays
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.file import FileSource
from harstream.stream.sources.inbox import Inbox
from harstream.stream.sources.playback_clock import PlaybackClock
from harstream.stream.sources.read_ahead import read_ahead
from harstream.stream.sources.reader import NewSource, Reader
from harstream.stream.sources.registry import new_source
from harstream.wire.errors import Misfit, ModelError, SourceError
from harstream.wire.masking import masked_address
from harstream.wire.values import Event, Scores, Step

Batches = Generator[Sequence[Arrival]]


@overload
def recognize(
    source: str | Path | int | TimedArrays,
    *,
    model: str | Path | Model = ...,
    view: ViewKind | None = ...,
    start_above: float | None = ...,
    camera: str | None = ...,
    start_time: datetime | None = ...,
    scores: Literal[False] = ...,
) -> Iterator[Event]: ...
@overload
def recognize(
    source: str | Path | int | TimedArrays,
    *,
    model: str | Path | Model = ...,
    view: ViewKind | None = ...,
    start_above: float | None = ...,
    camera: str | None = ...,
    start_time: datetime | None = ...,
    scores: Literal[True],
) -> Iterator[Scores]: ...
def recognize(
    source: str | Path | int | TimedArrays,
    *,
    model: str | Path | Model = "flow_tcn",
    view: ViewKind | None = None,
    start_above: float | None = None,
    camera: str | None = None,
    start_time: datetime | None = None,
    scores: bool = False,
) -> Iterator[Event] | Iterator[Scores]:
    """Yield events: the start, the updates and the end of each activity.

    With `scores=True`, yield the model's scores of each window instead, without smoothing and threshold.

    `source`: a video file's path, a camera's `rtsp://` or `http://` address, a webcam's index, or an iterable of
    pairs. A pair is a time in seconds and a BGR picture (H, W, 3) uint8. A file is read as fast as possible. A live
    camera drops frames if you take events too slowly. It reconnects after a failure, and its events never end.
    `model`: a shipped model's name, an exported model's path, or the result of `load`, which saves time for many files.
    `view`: `picture` shows the model all of the picture; `motion` the box of what moves; `person` a box around each
    person. None shows what the model was made for: `motion` for flow_tcn, `picture` for the other shipped models. With
    `person`, each person has windows of their own: `person` in events and scores says whose they are.
    `start_above`: the smoothed score, 0 to 1, at which an activity starts; None for the model's own threshold.
    `camera`: the camera's name in events; None for the file's name, or `camera`.
    `start_time`: time of a file's first frame, with a time zone or in local time. None takes it from the file's name
    or metadata, else 1970-01-01. The times of events are seconds since the epoch.

    Raises TypeError, ValueError, SourceError and ModelError at once, SourceError also during iteration, and ValueError
    for invalid pictures.
    Closing or dropping the iterator releases the camera.
    """
    _check_arguments(source, view, start_above, start_time)
    loaded = model if isinstance(model, Model) else load(model)
    try:
        loaded.contract.live_rate  # noqa: B018  (raises ContractError for a model without a rate)
    except ContractError as error:
        raise ModelError(str(error)) from error
    feed = _feed(source, camera, start_time, loaded.contract)
    shown = view or loaded.contract.view
    pipeline = new_default_pipeline(loaded.recognizer, feed.recording, start_above, shown, _new_view(shown, loaded))
    return _scores(feed, pipeline) if scores else _events(feed, pipeline)


def _check_arguments(source: object, view: object, start_above: object, start_time: object) -> None:
    if not isinstance(source, str | Path | int | Iterable) or isinstance(source, bool | bytes):
        raise TypeError(f"source: expected a path, an address, a webcam's index or pairs, got {source!r}")
    if start_time is not None and not isinstance(start_time, datetime):
        raise TypeError(f"start_time: expected a datetime, got {start_time!r}")
    if view is not None and view not in get_args(ViewKind):
        raise ValueError(f"view: expected {', '.join(get_args(ViewKind))}, got {view!r}")
    if start_above is None:
        return
    if not isinstance(start_above, int | float) or isinstance(start_above, bool) or not 0 <= start_above <= 1:
        raise ValueError(f"start_above: expected a score from 0 to 1, got {start_above!r}")


def new_default_pipeline(
    recognizer: Recognizer,
    recording: str,
    start_above: float | None = None,
    view: ViewKind | None = None,
    new_view: NewView = view_without_network,
) -> Pipeline:
    """Return a pipeline for one recording, with the default settings of `run`. `view`: None for the model's own."""
    contract = recognizer.contract
    threshold = contract.unknown_threshold if start_above is None else start_above
    settings = TrackerSettings(threshold, END_SHARE * threshold)
    return Pipeline(
        recognizer,
        tracker=lambda camera: Tracker(camera, contract, settings, recording),
        smoothing=ExponentialMean,
        view=ViewSettings(view or contract.view),
        new_view=new_view,
    )


def _new_view(view: ViewKind, model: Model) -> NewView:
    """Load what finds people now, so that its error is raised at once. Raises ModelError."""
    if view != "person":
        return view_without_network
    detector = model.person_detector
    return partial(new_view, detector=lambda: detector)


def replayed_steps(camera: str, video: Path, start: float, pipeline: Pipeline) -> Iterator[Step]:
    """Yield the steps of a video file as fast as possible. A separate thread decodes it.

    `start`: time of the first frame, in seconds since the epoch. Raises SourceError.
    """
    with closing(_replayed(camera, video, start)) as batches:
        yield from pipeline.steps(batches)


def start_of(video: Path, start_time: datetime | None) -> float:
    """Return the time of a file's first frame, in seconds since the epoch; 0 if it is unknown."""
    return start_time.timestamp() if start_time else recorded_at(video) or 0.0


def recording_key(video: Path) -> str:
    """Return a text that is unique for a file on this machine, for the ids of its events."""
    return str(video.resolve())


@dataclass(frozen=True, eq=False)
class _Feed:
    """The batches of one source. Iteration opens the source."""

    recording: str
    batches: Callable[[], Batches]


def _feed(
    source: str | Path | int | TimedArrays, camera: str | None, start_time: datetime | None, contract: ModelContract
) -> _Feed:
    if isinstance(source, str | Path | int):
        kind = _parsed(source)
        if isinstance(kind, VideoFile):
            path, name = kind.path, camera or kind.path.stem
            return _Feed(recording_key(path), lambda: _replayed(name, path, start_of(path, start_time)))
        name, clock = camera or "camera", Clock()
        opened = new_source(name, kind, clock, must_open=True)
        return _Feed(f"{name}/{masked_address(str(source))}", lambda: _live(opened, contract))
    name = camera or "camera"
    return _Feed(name, lambda: ([item] for item in ArraySource(name, source).frames()))


def _parsed(source: str | Path | int) -> Source:
    """Return the parsed source. Raises SourceError."""
    try:
        if isinstance(source, int):
            return Webcam(source)
        kind = parse_source(source) if isinstance(source, str) else VideoFile(source)
        if isinstance(kind, VideoFile):
            kind.check_exists()
    except Misfit as error:
        raise SourceError(str(error)) from error
    return kind


def _replayed(camera: str, video: Path, start: float) -> Batches:
    source = FileSource(camera, video, PlaybackClock(start=start), threading.Event())
    return ([item] for item in read_ahead(source.frames()))


def _live(opened: NewSource, contract: ModelContract) -> Batches:
    """Yield the frames on the model's grid until the iterator is closed. A separate thread reads the source."""
    inbox = Inbox(contract.live_rate, window=contract.frames)
    reader = Reader(opened, inbox, ended=lambda _: None)
    reader.start()
    try:
        yield from inbox.batches()
    finally:
        reader.stop()
        inbox.close()
        reader.join()


def _events(feed: _Feed, pipeline: Pipeline) -> Iterator[Event]:
    with closing(feed.batches()) as batches:
        for step in pipeline.steps(batches):
            yield from step.notice.events


def _scores(feed: _Feed, pipeline: Pipeline) -> Iterator[Scores]:
    with closing(feed.batches()) as batches:
        for step in pipeline.steps(batches):
            yield from (subject.scores for subject in step.notice.subjects if subject.scores)
