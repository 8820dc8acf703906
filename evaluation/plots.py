"""The curves of the report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from harstream.evaluation.drawing import COLOURS, DASHED, LegendEntry, Plot, figure_for_page, one_plot
from harstream.evaluation.metrics import Metrics, RocCurve, Selection

HIGHLIGHTS = ("second", "third", "fourth")


def roc(metrics: Metrics) -> Plot:
    """Draw a thin line per class, thicker ones for the micro-average and the three smallest areas."""
    curves = sorted(((each.label, each.roc) for each in metrics.classes if each.roc), key=lambda pair: pair[1].area)
    weakest = list(zip(curves, HIGHLIGHTS, strict=False))
    others = curves[len(HIGHLIGHTS) :]
    with one_plot("roc", "ROC curves") as (axes, drawing):
        axes.plot([0, 1], [0, 1], color=COLOURS["muted"], linewidth=0.8, linestyle=DASHED)
        for place in (axes, _corner(axes)) if metrics.roc_micro.area > 0.9 else (axes,):
            for _, curve in others:
                _plot_roc(place, curve, "muted", width=0.8)
            for (_, curve), colour in weakest:
                _plot_roc(place, curve, colour, width=1.4)
            _plot_roc(place, metrics.roc_micro, "accent", width=2.2)
        axes.set(xlim=(-0.01, 1), ylim=(0, 1.015), xlabel="false positive rate", ylabel="true positive rate")
    legend = [LegendEntry("accent", f"all classes, micro-averaged {metrics.roc_micro.area:.3f}")]
    legend += [LegendEntry(colour, f"{label} {curve.area:.3f}") for (label, curve), colour in weakest]
    legend += [LegendEntry("muted", "the other classes")] if others else []
    return Plot(drawing.getvalue(), tuple(legend))


def reliability(metrics: Metrics) -> Plot:
    """Draw accuracy over confidence, and below it the share of windows with that confidence."""
    with figure_for_page("reliability", "Reliability diagram") as (figure, drawing):
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        upper.plot([0, 1], [0, 1], color=COLOURS["muted"], linewidth=0.8, linestyle=DASHED)
        total = metrics.windows.rows
        for each in metrics.reliability:
            middle, width = (each.lower + each.upper) / 2, (each.upper - each.lower) * 0.86
            if each.accuracy is not None and each.confidence is not None:
                upper.bar(middle, each.accuracy, width, color=COLOURS["accent"], alpha=0.75)
                upper.hlines(each.confidence, middle - width / 2, middle + width / 2, color=COLOURS["second"])
                lower.bar(middle, each.windows / total, width, color=COLOURS["muted"])
        upper.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="accuracy")
        lower.set(xlabel="confidence (top score)", ylabel="share", yticks=[])
    return Plot(
        drawing.getvalue(),
        (LegendEntry("accent", "accuracy"), LegendEntry("second", "confidence: the bar should end here")),
    )


def selections(metrics: Metrics) -> Plot:
    """Draw the share of windows at or above each threshold, and the share of them that is right."""
    chosen = metrics.selection
    with one_plot("selections", "Coverage and accuracy over the threshold") as (axes, drawing):
        _plot_selections(axes, metrics.selections, "coverage", "second")
        _plot_selections(axes, metrics.selections, "accuracy", "accent")
        axes.axvline(chosen.threshold, color=COLOURS["muted"], linewidth=1, linestyle=DASHED)
        axes.plot(chosen.threshold, chosen.coverage, "o", color=COLOURS["second"], markersize=5)
        if chosen.accuracy is not None:
            axes.plot(chosen.threshold, chosen.accuracy, "o", color=COLOURS["accent"], markersize=5)
        axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="threshold on the top score", ylabel="share of windows")
    return Plot(
        drawing.getvalue(),
        (
            LegendEntry("second", "coverage: windows that reach the threshold"),
            LegendEntry("accent", "right among them"),
            LegendEntry("muted", f"the model's threshold, {chosen.threshold:g}"),
        ),
    )


def risk_coverage(metrics: Metrics) -> Plot:
    """Draw the share of wrong windows when only the most confident ones are taken."""
    chosen, curve = metrics.selection, metrics.risk_coverage
    with one_plot("risk-coverage", "Risk over coverage") as (axes, drawing):
        axes.plot(curve.coverages, curve.risks, color=COLOURS["accent"])
        if chosen.accuracy is not None:
            axes.plot(chosen.coverage, 1 - chosen.accuracy, "o", color=COLOURS["second"], markersize=5)
        axes.set(xlim=(0, 1.01), xlabel="coverage: share of windows taken", ylabel="risk: share of these that is wrong")
        axes.set_ylim(bottom=0)
    return Plot(
        drawing.getvalue(),
        (
            LegendEntry("accent", f"most confident first, area {curve.area:.3f}"),
            LegendEntry("second", f"at the model's threshold, {chosen.threshold:g}"),
        ),
    )


def learning(history: Sequence[Mapping[str, float]], quantity: str, best_epoch: int | None) -> Plot:
    """Draw `quantity` ("loss" or "accuracy") on training and validation clips, epoch by epoch."""
    with one_plot(f"learning-{quantity}", f"{quantity} by epoch") as (axes, drawing):
        for key, colour in ((quantity, "muted"), (f"val_{quantity}", "accent")):
            rows = [row for row in history if key in row]
            axes.plot([row["epoch"] for row in rows], [row[key] for row in rows], color=COLOURS[colour])
        if best_epoch is not None:
            axes.axvline(best_epoch, color=COLOURS["second"], linewidth=1, linestyle=DASHED)
            best = [row.get(f"val_{quantity}", math.nan) for row in history if row["epoch"] == best_epoch]
            axes.plot([best_epoch] * len(best), best, "o", color=COLOURS["second"], markersize=5)
        axes.set(xlabel="epoch", ylabel=quantity)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(0, 1.02) if quantity == "accuracy" else axes.set_ylim(bottom=0)
    legend = [LegendEntry("muted", "training")]
    if any(f"val_{quantity}" in row for row in history):
        legend.append(LegendEntry("accent", "validation"))
    if best_epoch is not None:
        legend.append(LegendEntry("second", f"best epoch, {best_epoch}"))
    return Plot(drawing.getvalue(), tuple(legend))


def _corner(axes: Axes) -> Axes:
    """Enlarge the upper left corner, where the curves of a good model are, into the empty half below the curves."""
    corner = axes.inset_axes((0.36, 0.14, 0.6, 0.6), xlim=(-0.002, 0.2), ylim=(0.8, 1.003), facecolor=COLOURS["card"])
    corner.set(xticks=(0, 0.1, 0.2), yticks=(0.8, 0.9, 1))
    return corner


def _plot_roc(axes: Axes, curve: RocCurve, colour: str, *, width: float) -> None:
    axes.plot(curve.false_positive_rates, curve.true_positive_rates, color=COLOURS[colour], linewidth=width)


def _plot_selections(axes: Axes, selections: Sequence[Selection], figure: str, colour: str) -> None:
    points = [(each.threshold, value) for each in selections if (value := getattr(each, figure)) is not None]
    axes.plot([threshold for threshold, _ in points], [value for _, value in points], color=COLOURS[colour])
