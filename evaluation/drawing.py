"""Drawings for a page: SVG text with the page's fonts and its light and dark colours.

The drawings contain no names from outside. The page writes and escapes them itself, in a legend that wraps on a phone.
So no name is read as a formula of matplotlib, and no glyph is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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


@contextmanager
def one_plot(name: str, description: str) -> Iterator[tuple[Axes, StringIO]]:
    """Give empty axes, and a text that contains the SVG after the block, as `figure_for_page`."""
    with figure_for_page(name, description) as (figure, drawing):
        yield figure.subplots(), drawing


@contextmanager
def figure_for_page(name: str, description: str) -> Iterator[tuple[Figure, StringIO]]:
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
