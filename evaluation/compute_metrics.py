"""Computes the metrics of a model from its scores on labelled clips."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import auc, precision_recall_fscore_support, roc_curve

from harstream.evaluation.labelled_scores import LabelledScores, average_over_clips
from harstream.evaluation.metrics import (
    AmongActivities,
    Averages,
    ClassMetrics,
    GroupAccuracy,
    Metrics,
    ReliabilityBin,
    RiskCoverage,
    RocCurve,
    Selection,
    rounded,
)

ROC_POINTS = 100
RELIABILITY_BINS = 15
"""Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", table 1: M = 15 bins."""


def compute_metrics(predictions: LabelledScores, *, unknown_threshold: float) -> Metrics:
    shares = _right_shares(predictions)
    reliability = _reliability(predictions)
    confusion = _confusion(predictions, np.ones(len(predictions.truth), dtype=np.bool_))
    return Metrics(
        labels=predictions.labels,
        windows=_averages(predictions),
        clips=_averages(average_over_clips(predictions)),
        top1=_top1(shares),
        classes=_classes(predictions, confusion),
        confusion=_as_rows(confusion),
        confusion_sure=_as_rows(_confusion(predictions, predictions.reaches(unknown_threshold))),
        roc_micro=_roc(_is_class(predictions).ravel(), predictions.scores.ravel()),
        groups=_groups(shares),
        calibration_error=_calibration_error(reliability),
        reliability=reliability,
        selection=_selection(predictions, unknown_threshold),
        selections=tuple(_selection(predictions, step / 20) for step in range(21)),
        risk_coverage=_risk_coverage(predictions),
        among_activities=_among_activities(predictions),
    )


def emission(metrics: Metrics, lasting: float | None) -> dict[str, object]:
    """Return the input of a hidden Markov model: `matrix[true][recognized]` = P(recognized | true), `prior` = P(true).

    Both come from counts of windows, with 1 added to every count (Laplace smoothing), so that no probability is 0. A
    row of the matrix is (count + 1) / (support + K), the prior (support + 1) / (N + K). A class without windows has a
    flat row. The prior is that of the evaluated clips, not that of a day at home. Rounded to 6 places.

    `sure` (K, 2K) splits `matrix` into windows that reach the model's threshold and those below it. Each count gets 0.5
    there, so that the two halves add up to `matrix`. `lasting` is that of `LastingErrors`.
    """
    counts = np.array(metrics.confusion, dtype=np.float64)
    support = counts.sum(axis=1) + 1
    matrix = (counts + 1) / (counts + 1).sum(axis=1, keepdims=True)
    sure = (np.array(metrics.confusion_sure) + 0.5) / (counts + 1).sum(axis=1, keepdims=True)
    split = np.hstack([sure.round(6), matrix.round(6) - sure.round(6)])  # the halves add up after rounding, too
    smoothed = {
        "labels": metrics.labels,
        "matrix": matrix.tolist(),
        "prior": (support / support.sum()).tolist(),
        "sure": split.tolist(),
        "lasting": lasting,
    }
    return rounded(smoothed, digits=6)


def _averages(predictions: LabelledScores) -> Averages:
    activities = [index for index, label in enumerate(predictions.labels) if label not in predictions.background]
    present = [index for index in activities if index in predictions.truth]
    macro = _precision_recall_f1(predictions, present, average="macro", zero_division=0.0) if present else [None] * 3
    micro = _precision_recall_f1(predictions, activities, average="micro", zero_division=np.nan)
    return Averages(len(predictions.truth), float(predictions.is_right.mean()), *macro, *micro)


def _precision_recall_f1(
    predictions: LabelledScores, classes: list[int], *, average: str, zero_division: float
) -> list[float | None]:
    figures = precision_recall_fscore_support(
        predictions.truth, predictions.recognized, labels=classes, average=average, zero_division=zero_division
    )
    return [_defined(figure) for figure in figures[:3]]


def _classes(predictions: LabelledScores, confusion: NDArray[np.integer]) -> tuple[ClassMetrics, ...]:
    precision, recall, f1, support = precision_recall_fscore_support(
        predictions.truth, predictions.recognized, labels=_every_class(predictions), zero_division=np.nan
    )
    is_class = _is_class(predictions)
    return tuple(
        ClassMetrics(
            label=label,
            is_background=label in predictions.background,
            support=int(support[index]),
            precision=_defined(precision[index]),
            recall=_defined(recall[index]),
            false_positive_rate=_false_positive_rate(confusion, index),
            f1=_defined(f1[index]),
            roc=_roc(is_class[:, index], predictions.scores[:, index]) if _has_both(is_class[:, index]) else None,
        )
        for index, label in enumerate(predictions.labels)
    )


def _false_positive_rate(confusion: NDArray[np.integer], index: int) -> float | None:
    false_positives = confusion[:, index].sum() - confusion[index, index]
    negatives = confusion.sum() - confusion[index].sum()
    return float(false_positives / negatives) if negatives else None


def _roc(is_positive: NDArray[np.bool_], scores: NDArray[np.float32]) -> RocCurve:
    """Compute the curve from (N,) flags and (N,) scores; with at least one true and one false flag."""
    false_positive_rates, true_positive_rates, _ = roc_curve(is_positive, scores)
    keep = _evenly_along(false_positive_rates + true_positive_rates)
    return RocCurve(
        false_positive_rates=tuple(float(rate) for rate in false_positive_rates[keep]),
        true_positive_rates=tuple(float(rate) for rate in true_positive_rates[keep]),
        area=float(auc(false_positive_rates, true_positive_rates)),
    )


def _evenly_along(way: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return indices of at most ROC_POINTS of the increasing values `way`, with the first and the last.

    They are spread evenly along the curve, not along the false positive rate, because a good model's curve is steep.
    """
    if len(way) <= ROC_POINTS:
        return np.arange(len(way))
    return np.unique(np.searchsorted(way, np.linspace(way[0], way[-1], ROC_POINTS)).clip(max=len(way) - 1))


def _right_shares(predictions: LabelledScores) -> dict[str, tuple[str, float]]:
    """Return the group of each clip and the share of its windows that are right."""
    right: dict[str, list[bool]] = {}
    for clip, is_right in zip(predictions.clips, predictions.is_right, strict=True):
        right.setdefault(clip, []).append(bool(is_right))
    group_of = dict(zip(predictions.clips, predictions.groups, strict=True))
    return {clip: (group_of[clip], float(np.mean(flags))) for clip, flags in right.items()}


def _top1(shares: dict[str, tuple[str, float]]) -> float:
    return float(np.mean([share for _, share in shares.values()]))


def _groups(shares: dict[str, tuple[str, float]]) -> tuple[GroupAccuracy, ...]:
    """Return the groups in the order of their names."""
    by_group: dict[str, list[float]] = {}
    for group, share in shares.values():
        by_group.setdefault(group, []).append(share)
    return tuple(GroupAccuracy(group, len(clips), float(np.mean(clips))) for group, clips in sorted(by_group.items()))


def _reliability(predictions: LabelledScores) -> tuple[ReliabilityBin, ...]:
    """Source: Guo et al. 2017, section 2: bin m holds the confidences in ((m - 1) / M, m / M]."""
    # Both edges and scores are float32. As a double, the float32 nearest to 0.8 is above 0.8, in the next bin.
    edges = np.linspace(0, 1, RELIABILITY_BINS + 1).astype(np.float32)
    confidence = predictions.confidence
    bin_of_row = np.searchsorted(edges, confidence).clip(1, RELIABILITY_BINS) - 1
    bounds = pairwise(step / RELIABILITY_BINS for step in range(RELIABILITY_BINS + 1))
    return tuple(
        ReliabilityBin(lower, upper, int(inside.sum()), _mean(confidence[inside]), _mean(predictions.is_right[inside]))
        for (lower, upper), inside in ((bound, bin_of_row == index) for index, bound in enumerate(bounds))
    )


def _calibration_error(bins: tuple[ReliabilityBin, ...]) -> float:
    """Return the expected calibration error. Source: Guo et al. 2017, eq. 3."""
    total = sum(each.windows for each in bins)
    return sum(
        each.windows / total * abs(each.accuracy - each.confidence)
        for each in bins
        if each.accuracy is not None and each.confidence is not None
    )


def _selection(predictions: LabelledScores, threshold: float) -> Selection:
    reaches = predictions.reaches(threshold)
    return Selection(threshold, float(reaches.mean()), _mean(predictions.is_right[reaches]))


def _risk_coverage(predictions: LabelledScores) -> RiskCoverage:
    """Compute the curve. Windows of equal confidence count together, because a model does not order them."""
    order = np.argsort(-predictions.confidence, kind="stable")
    taken = np.arange(1, len(order) + 1)
    risks = np.cumsum(~predictions.is_right[order]) / taken
    is_last_of_equals = np.append(np.diff(predictions.confidence[order]) != 0, True)
    coverages, risks = (taken / len(order))[is_last_of_equals], risks[is_last_of_equals]
    keep = _evenly_along(coverages)
    widths = np.diff(coverages, prepend=0.0)
    return RiskCoverage(
        coverages=tuple(float(value) for value in coverages[keep]),
        risks=tuple(float(value) for value in risks[keep]),
        area=float((widths * risks).sum()),
    )


def _among_activities(predictions: LabelledScores) -> AmongActivities | None:
    activities = [index for index, label in enumerate(predictions.labels) if label not in predictions.background]
    rows = np.flatnonzero(np.isin(predictions.truth, activities))
    if not predictions.background or len(activities) < 2 or not rows.size:
        return None
    scores = predictions.scores[rows][:, activities] + np.float32(1e-9)  # all may be 0
    chosen = LabelledScores(
        labels=tuple(predictions.labels[index] for index in activities),
        background=(),
        clips=tuple(predictions.clips[row] for row in rows),
        groups=tuple(predictions.groups[row] for row in rows),
        truth=np.searchsorted(activities, predictions.truth[rows]),
        scores=scores / scores.sum(axis=1, keepdims=True),
    )
    return AmongActivities(
        windows=_averages(chosen), clips=_averages(average_over_clips(chosen)), top1=_top1(_right_shares(chosen))
    )


def _confusion(predictions: LabelledScores, chosen: NDArray[np.bool_]) -> NDArray[np.integer]:
    """Count the chosen windows (N,) by true and recognized class: (K, K)."""
    counts = np.zeros((len(predictions.labels), len(predictions.labels)), dtype=np.int64)
    np.add.at(counts, (predictions.truth[chosen], predictions.recognized[chosen]), 1)
    return counts


def _as_rows(counts: NDArray[np.integer]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(count) for count in row) for row in counts)


def _every_class(predictions: LabelledScores) -> NDArray[np.intp]:
    return np.arange(len(predictions.labels))


def _is_class(predictions: LabelledScores) -> NDArray[np.bool_]:
    """Return (N, K), True where the truth is that class."""
    is_class: NDArray[np.bool_] = predictions.truth[:, np.newaxis] == _every_class(predictions)
    return is_class


def _has_both(flags: NDArray[np.bool_]) -> bool:
    return bool(flags.any() and not flags.all())


def _mean(values: NDArray[np.float32] | NDArray[np.bool_]) -> float | None:
    return float(values.mean(dtype=np.float64)) if values.size else None


def _defined(figure: float) -> float | None:
    return None if np.isnan(figure) else float(figure)
