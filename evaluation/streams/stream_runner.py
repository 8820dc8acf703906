"""Runs an exported model over joined clips through the pipeline of `run`, and reruns the tracker alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import Progress

from harstream.clips.listing import Clip, ListingError
from harstream.evaluation.clip_runner import Skipped
from harstream.evaluation.side_by_side import side_by_side
from harstream.evaluation.streams.event_metrics import Outcome, Recognized, Segment
from harstream.evaluation.streams.joined_clips import SEED, ClipStream, join
from harstream.models.contract import ModelContract
from harstream.stream.app.pipeline_from_config import new_pipeline
from harstream.stream.config.model import Config
from harstream.stream.recognition.protocols import Recognizer
from harstream.stream.recognition.smoothing import ExponentialMean
from harstream.stream.recognition.tracker import Tracker
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.wire.values import EndReason, Event, Notice, Scores


@dataclass(frozen=True, eq=False)
class Watched:
    """A stream with its truth and what was recognized."""

    camera: str
    truth: tuple[Segment, ...]
    scores: tuple[Scores | float, ...]
    """The scores as the recognizer gave them, or the time of a frame at which the window was not complete."""
    last: float
    """The time of the last frame, in seconds."""
    events: tuple[Event, ...]


def watch_clips(
    clips: Sequence[Clip], recognizer: Recognizer, config: Config, console: Console
) -> tuple[list[Watched], list[Skipped]]:
    """Join clips to streams and watch them. Raises ListingError if no clip can be shown, and as `watch` does."""
    streams = join(clips, recognizer.contract.background, seed=SEED)
    watched = watch(streams, recognizer, config, console)
    skipped = [each for stream in streams for each in stream.skipped]
    if not watched:
        raise ListingError(f"none of {len(clips)} clips can be shown: {skipped[0].reason}")
    return watched, skipped


def watch(streams: Sequence[ClipStream], recognizer: Recognizer, config: Config, console: Console) -> list[Watched]:
    """Show all streams at once, like cameras of one house. Leave out streams without a clip that can be shown.

    Raises ConfigError and ContractError when config or model do not fit a stream.
    """
    notices: dict[str, list[Notice]] = defaultdict(list)
    pipeline = new_pipeline(config, recognizer, recording=str)  # the camera's name, as in `rerun`
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("watching", total=sum(len(stream.clips) for stream in streams))
        for step in pipeline.steps(side_by_side([stream.frames() for stream in streams])):
            notices[step.notice.camera].append(step.notice)
            progress.update(task, completed=sum(stream.done for stream in streams))
    return [_watched(stream, notices[stream.camera]) for stream in streams if stream.truth]


def rerun(watched: Watched, contract: ModelContract, settings: TrackerSettings, *, smoothing: float) -> list[Event]:
    """Return the events with other settings from the known scores, because recognition takes most of the time.

    `smoothing` is the time constant of the running mean, in seconds.
    """
    tracker, mean = Tracker(watched.camera, contract, settings), ExponentialMean(smoothing)
    events: list[Event] = []
    for scores in watched.scores:
        if isinstance(scores, float):
            tracker.drop_candidate()
            events += tracker.update_without_scores(scores, contract.span)
        else:
            events += tracker.update(mean.update(scores.values, scores.time), scores.time, scores.span)
    return events + tracker.finish(watched.last, EndReason.SHUTDOWN)


def outcome(truth: tuple[Segment, ...], events: Iterable[Event]) -> Outcome:
    """Return the outcome of one stream, all of whose events have ended."""
    return Outcome(
        truth,
        tuple(
            Recognized(event.activity, event.started_at, event.ended_at, event.detected_at)
            for event in events
            if event.ended_at is not None
        ),
    )


def _watched(stream: ClipStream, notices: Sequence[Notice]) -> Watched:
    return Watched(
        camera=stream.camera,
        truth=stream.truth,
        scores=tuple(notice.scores or notice.time for notice in notices if notice.scores or not notice.warming.is_over),
        last=notices[-1].time,
        events=tuple(event for notice in notices for event in notice.events),
    )
