"""Measures how long the errors of a model last, on streams of joined clips."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from harstream.evaluation.labelled_scores import LabelledScores
from harstream.evaluation.lasting_errors import LastingErrors, measure_lasting
from harstream.evaluation.streams.event_metrics import Segment
from harstream.evaluation.streams.stream_runner import Watched
from harstream.models.contract import ModelContract
from harstream.wire.messages.emission import SHORTEST_STEP
from harstream.wire.values import Scores

ROUNDING = 1e-6
"""Seconds by which sums of frame times may be too small."""


def lasting_in_streams(watched: Sequence[Watched], contract: ModelContract) -> LastingErrors | None:
    """Measure it on windows whose frames show one activity alone. Return None if there is no such window."""
    taken = [
        (f"{each.camera} {segment.start}", segment, scores)
        for each in watched
        for segment in each.truth
        for scores in _one_span_apart(each, segment)
    ]
    if not taken:
        return None
    names = tuple(name for name, _, _ in taken)
    truth = [contract.labels.index(segment.activity or contract.background[0]) for _, segment, _ in taken]
    values = np.stack([scores.values for _, _, scores in taken])
    windows = LabelledScores(contract.labels, contract.background, names, names, np.array(truth), values)
    return measure_lasting(windows, contract, step=max(contract.span, SHORTEST_STEP))


def _one_span_apart(watched: Watched, segment: Segment) -> Iterator[Scores]:
    """Yield the windows that show the segment alone, without those inside a span of the one before."""
    due = segment.start
    for scores in watched.scores:
        if isinstance(scores, float) or scores.time >= segment.end:
            continue
        if scores.time - scores.span >= segment.start - ROUNDING and scores.time >= due - ROUNDING:
            due = scores.time + max(scores.span, SHORTEST_STEP)
            yield scores
