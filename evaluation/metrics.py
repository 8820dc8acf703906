"""Every figure of the report on clips, as values.

All shares, rates and scores are between 0 and 1. A figure that is undefined, such as the precision of a class that was
never recognized, is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Averages:
    """Figures over all classes.

    Accuracy counts every row. Precision, recall and F1 are of the activities, that is, without the background labels:
    macro is the mean over the activities that occur in the truth, where one that was never recognized has precision 0;
    micro pools the rows of all activities, so that an activity seen in a background clip lowers its precision. Without
    background labels the three micro figures all equal the accuracy.
    """

    rows: int
    accuracy: float
    precision_macro: float | None
    recall_macro: float | None
    f1_macro: float | None
    precision_micro: float | None
    recall_micro: float | None
    f1_micro: float | None


@dataclass(frozen=True)
class RocCurve:
    """A class against the rest: true positive rate over false positive rate, from (0, 0) to (1, 1).

    Its points are thinned to at most 100; the area is that of the whole curve.
    """

    false_positive_rates: tuple[float, ...]
    true_positive_rates: tuple[float, ...]
    area: float


@dataclass(frozen=True)
class ClassMetrics:
    """One class against the rest, over windows."""

    label: str
    is_background: bool
    support: int
    """Windows of this class in the truth."""
    precision: float | None
    recall: float | None
    """The true positive rate."""
    false_positive_rate: float | None
    f1: float | None
    roc: RocCurve | None
    """None when the truth holds no window of this class, or no other."""


@dataclass(frozen=True)
class ReliabilityBin:
    """The windows whose top score lies in (lower, upper]."""

    lower: float
    upper: float
    windows: int
    confidence: float | None
    """Mean top score."""
    accuracy: float | None


@dataclass(frozen=True)
class Selection:
    """The windows whose top score reaches a threshold."""

    threshold: float
    coverage: float
    """Share of all windows."""
    accuracy: float | None
    """Among them."""


@dataclass(frozen=True)
class RiskCoverage:
    """What is wrong among the most confident windows, over how many are taken.

    Source: Geifman and El-Yaniv 2017, "Selective classification for deep neural networks". Thinned to at most
    100 points; the area is that of the whole curve.
    """

    coverages: tuple[float, ...]
    """Share of all windows, rising."""
    risks: tuple[float, ...]
    """Share of these that is wrong."""
    area: float


@dataclass(frozen=True)
class AmongActivities:
    """Figures over the windows of activities where background is no choice: the papers' question."""

    windows: Averages
    clips: Averages
    top1: float
    """As that of Metrics."""


@dataclass(frozen=True)
class GroupAccuracy:
    group: str
    clips: int
    accuracy: float
    """Mean over the group's clips of the share of right windows."""


@dataclass(frozen=True)
class Metrics:
    """Everything that a report shows."""

    labels: tuple[str, ...]
    windows: Averages
    clips: Averages
    """Of the scores averaged over each clip's windows."""
    top1: float
    """Mean over clips of the share of right windows: a long clip counts no more than a short one."""
    classes: tuple[ClassMetrics, ...]
    confusion: tuple[tuple[int, ...], ...]
    """(K, K) windows, one row a true class, one column a recognized one, in label order."""
    roc_micro: RocCurve
    """Of all pairs of window and class, pooled."""
    groups: tuple[GroupAccuracy, ...]
    calibration_error: float
    reliability: tuple[ReliabilityBin, ...]
    selection: Selection
    """At the model's own threshold."""
    selections: tuple[Selection, ...]
    """At thresholds 0, 0.05 ... 1."""
    risk_coverage: RiskCoverage
    among_activities: AmongActivities | None
    """None for a model without background labels, whose other figures say the same."""

    def to_dict(self) -> dict[str, object]:
        """Only dicts, lists, strings, numbers and None; numbers are rounded to 4 places so that equal runs compare."""
        return rounded(asdict(self), digits=4)


def rounded(values: Mapping[str, object], *, digits: int) -> dict[str, object]:
    """Only dicts, lists, strings, numbers and None."""
    return {key: _rounded(value, digits) for key, value in values.items()}


def _rounded(value: object, digits: int) -> object:
    if isinstance(value, dict):
        return rounded(value, digits=digits)
    if isinstance(value, list | tuple):
        return [_rounded(item, digits) for item in value]
    return round(value, digits) if isinstance(value, float) else value
