"""One draw of a few-shot measurement: examples are drawn, taught, and what was not drawn is recognized."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harstream.clips.listing import Clip
from harstream.models.contract import ModelContract
from harstream.stream.config.effective_tracker_settings import effective_tracker_settings
from harstream.stream.config.model import Config
from harstream.teaching.clip_windows import ClipWindows
from harstream.teaching.lesson import Lesson, Taught, learn_and_judge, scored_by
from harstream.teaching.replay import ScoredVideo, started, with_thresholds


@dataclass(frozen=True, eq=False)
class Footage:
    """What was read of all clips, once for all draws."""

    pool: Mapping[str, Sequence[Clip]]
    """The clips of each new activity from which examples are drawn."""
    tested: Mapping[str, Sequence[Clip]]
    """The clips of each new activity that are recognized afterwards, without those that were drawn."""
    windows: Mapping[Clip, ClipWindows]
    lesson: Lesson
    """What is learned beside the examples, which it has not yet."""
    everyday: Sequence[ClipWindows]
    """Footage that shows none of the activities, and that is not learned."""
    shipped: Sequence[tuple[str, ClipWindows]]
    """Clips of activities that the model knows, with their labels."""


@dataclass
class Figures:
    """The figures of one draw."""

    windows: list[float] = field(default_factory=list)
    """For each clip, the share of windows in which the right new activity has the highest score of the new ones."""
    clips: list[bool] = field(default_factory=list)
    """The same for the mean scores of a clip."""
    found: list[bool] = field(default_factory=list)
    """For each clip, whether an event of its activity starts, at the thresholds that teaching chose."""
    false_events: int = 0
    """Events of new activities in the everyday footage."""
    hours: float = 0.0
    shipped_before: list[bool] = field(default_factory=list)
    """For each clip of a shipped activity, whether its mean scores are the highest for it, before teaching."""
    shipped_after: list[bool] = field(default_factory=list)


def draw(footage: Footage, each: int, seed: int, contract: ModelContract, config: Config) -> Figures:
    """Teach `each` clips of each activity and measure. `contract`: that of the model before."""
    chosen = {name: drawn(clips, each, random.Random(f"{seed}:{name}")) for name, clips in footage.pool.items()}
    examples = {name: [footage.windows[clip] for clip in clips] for name, clips in chosen.items()}
    lesson = Lesson(examples, footage.lesson.ordinary, footage.lesson.known, footage.lesson.still)
    taught = learn_and_judge(lesson, contract, config)
    figures = Figures()
    for name, clips in footage.tested.items():
        for clip in clips:
            if clip not in chosen[name]:
                _measure_clip(figures, taught, scored_by(taught.learned, footage.windows[clip], name), config)
    _measure_everyday(figures, taught, footage.everyday, config)
    for label, windows in footage.shipped:
        before = np.mean([scores.values for scores in windows.scores], axis=0)
        figures.shipped_before.append(contract.labels[int(before.argmax())] == label)
        after = scored_by(taught.learned, windows, label)
        figures.shipped_after.append(after.top_label(taught.contract.labels) == label)
    return figures


def drawn(clips: Sequence[Clip], number: int, shuffler: random.Random) -> list[Clip]:
    """Return so many clips, each of another group while there are groups."""
    groups: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        groups[clip.group].append(clip)
    shuffled = [shuffler.sample(group, len(group)) for group in groups.values()]
    shuffler.shuffle(shuffled)
    turns = [group[turn] for turn in range(max(map(len, shuffled))) for group in shuffled if turn < len(group)]
    return turns[:number]


def _measure_clip(figures: Figures, taught: Taught, video: ScoredVideo, config: Config) -> None:
    contract = taught.contract
    new = video.values[:, len(contract.labels) - len(contract.taught) :]
    right = contract.taught.index(video.label)
    figures.windows.append(float((new.argmax(axis=1) == right).mean()))
    figures.clips.append(int(new.mean(axis=0).argmax()) == right)
    figures.found.append(_starts(taught, video, config).get(video.label, 0) > 0)


def _measure_everyday(figures: Figures, taught: Taught, everyday: Sequence[ClipWindows], config: Config) -> None:
    for windows in everyday:
        counts = _starts(taught, scored_by(taught.learned, windows, ""), config)
        figures.false_events += sum(counts.get(activity, 0) for activity in taught.contract.taught)
        figures.hours += windows.seconds / 3600


def _starts(taught: Taught, video: ScoredVideo, config: Config) -> Mapping[str, int]:
    settings = with_thresholds(effective_tracker_settings(config, taught.contract), taught.judgement.thresholds)
    return started(video, taught.contract, settings, config.activities.smoothing)
