"""Every figure of the report on clips, as values.

All shares, rates and scores are between 0 and 1. An undefined figure is None, such as the precision of a class that is
never recognized.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Averages:
    """Figures over all classes.

    Accuracy counts every row. Precision, recall and F1 cover the activities, without the background labels. Macro is
    the mean over the activities in the truth; an activity that is never recognized has precision 0. Micro pools the
    rows of all activities, so an activity that is recognized in a background clip lowers the precision. Without
    background labels, the three micro figures equal the accuracy.
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
    """One class against the rest: true positive rate over false positive rate, from (0, 0) to (1, 1).

    It has at most 100 points; the area is that of the complete curve.
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
    """None if no window, or every window, is of this class."""


@dataclass(frozen=True)
class ReliabilityBin:
    """The windows whose top score is in (lower, upper]."""

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
    """Share of these windows that is right."""


@dataclass(frozen=True)
class RiskCoverage:
    """The share of wrong windows among the most confident ones, over the share of windows taken.

    Source: Geifman and El-Yaniv 2017, "Selective classification for deep neural networks". It has at most 100 points;
    the area is that of the complete curve.
    """

    coverages: tuple[float, ...]
    """Share of all windows, in increasing order."""
    risks: tuple[float, ...]
    """Share of these windows that is wrong."""
    area: float


@dataclass(frozen=True)
class AmongActivities:
    """Figures over the windows of activities, without background as a choice: the question of the papers."""

    windows: Averages
    clips: Averages
    top1: float
    """As `top1` of Metrics."""


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
    """Figures of the scores averaged over the windows of each clip."""
    top1: float
    """Mean over clips of the share of right windows: each clip counts the same, however long it is."""
    classes: tuple[ClassMetrics, ...]
    confusion: tuple[tuple[int, ...], ...]
    """(K, K) windows: one row per true class, one column per recognized class, in label order."""
    confusion_sure: tuple[tuple[int, ...], ...]
    """(K, K) the same for windows whose top score reaches the model's own threshold."""
    roc_micro: RocCurve
    """The curve of all pairs of window and class, pooled."""
    groups: tuple[GroupAccuracy, ...]
    calibration_error: float
    reliability: tuple[ReliabilityBin, ...]
    selection: Selection
    """The selection at the model's own threshold."""
    selections: tuple[Selection, ...]
    """The selections at thresholds 0, 0.05 ... 1."""
    risk_coverage: RiskCoverage
    among_activities: AmongActivities | None
    """None for a model without background labels, because it equals the other figures."""

    def to_dict(self) -> dict[str, object]:
        """Return dicts, lists, strings, numbers and None only. Numbers have 4 places, so that equal runs compare."""
        return rounded(asdict(self), digits=4)


def rounded(values: Mapping[str, object], *, digits: int) -> dict[str, object]:
    """Return the values as dicts, lists, strings, numbers and None only, with numbers of so many places."""
    return {key: _rounded(value, digits) for key, value in values.items()}


def _rounded(value: object, digits: int) -> object:
    if isinstance(value, dict):
        return rounded(value, digits=digits)
    if isinstance(value, list | tuple):
        return [_rounded(item, digits) for item in value]
    return round(value, digits) if isinstance(value, float) else value
