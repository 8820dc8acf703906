"""Says how well taught activities are recognized: cross-validated, at the thresholds that are chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from harstream.models.contract import ModelContract
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.teaching.replay import ScoredVideo, started, with_thresholds
from harstream.teaching.thresholds import ChosenThreshold, choose_threshold


@dataclass(frozen=True)
class ActivityJudgement:
    """How the examples of one activity are recognized by parts that have not learned them."""

    activity: str
    examples: int
    recognized: int
    """Examples whose mean score is the highest for the activity."""
    found: int
    """Examples in which an event of the activity starts, at the threshold."""
    taken_for: Mapping[str, int]
    """The other labels that had the highest mean score, and for how many examples."""
    threshold: ChosenThreshold


@dataclass(frozen=True)
class Judgement:
    activities: tuple[ActivityJudgement, ...]
    pairs: tuple[tuple[str, str], ...]
    """The true and the recognized label of each example."""
    ordinary_seconds: float
    in_ordinary: Mapping[str, int]
    """Events of each activity, shipped ones included, in the ordinary footage at these thresholds."""

    @property
    def thresholds(self) -> dict[str, float]:
        return {each.activity: each.threshold.value for each in self.activities}


def judge(
    examples: Sequence[ScoredVideo],
    ordinary: Sequence[ScoredVideo],
    contract: ModelContract,
    settings: TrackerSettings,
    smoothing: float,
) -> Judgement:
    """Judge the scores of examples and of ordinary footage. `contract`: that of the taught model."""

    def events(videos: Sequence[ScoredVideo], thresholds: Mapping[str, float]) -> list[Counter[str]]:
        return [started(video, contract, with_thresholds(settings, thresholds), smoothing) for video in videos]

    def found_by(thresholds: Mapping[str, float]) -> Counter[str]:
        seen = zip(examples, events(examples, thresholds), strict=True)
        return Counter(video.label for video, counts in seen if counts[video.label])

    def in_ordinary(thresholds: Mapping[str, float]) -> Counter[str]:
        return sum(events(ordinary, thresholds), Counter[str]())

    seconds = sum(video.seconds for video in ordinary)
    pairs = tuple((video.label, video.top_label(contract.labels)) for video in examples)
    chosen = {
        activity: choose_threshold(activity, found, false, seconds, contract.unknown_threshold)
        for found, false in [(_at_one_for_all(found_by, contract), _at_one_for_all(in_ordinary, contract))]
        for activity in contract.taught
    }
    thresholds = {activity: each.value for activity, each in chosen.items()}
    found = found_by(thresholds)
    judged = tuple(_of_activity(activity, pairs, found[activity], chosen[activity]) for activity in contract.taught)
    return Judgement(judged, pairs, seconds, dict(in_ordinary(thresholds)))


def _at_one_for_all(
    count: Callable[[Mapping[str, float]], Counter[str]], contract: ModelContract
) -> Callable[[float], Counter[str]]:
    """Return a function of one threshold for all taught activities. It remembers its results."""
    return cache(lambda value: count({activity: value for activity in contract.taught}))  # noqa: C420


def _of_activity(
    activity: str, pairs: Sequence[tuple[str, str]], found: int, threshold: ChosenThreshold
) -> ActivityJudgement:
    recognized = Counter(label for true, label in pairs if true == activity)
    examples = recognized.total()
    right = recognized.pop(activity, 0)
    return ActivityJudgement(activity, examples, right, found, dict(recognized.most_common()), threshold)
