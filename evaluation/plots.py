"""The curves of the report, as SVG text inside the page, with its fonts and its light and dark colours.

The drawings contain no class names. The page writes and escapes them itself, in a legend that wraps on a phone. So
no name is read as a formula of matplotlib, and no glyph is missing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from harstream.evaluation.metrics import Metrics, RocCurve, Selection

COLOURS = {
    "card": "#fefefe",
    "ink": "#1a2333",
    "muted": "#7b8698",
    "rule": "#d5dae2",
    "accent": "#2a5bd7",
    "second": "#d9622b",
    "third": "#0f8f7e",
    "fourth": "#a23cb0",
}
"""The CSS variables of the page, with the colours that stand for them until `_for_page` inserts the variables."""

DASHED = (0, (3, 3))
HIGHLIGHTS = ("second", "third", "fourth")

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 11,
    "figure.facecolor": "none",
    "axes.axisbelow": True,
    "axes.edgecolor": COLOURS["muted"],
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": COLOURS["muted"],
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "grid.color": COLOURS["rule"],
    "grid.linewidth": 0.6,
    "text.color": COLOURS["ink"],
    "xtick.bottom": False,
    "xtick.labelcolor": COLOURS["muted"],
    "ytick.labelcolor": COLOURS["muted"],
    "ytick.left": False,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
}

WIDTH, HEIGHT = 5.0, 3.7
"""In inches. The width is that of a phone in CSS pixels, so that text hardly shrinks there."""


@dataclass(frozen=True)
class LegendEntry:
    colour: str
    """A key of COLOURS."""
    text: str


@dataclass(frozen=True)
class Plot:
    svg: str
    legend: tuple[LegendEntry, ...]


def roc(metrics: Metrics) -> Plot:
    """Draw a thin line per class, thicker ones for the micro-average and the three smallest areas."""
    curves = sorted(((each.label, each.roc) for each in metrics.classes if each.roc), key=lambda pair: pair[1].area)
    weakest = list(zip(curves, HIGHLIGHTS, strict=False))
    others = curves[len(HIGHLIGHTS) :]
    with _axes("roc", "ROC curves") as (axes, drawing):
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
    with _figure("reliability", "Reliability diagram") as (figure, drawing):
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
    with _axes("selections", "Coverage and accuracy over the threshold") as (axes, drawing):
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
    with _axes("risk-coverage", "Risk over coverage") as (axes, drawing):
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
    with _axes(f"learning-{quantity}", f"{quantity} by epoch") as (axes, drawing):
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


@contextmanager
def _axes(name: str, description: str) -> Iterator[tuple[Axes, StringIO]]:
    with _figure(name, description) as (figure, drawing):
        yield figure.subplots(), drawing


@contextmanager
def _figure(name: str, description: str) -> Iterator[tuple[Figure, StringIO]]:
    """Give an empty figure, and a text that contains its SVG after the block.

    `name` is the salt of the ids inside the SVG, which would otherwise be equal in two plots of one page.
    """
    page_svg = StringIO()
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        yield figure, page_svg
        whole_file = StringIO()
        figure.savefig(whole_file, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    page_svg.write(_for_page(whole_file.getvalue(), description))


def _for_page(svg: str, description: str) -> str:
    """Turn an SVG file of matplotlib into an element of a page, without its own size, fonts and styles."""
    head = f'<svg viewBox="0 0 {WIDTH * 72:g} {HEIGHT * 72:g}" role="img" aria-label="{description}">'
    svg = re.sub(r"^.*?<svg [^>]*>", head, svg, count=1, flags=re.DOTALL)
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)  # a style would apply to the whole page
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    svg = re.sub(r' transform="rotate\(-0 [^"]*"', "", svg)
    svg = re.sub(r"<[^>]*>", lambda tag: re.sub(r"-?\d+\.\d{3,}", _rounded, tag.group()), svg)  # not the tick labels
    svg = re.sub(r' id="([^"]+)"', lambda found: found.group() if f"#{found.group(1)}" in svg else "", svg)
    for name, colour in COLOURS.items():
        svg = svg.replace(colour, f"var(--{name})")
    return re.sub(r"\s*\n\s*", " ", svg).replace("> <", "><")


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number.group()):.2f}".rstrip("0").rstrip(".")
