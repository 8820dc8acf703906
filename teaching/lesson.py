"""Teaches a model from examples: reads their windows, learns, judges and writes the taught model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from harstream.clips.video import SUFFIXES, BrokenVideo, VideoError
from harstream.models.contract import ModelContract
from harstream.stream.config.effective_tracker_settings import effective_tracker_settings
from harstream.stream.config.model import Config
from harstream.stream.recognition.protocols import Engine
from harstream.stream.recognition.views.settings import ViewSettings
from harstream.stream.teaching.examples import FEWEST_EXAMPLES, Example
from harstream.stream.teaching.taught_folder import EXPORT, TAUGHT_ON
from harstream.teaching.clip_windows import ClipWindows, WindowReader
from harstream.teaching.emission import REPORT, read_emission, with_taught_rows
from harstream.teaching.feature_graph import FeatureExtractor
from harstream.teaching.head_graph import compose_scores
from harstream.teaching.judgement import Judgement, judge
from harstream.teaching.known_windows import KnownWindows, read_known_windows
from harstream.teaching.learning import Learned, classes_alike, held_out_probabilities, learn
from harstream.teaching.replay import ScoredVideo
from harstream.teaching.taught_model import taught_contract, write_taught_model
from harstream.teaching.training_windows import fold_of_ordinary, folds_of, folds_of_known, training_windows
from harstream.wire.errors import ConfigError, SourceError

Progress = Callable[[str], None]
"""Is called with the file that is read next."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """What was read of the examples and of the ordinary footage."""

    examples: dict[str, list[ClipWindows]]
    """By activity, each with at least five clips with windows."""
    ordinary: list[ClipWindows]
    known: KnownWindows | None
    """Windows that the model was trained on, if it brings any."""
    still: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Taught:
    """A part that was learned, and how well it recognizes."""

    learned: Learned
    contract: ModelContract
    judgement: Judgement
    examples: tuple[ScoredVideo, ...]
    """The scores of the examples, each by a part that has not learned it."""
    alike: Mapping[str, str]
    """The kinds of background that look like a new activity, and that activity. They are not learned as background."""


def new_reader(recognizer: Engine, config: Config, view: ViewSettings | None = None) -> WindowReader:
    """Return a reader of a model with encoder and head. `view`: what it sees; None for that of all cameras."""
    assert recognizer.files.head
    extractor = FeatureExtractor(onnx.load(recognizer.files.head))
    return WindowReader(recognizer, config, extractor, view or config.view_settings(recognizer.contract))


def read_example(reader: WindowReader, path: Path, contract: ModelContract) -> ClipWindows:
    """Return the windows of an example. Raises SourceError for a video that cannot be read or has no window."""
    try:
        windows = reader.read(path)
    except (VideoError, OSError) as error:
        raise SourceError(str(error)) from error
    if not windows.scores:
        raise SourceError(
            f"{path} has no window: expected {contract.span:.1f} seconds or more without a gap, got "
            f"{windows.seconds:.1f}: record longer examples"
        )
    if not windows.moves.any():
        raise SourceError(f"{path} shows nothing that moves: record somebody who does the activity")
    return windows


def read_lesson(
    examples: Sequence[Example], ordinary: Sequence[Path], reader: WindowReader, recognizer: Engine, progress: Progress
) -> Lesson:
    """Read all videos. Raises ConfigError for too few examples, SourceError, ModelError."""
    paths: dict[str, list[Path]] = {}
    for example in examples:
        paths.setdefault(example.activity, []).append(example.path)
    _check_numbers(paths)
    known = read_known_windows(recognizer.files)
    if known is None and not ordinary:
        raise ConfigError(
            f"expected --ordinary, footage of ordinary hours: the model {recognizer.contract.name} brings no "
            "footage of its own, so nothing shows what is none of the activities"
        )
    return Lesson(
        {activity: [_read(path, reader, recognizer, progress) for path in each] for activity, each in paths.items()},
        [_read_ordinary(path, reader, progress) for path in ordinary],
        known,
        reader.still(),
    )


def learn_and_judge(lesson: Lesson, shipped: ModelContract, config: Config) -> Taught:
    """Learn and judge. `config`: its activities have the other settings of the tracker."""
    contract = taught_contract(shipped, list(lesson.examples))
    ordinary = [windows for windows in lesson.ordinary if windows.scores]
    learned, alike = _learn(lesson, ordinary, shipped)
    scored = partial(_scored, learned)
    examples = [
        scored(clip, np.full(len(clip.scores), fold), activity)
        for activity, clips in lesson.examples.items()
        for fold, clip in zip(folds_of(len(clips)), clips, strict=True)
    ]
    folds = fold_of_ordinary(sum(len(windows.scores) for windows in ordinary))
    ends = np.cumsum([len(windows.scores) for windows in ordinary])[:-1]
    hours = [scored(windows, part, "") for windows, part in zip(ordinary, np.split(folds, ends), strict=ordinary != [])]
    settings = effective_tracker_settings(_with_known_activities(config, contract), contract)
    judgement = judge(examples, hours, contract, settings, config.activities.smoothing)
    return Taught(learned, contract, judgement, tuple(examples), alike)


def scored_by(learned: Learned, clip: ClipWindows, label: str) -> ScoredVideo:
    """Return the scores of a clip with windows that was not learned."""
    return _composed(clip, learned.part.probabilities(clip.features), label)


def write(
    taught: Taught, lesson: Lesson, base: str, recognizer: Engine, out: Path, remarks: Mapping[str, Sequence[str]]
) -> None:
    """Write the taught model. `remarks`: sentences by their kind, for its report. Raises ModelError and SinkError."""
    samples = [clip.rows for clips in lesson.examples.values() for clip in clips if clip.rows is not None]
    report = {**_report(taught, lesson, base, recognizer), **remarks}
    shipped = read_emission(recognizer.files.folder, recognizer.contract)
    emission = shipped and with_taught_rows(shipped, taught.examples, taught.contract)
    reports = {EXPORT: report} | ({REPORT: {"emission": emission}} if emission else {})
    write_taught_model(out, recognizer.files, taught.learned.part, taught.contract, np.stack(samples), reports)


def videos_in(paths: Sequence[Path]) -> list[Path]:
    """Return the files, and the videos in folders and their subfolders, sorted. Raises ConfigError."""
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise ConfigError(f"--ordinary: expected videos or folders of videos, found nothing at {path}")
        inside = (
            sorted(each for each in path.rglob("*") if each.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
        )
        if not inside:
            raise ConfigError(f"--ordinary: expected a folder with videos, found none in {path}")
        found += inside
    return found


def _learn(lesson: Lesson, ordinary: Sequence[ClipWindows], shipped: ModelContract) -> tuple[Learned, dict[str, str]]:
    """Learn, and learn again without the kinds of known background that look like a new activity."""
    examples, known = list(lesson.examples.values()), lesson.known
    learned = learn(training_windows(examples, ordinary, known, lesson.still, shipped.activities))
    if known is None:
        return learned, {}
    probabilities = held_out_probabilities(learned.held_out, known.features, folds_of_known(known, shipped.activities))
    alike = classes_alike(known.classes, probabilities, list(lesson.examples))
    if alike:
        rest = known.without(alike)
        learned = learn(training_windows(examples, ordinary, rest, lesson.still, shipped.activities))
    return learned, alike


def _check_numbers(paths: dict[str, list[Path]]) -> None:
    if not paths:
        raise ConfigError("expected examples, got none: `harstream teach add --activity Cooking FILES` adds some")
    if few := [f"{activity} has {len(each)}" for activity, each in paths.items() if len(each) < FEWEST_EXAMPLES]:
        raise ConfigError(
            f"each activity needs at least {FEWEST_EXAMPLES} examples, {', '.join(few)}: add more with "
            "`harstream teach add`, or remove the activity with `harstream teach remove`"
        )


def _read(path: Path, reader: WindowReader, recognizer: Engine, progress: Progress) -> ClipWindows:
    progress(path.name)
    return read_example(reader, path, recognizer.contract)


def _read_ordinary(path: Path, reader: WindowReader, progress: Progress) -> ClipWindows:
    progress(path.name)
    try:
        return reader.read(path)
    except BrokenVideo as error:
        raise SourceError(f"{error}: cut it before, or leave it out") from error
    except (VideoError, OSError) as error:
        raise SourceError(str(error)) from error


def _scored(learned: Learned, clip: ClipWindows, folds: NDArray[np.intp], label: str) -> ScoredVideo:
    """Return the scores of a clip that was learned, from the parts that have not learned it."""
    return _composed(clip, held_out_probabilities(learned.held_out, clip.features, folds), label)


def _composed(clip: ClipWindows, probabilities: NDArray[np.float32], label: str) -> ScoredVideo:
    shipped = np.stack([scores.values for scores in clip.scores])
    return ScoredVideo(clip.scores, compose_scores(shipped, probabilities), clip.seconds, label)


def _with_known_activities(config: Config, contract: ModelContract) -> Config:
    """Leave out settings of activities that are not taught any more, and those that teaching is about to replace."""
    shipped = set(contract.activities) - set(contract.taught)
    kept = {name: each for name, each in config.activities.overrides.items() if name in shipped}
    return config.model_copy(update={"activities": config.activities.model_copy(update={"overrides": kept})})


def _report(taught: Taught, lesson: Lesson, base: str, recognizer: Engine) -> dict[str, Any]:
    contract, judgement = taught.contract, taught.judgement
    return {
        "model": contract.name,
        "version": contract.version,
        "exported": datetime.now(UTC).isoformat(timespec="seconds"),
        TAUGHT_ON: base,
        "taught_on_sha256": recognizer.files.sha256(),
        "examples": {name: [clip.path.name for clip in clips] for name, clips in lesson.examples.items()},
        "ordinary_seconds": round(judgement.ordinary_seconds, 1),
        "not_learned_as_background": dict(taught.alike),
        "regularisation": taught.learned.strength,
        "cross_validation": [asdict(each) for each in judgement.activities],
        "events_in_ordinary": dict(judgement.in_ordinary),
    }
