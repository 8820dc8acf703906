"""Every expected figure is worked out by hand from the six windows of the fixture or follows from its definition."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.evaluation.compute_metrics import ROC_POINTS, compute_metrics, emission
from harstream.evaluation.labelled_scores import LabelledScores, average_over_clips
from harstream.evaluation.metrics import Averages, ClassMetrics, Metrics, RocCurve

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def metrics(predictions: LabelledScores) -> Metrics:
    return compute_metrics(predictions, unknown_threshold=0.7)


def sure(truth: list[int], recognized: list[int], *, classes: int = 3, background: tuple[str, ...] = ()) -> Metrics:
    """Returns metrics of windows with one score of 1. Each window is a clip and a group of its own."""
    names = tuple(f"clip{row:04}" for row in range(len(truth)))
    return compute_metrics(
        LabelledScores(
            labels=tuple(str(index) for index in range(classes)),
            background=background,
            clips=names,
            groups=names,
            truth=np.array(truth),
            scores=np.eye(classes, dtype=np.float32)[recognized],
        ),
        unknown_threshold=0.8,
    )


def figures(averages: Averages) -> list[float | None]:
    macro = [averages.precision_macro, averages.recall_macro, averages.f1_macro]
    return [*macro, averages.precision_micro, averages.recall_micro, averages.f1_micro]


def curve(each: ClassMetrics) -> RocCurve:
    assert each.roc is not None
    return each.roc


def test_accuracy_counts_every_window(metrics: Metrics) -> None:
    assert metrics.windows.accuracy == pytest.approx(4 / 6)


def test_top1_counts_each_clip_the_same(metrics: Metrics) -> None:
    assert metrics.top1 == pytest.approx((1 / 2 + 1 + 2 / 3) / 3)


def test_averages_over_windows_exclude_the_background(metrics: Metrics) -> None:
    # sit: 1 right of 2 recognized, of 2 true. walk: 1 right of 2 recognized, of 1 true. Pooled: 2 of 4, of 3.
    assert figures(metrics.windows) == pytest.approx([1 / 2, 3 / 4, (1 / 2 + 2 / 3) / 2, 2 / 4, 2 / 3, 4 / 7])


def test_scores_are_averaged_over_a_clip(predictions: LabelledScores) -> None:
    clips = average_over_clips(predictions)
    assert clips.clips == ("a", "b", "c")
    assert clips.groups == ("g1", "g1", "g2")
    assert clips.truth.tolist() == [0, 1, 2]
    assert clips.scores == pytest.approx(np.array([[0.55, 0.35, 0.1], [0.1, 0.9, 0], [0.8 / 3, 0.7 / 3, 0.5]]))


def test_a_wrong_window_is_outvoted_in_its_clip(metrics: Metrics) -> None:
    assert metrics.clips.rows == 3
    assert metrics.clips.accuracy == 1
    assert figures(metrics.clips) == [1] * 6


def test_each_class_is_measured_against_the_rest(metrics: Metrics) -> None:
    found = [[each.support, each.precision, each.recall, each.false_positive_rate, each.f1] for each in metrics.classes]
    sit, walk, nobody = found
    assert sit == pytest.approx([2, 1 / 2, 1 / 2, 1 / 4, 1 / 2])
    assert walk == pytest.approx([1, 1 / 2, 1, 1 / 5, 2 / 3])
    assert nobody == pytest.approx([3, 1, 2 / 3, 0, 4 / 5])
    assert [each.is_background for each in metrics.classes] == [False, False, True]


def test_area_under_the_curve_is_the_share_of_ordered_pairs(metrics: Metrics) -> None:
    # sit: 0.8 is above all of 0.1, 0.2, 0.1, 0.5 and 0.3 above three of them.
    assert [curve(each).area for each in metrics.classes] == pytest.approx([7 / 8, 1, 1])
    # Pooled, 12 others: 0.9, 0.8, 0.7 above 12, 0.6 above 11 and one equal, 0.3 above 9 and one, 0.2 above 6 and three.
    assert metrics.roc_micro.area == pytest.approx((3 * 12 + 11.5 + 9.5 + 7.5) / (6 * 12))


def test_the_curve_steps_through_the_scores(metrics: Metrics) -> None:
    sit = curve(metrics.classes[0])
    # Down from 0.8 (sit), 0.5 (another), 0.3 (sit), 0.2 (another), 0.1 (two others); 2 windows are sit, 4 are not.
    assert sit.false_positive_rates == (0, 0, 1 / 4, 1 / 4, 2 / 4, 1)
    assert sit.true_positive_rates == (0, 1 / 2, 1 / 2, 1, 1, 1)


def test_a_long_curve_is_reduced_and_keeps_its_ends() -> None:
    rng = np.random.default_rng(1)
    first = rng.random(4000).astype(np.float32)
    names = tuple(str(row) for row in range(4000))
    scores = np.stack([first, 1 - first], axis=1)
    random = LabelledScores(("a", "b"), (), names, names, rng.integers(2, size=4000), scores)
    thinned = curve(compute_metrics(random, unknown_threshold=0.8).classes[0])
    points = list(zip(thinned.false_positive_rates, thinned.true_positive_rates, strict=True))
    assert 50 < len(points) <= ROC_POINTS
    assert (points[0], points[-1]) == ((0, 0), (1, 1))
    drawn = np.trapezoid(thinned.true_positive_rates, thinned.false_positive_rates)
    assert drawn == pytest.approx(thinned.area, abs=0.01)


def test_the_confusion_matrix_has_a_row_for_each_true_class(metrics: Metrics) -> None:
    assert metrics.confusion == ((1, 1, 0), (0, 1, 0), (1, 0, 2))


def test_a_group_is_the_mean_of_its_clips(metrics: Metrics) -> None:
    assert [(each.group, each.clips) for each in metrics.groups] == [("g1", 2), ("g2", 1)]
    assert [each.accuracy for each in metrics.groups] == pytest.approx([(1 / 2 + 1) / 2, 2 / 3])


def test_calibration_error_weights_each_bin_by_its_windows(metrics: Metrics) -> None:
    # Gaps: 0.8 right 0.2; 0.6 twice, one right, 0.1; 0.9 right 0.1; 0.7 right 0.3; 0.5 wrong 0.5.
    assert metrics.calibration_error == pytest.approx((0.2 + 2 * 0.1 + 0.1 + 0.3 + 0.5) / 6)


def test_a_score_on_the_edge_belongs_to_the_bin_below(metrics: Metrics) -> None:
    filled = {index: each.windows for index, each in enumerate(metrics.reliability, start=1) if each.windows}
    # 0.6 = 9/15 and 0.8 = 12/15 are upper edges of bins 9 and 12.
    assert filled == {8: 1, 9: 2, 11: 1, 12: 1, 14: 1}
    assert metrics.reliability[8].accuracy == 1 / 2
    assert metrics.reliability[8].confidence == pytest.approx(0.6)
    assert metrics.reliability[0].accuracy is None


def test_a_score_equal_to_the_threshold_reaches_it(metrics: Metrics) -> None:
    # 0.7 is stored as 0.699999988 in float32. 0.8, 0.9 and 0.7 reach it, all right.
    assert metrics.selection.coverage == 3 / 6
    assert metrics.selection.accuracy == 1


def test_accuracy_is_undefined_if_no_score_reaches_the_threshold(metrics: Metrics) -> None:
    assert metrics.selections[0].coverage == 1
    assert metrics.selections[0].accuracy == pytest.approx(4 / 6)
    assert (metrics.selections[-1].threshold, metrics.selections[-1].coverage) == (1, 0)
    assert metrics.selections[-1].accuracy is None


def test_emission_adds_one_to_every_count(metrics: Metrics) -> None:
    assert emission(metrics, 0.9) == {
        "labels": ["sit", "walk", "nobody"],
        "matrix": [[0.4, 0.4, 0.2], [0.25, 0.5, 0.25], [0.333333, 0.166667, 0.5]],
        "prior": [0.333333, 0.222222, 0.444444],
        "sure": [
            [0.3, 0.1, 0.1, 0.1, 0.3, 0.1],
            [0.125, 0.375, 0.125, 0.125, 0.125, 0.125],
            [0.083333, 0.083333, 0.25, 0.25, 0.083334, 0.25],
        ],
        "lasting": 0.9,
    }


def test_windows_that_reach_the_threshold_are_counted_by_true_and_recognized_class(metrics: Metrics) -> None:
    # 0.8 of sit, 0.9 of walk and 0.7 of nobody reach 0.7.
    assert metrics.confusion_sure == ((1, 0, 0), (0, 1, 0), (0, 0, 1))


def test_the_two_halves_of_the_emission_add_up_to_the_matrix() -> None:
    rng = np.random.default_rng(3)
    measured = emission(sure(rng.integers(7, size=500).tolist(), rng.integers(7, size=500).tolist(), classes=7), None)
    split, matrix = np.array(measured["sure"]), np.array(measured["matrix"])
    assert (split > 0).all()
    np.testing.assert_allclose(split[:, :7] + split[:, 7:], matrix, rtol=0, atol=1e-12)


def test_a_perfect_classifier_has_every_figure_at_its_best() -> None:
    perfect = sure([0, 1, 2, 0], [0, 1, 2, 0])
    assert (perfect.windows.accuracy, perfect.clips.accuracy, perfect.top1) == (1, 1, 1)
    assert figures(perfect.windows) == [1] * 6
    assert [(each.false_positive_rate, curve(each).area) for each in perfect.classes] == [(0, 1)] * 3
    assert (perfect.calibration_error, perfect.roc_micro.area) == (0, 1)
    assert (perfect.selection.coverage, perfect.selection.accuracy) == (1, 1)


def test_the_worst_classifier_has_every_figure_at_its_worst() -> None:
    worst = sure([0, 1], [1, 0], classes=2)
    assert (worst.windows.accuracy, worst.clips.accuracy, worst.top1) == (0, 0, 0)
    assert figures(worst.windows) == [0] * 6
    assert [(each.false_positive_rate, curve(each).area) for each in worst.classes] == [(1, 0)] * 2
    assert (worst.calibration_error, worst.roc_micro.area) == (1, 0)
    assert (worst.selection.coverage, worst.selection.accuracy) == (1, 0)


def test_a_class_missing_from_the_truth_has_no_recall_and_is_excluded_from_macro() -> None:
    missing = sure([0, 0, 1, 1], [0, 2, 1, 1])
    never_true = missing.classes[2]
    assert (never_true.support, never_true.recall, never_true.roc) == (0, None, None)
    assert (never_true.precision, never_true.f1, never_true.false_positive_rate) == (0, 0, 1 / 4)
    assert missing.windows.recall_macro == (1 / 2 + 1) / 2
    assert missing.windows.precision_micro == 3 / 4


def test_a_class_never_recognized_has_no_precision_and_counts_zero_in_macro() -> None:
    never = sure([0, 1], [0, 0], classes=2)
    assert (never.classes[1].precision, never.classes[1].recall, never.classes[1].f1) == (None, 0, 0)
    assert never.windows.precision_macro == (1 / 2 + 0) / 2


def test_a_class_neither_true_nor_recognized_has_no_figures() -> None:
    absent = sure([0, 1], [0, 1]).classes[2]
    assert (absent.precision, absent.recall, absent.f1, absent.roc) == (None, None, None, None)
    assert absent.false_positive_rate == 0


def test_background_alone_has_no_activity_figures() -> None:
    assert figures(sure([1, 1], [1, 1], classes=2, background=("1",)).windows) == [None] * 6


def test_without_background_micro_equals_accuracy() -> None:
    without = sure([0, 1, 2, 2, 1], [0, 1, 2, 1, 0])
    assert figures(without.windows)[3:] == pytest.approx([without.windows.accuracy] * 3)


def test_the_plain_form_survives_json_without_nan(metrics: Metrics) -> None:
    plain = metrics.to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["top1"] == 0.7222
    assert plain["confusion"] == [[1, 1, 0], [0, 1, 0], [1, 0, 2]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"truth": np.array([0, 0, 1])}, r"truth of shape \(6,\)"),
        ({"truth": np.array([0, 0, 1, 2, 2, 3])}, "truth must be between 0 and 2"),
        ({"scores": np.ones((6, 3), dtype=np.float32)}, "sum to 1"),
        ({"scores": np.full((6, 3), np.nan, dtype=np.float32)}, "sum to 1"),
        ({"labels": ("sit", "sit", "nobody")}, "all different"),
        ({"background": ("elsewhere",)}, "elsewhere"),
        ({"clips": ("a", "a", "a", "c", "c", "c")}, "all windows of a clip must have the same truth"),
        ({"groups": ("g1", "g2", "g1", "g2", "g2", "g2")}, "same truth and group; a has"),
    ],
)
def test_inconsistent_predictions_are_refused(
    predictions: LabelledScores, change: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        replace(predictions, **change)  # type: ignore[arg-type]


def test_risk_is_the_share_of_errors_among_the_most_confident_windows(predictions: LabelledScores) -> None:
    # By confidence: 0.9 right | 0.8 right | 0.7 right | 0.6 wrong and 0.6 right | 0.5 wrong.
    curve = compute_metrics(predictions, unknown_threshold=0.7).risk_coverage
    assert curve.coverages == pytest.approx([1 / 6, 2 / 6, 3 / 6, 5 / 6, 1])
    assert curve.risks == pytest.approx([0, 0, 0, 1 / 5, 2 / 6])
    assert curve.area == pytest.approx(2 / 6 * 1 / 5 + 1 / 6 * 2 / 6)


def test_accuracy_among_activities_ignores_background_scores(predictions: LabelledScores) -> None:
    # The windows are the three of clips a and b: one of a is right and one is wrong; that of b is right.
    among = compute_metrics(predictions, unknown_threshold=0.7).among_activities
    assert among is not None
    assert (among.windows.rows, among.clips.rows) == (3, 2)
    assert among.windows.accuracy == pytest.approx(2 / 3)
    assert among.top1 == pytest.approx(0.75)
    assert among.clips.accuracy == 1.0  # a: (0.89 + 0.33) / 2 for sit


def test_background_recognized_as_an_activity_is_no_mistake_among_activities() -> None:
    one = LabelledScores(("sit", "walk", "nobody"), ("nobody",), ("a",), ("g",), np.array([1]), row(0.1, 0.3, 0.6))
    metrics = compute_metrics(one, unknown_threshold=0.5)
    assert metrics.windows.accuracy == 0
    assert metrics.among_activities is not None
    assert metrics.among_activities.windows.accuracy == 1


def test_model_without_background_has_no_figures_among_activities() -> None:
    one = LabelledScores(("sit", "walk"), (), ("a",), ("g",), np.array([1]), row(0.4, 0.6))
    assert compute_metrics(one, unknown_threshold=0.5).among_activities is None


def row(*scores: float) -> NDArray[np.float32]:
    return np.array([scores], dtype=np.float32)
