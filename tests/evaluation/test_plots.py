"""The curves of the report are drawn from the figures, and carry nothing that the page does not expect."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.evaluation.compute_metrics import compute_metrics
from harstream.evaluation.drawing import Plot
from harstream.evaluation.labelled_scores import LabelledScores
from harstream.evaluation.metrics import Metrics, ReliabilityBin, RiskCoverage, Selection
from harstream.evaluation.plots import learning, reliability, risk_coverage, roc, selections

HISTORY = [
    {"epoch": 0, "loss": 2.0, "accuracy": 0.2, "val_loss": 1.8, "val_accuracy": 0.3},
    {"epoch": 1, "loss": 1.0, "accuracy": 0.6, "val_loss": 0.9, "val_accuracy": 0.7},
]


@pytest.fixture
def metrics(predictions: LabelledScores) -> Metrics:
    return compute_metrics(predictions, unknown_threshold=0.7)


def lines(plot: Plot, colour: str) -> list[NDArray[np.float64]]:
    """Returns the corners (N, 2) of each path of a colour, as shares of its axes: (0, 0) is the lower left corner."""
    boxes = {
        name: np.array([float(number) for number in box])
        for name, *box in re.findall(
            r'<clipPath id="(\w+)"><rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', plot.svg
        )
    }
    found = []
    for path, clip, style in re.findall(r'<path d="([^"]+)" clip-path="url\(#(\w+)\)" style="([^"]+)"', plot.svg):
        if f"var(--{colour})" in style:
            x, y, width, height = boxes[clip]
            corners = np.array([float(number) for number in re.findall(r"-?[\d.]+", path)]).reshape(-1, 2)
            found.append((corners - (x, y + height)) / (width, -height))
    return found


def shares(*values: float, top: float = 1.02) -> object:
    """Returns where values are on an axis from 0 to `top`. Drawings are rounded to 0.01 pixels."""
    return pytest.approx([value / top for value in values], abs=2e-4)


def texts(plot: Plot) -> list[tuple[str, str]]:
    return [(entry.colour, entry.text) for entry in plot.legend]


EVERY_PLOT: list[Callable[[Metrics], Plot]] = [
    roc, reliability, selections, risk_coverage, lambda _: learning(HISTORY, "loss", 1),
]  # fmt: skip


@pytest.mark.parametrize("draw", EVERY_PLOT)
def test_a_plot_takes_its_colours_and_fonts_from_the_page(draw: Callable[[Metrics], Plot], metrics: Metrics) -> None:
    plot = draw(metrics)
    assert plot.svg.startswith("<svg viewBox=")
    assert "var(--accent)" in plot.svg
    assert not set(re.findall(r"#[0-9a-f]{6}\b", plot.svg))
    assert "<style" not in plot.svg
    assert "font-family" not in plot.svg


@pytest.mark.parametrize("draw", EVERY_PLOT)
def test_each_colour_of_a_legend_is_in_the_drawing(draw: Callable[[Metrics], Plot], metrics: Metrics) -> None:
    plot = draw(metrics)
    assert plot.legend
    assert all(f"var(--{entry.colour})" in plot.svg for entry in plot.legend)


def test_two_plots_share_no_id(metrics: Metrics) -> None:
    plots = [draw(metrics) for draw in EVERY_PLOT] + [learning(HISTORY, "accuracy", 1)]
    ids = [name for plot in plots for name in set(re.findall(r' id="([^"]+)"', plot.svg))]
    assert len(ids) >= len(plots)
    assert len(ids) == len(set(ids))


def test_equal_figures_give_the_same_drawing(metrics: Metrics) -> None:
    assert roc(metrics) == roc(metrics)


def test_roc_names_the_three_smallest_areas_and_the_pooled_one(metrics: Metrics) -> None:
    """Sit: 7 of 8 pairs are in the right order. Pooled: 64.5 of 72. The other two classes have no pair wrong."""
    assert texts(roc(metrics)) == [
        ("accent", "all classes, micro-averaged 0.896"),
        ("second", "sit 0.875"),
        ("third", "walk 1.000"),
        ("fourth", "nobody 1.000"),
    ]


def test_roc_draws_the_fourth_class_grey(metrics: Metrics) -> None:
    sit = metrics.classes[0]
    assert sit.roc is not None
    run = replace(sit, label="run", roc=replace(sit.roc, area=0.99))
    nobody = replace(metrics.classes[2], roc=None)
    four = roc(replace(metrics, classes=(*metrics.classes[:2], run, replace(run, label="jump"), nobody)))
    assert [text for _, text in texts(four)[1:]] == ["sit 0.875", "run 0.990", "jump 0.990", "the other classes"]


def test_roc_enlarges_the_corner_of_a_good_model(metrics: Metrics) -> None:
    assert len(lines(roc(metrics), "accent")) == 1
    good = replace(metrics, roc_micro=replace(metrics.roc_micro, area=0.91))
    assert len(lines(roc(good), "accent")) == 2


def test_roc_starts_at_the_lower_left_and_ends_at_the_upper_right(metrics: Metrics) -> None:
    (curve,) = lines(roc(metrics), "accent")
    assert curve[0] == pytest.approx([0.01 / 1.01, 0], abs=2e-4)
    assert curve[-1] == pytest.approx([1, 1 / 1.015], abs=2e-4)


def test_reliability_shows_accuracy_confidence_and_share_of_each_bin_with_windows(metrics: Metrics) -> None:
    bins = (
        ReliabilityBin(0.0, 0.5, windows=0, confidence=None, accuracy=None),
        ReliabilityBin(0.5, 0.8, windows=1, confidence=0.75, accuracy=0.5),
        ReliabilityBin(0.8, 1.0, windows=5, confidence=0.95, accuracy=0.9),
    )
    plot = reliability(replace(metrics, reliability=bins))
    low, high = lines(plot, "accent")
    assert [low[:, 1].max(), high[:, 1].max()] == shares(0.5, 0.9)
    assert [low[:, 0].mean(), high[:, 0].mean()] == pytest.approx([0.65, 0.9], abs=0.05)
    assert [line[0, 1] for line in lines(plot, "second")] == shares(0.75, 0.95)
    few, many = (bar for bar in lines(plot, "muted") if len(bar) > 2)
    assert np.ptp(many[:, 1]) == pytest.approx(5 * np.ptp(few[:, 1]), rel=0.02)


def test_selections_draw_coverage_and_accuracy_and_mark_the_models_threshold(metrics: Metrics) -> None:
    points = (Selection(0.0, 1.0, 0.5), Selection(0.5, 0.4, 0.75), Selection(1.0, 0.0, None))
    plot = selections(replace(metrics, selections=points, selection=Selection(0.25, 0.8, 0.6)))
    (coverage,), (accuracy,) = lines(plot, "second"), lines(plot, "accent")
    assert list(coverage[:, 1]) == shares(1, 0.4, 0)
    assert list(accuracy[:, 1]) == shares(0.5, 0.75)  # no window is left at the last threshold
    assert list(coverage[:, 0]) == shares(0, 0.5, 1, top=1)
    threshold = lines(plot, "muted")[-1]
    assert list(threshold[:, 0]) == shares(0.25, 0.25, top=1)
    assert texts(plot)[-1] == ("muted", "the model's threshold, 0.25")


def test_risk_is_drawn_over_coverage(metrics: Metrics) -> None:
    curve = RiskCoverage(coverages=(0.5, 1.0), risks=(0.1, 0.4), area=0.123)
    plot = risk_coverage(replace(metrics, risk_coverage=curve))
    (drawn,) = lines(plot, "accent")
    assert list(drawn[:, 0]) == shares(0.5, 1, top=1.01)
    assert drawn[1, 1] == pytest.approx(4 * drawn[0, 1], rel=0.01)
    assert "area 0.123" in plot.legend[0].text


def test_the_learning_curve_has_both_parts_and_the_best_epoch() -> None:
    plot = learning(HISTORY, "accuracy", 1)
    (training, *_), (validation,) = [
        [line for line in lines(plot, colour) if len(line) == 2] for colour in ("muted", "accent")
    ]
    assert list(training[:, 1]) == shares(0.2, 0.6)
    assert list(validation[:, 1]) == shares(0.3, 0.7)
    (best,) = lines(plot, "second")
    assert best[:, 0] == pytest.approx(validation[1, 0], abs=1e-3)
    assert texts(plot) == [("muted", "training"), ("accent", "validation"), ("second", "best epoch, 1")]


def test_a_learning_curve_without_validation_does_not_name_it() -> None:
    rows = [{key: value for key, value in row.items() if not key.startswith("val_")} for row in HISTORY]
    assert texts(learning(rows, "loss", None)) == [("muted", "training")]
