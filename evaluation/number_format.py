"""Writes numbers with their units for reports and tables, with a no-break space between them."""

from __future__ import annotations

import math

UNDEFINED = "–"


def percent(share: float | None) -> str:
    """Write 0.5 as 50.0 %."""
    return _written(share, 100, 1, "\N{NO-BREAK SPACE}%")


def seconds(value: float | None) -> str:
    """Write 1.24 as 1.2 s."""
    return _written(value, 1, 1, "\N{NO-BREAK SPACE}s")


def decimal(value: float | None, places: int = 3) -> str:
    return _written(value, 1, places, "")


def _written(value: float | None, factor: float, places: int, unit: str) -> str:
    return UNDEFINED if value is None or math.isnan(value) else f"{factor * value:.{places}f}{unit}"
