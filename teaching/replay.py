"""Replays scores of windows through smoothing and tracker, as a stream does, to see which events follow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harstream.models.contract import ModelContract
from harstream.stream.recognition.smoothing import ExponentialMean
from harstream.stream.recognition.tracker import Tracker
from harstream.stream.recognition.tracker_settings import END_SHARE, TrackerSettings
from harstream.wire.values import EventType, Scores


@dataclass(frozen=True, eq=False)
class ScoredVideo:
    """The scores of a taught model for one video, from parts that have not learned it."""

    windows: tuple[Scores, ...]
    """When each window ends, and its span."""
    values: NDArray[np.float32]
    """(N, K + L)"""
    seconds: float
    label: str = ""
    """The activity that it shows; empty for ordinary footage."""

    def top_label(self, labels: Sequence[str]) -> str:
        """Return the label with the highest mean score."""
        return labels[int(self.values.mean(axis=0).argmax())]


def with_thresholds(settings: TrackerSettings, thresholds: Mapping[str, float]) -> TrackerSettings:
    """Return settings in which these activities start above their thresholds."""
    own = {
        activity: replace(settings, start_above=value, end_below=END_SHARE * value, overrides={})
        for activity, value in thresholds.items()
    }
    return replace(settings, overrides={**settings.overrides, **own})


def started(video: ScoredVideo, contract: ModelContract, settings: TrackerSettings, smoothing: float) -> Counter[str]:
    """Return how often each activity starts. `smoothing`: the time constant, in seconds."""
    tracker, mean = Tracker("example", contract, settings), ExponentialMean(smoothing)
    events = [
        event
        for window, values in zip(video.windows, video.values, strict=True)
        for event in tracker.update(mean.update(values, window.time), window.time, window.span)
    ]
    return Counter(event.activity for event in events if event.type is EventType.START)
