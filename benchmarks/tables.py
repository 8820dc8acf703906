"""The table of a benchmark, for docs/performance.md and for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Table:
    name: str
    """The name of the benchmark for --only."""
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: str
    """What is compared, under which conditions."""
    picture: Path | None = None


def milliseconds(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{1000 * seconds:.{0 if seconds >= 0.1 else 1 if seconds >= 0.01 else 2}f}"


def ratio(share: float) -> str:
    return f"{share:.{1 if share >= 10 else 2 if share >= 0.1 else 3}f}"
