"""Did you mean ...?"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

LIKENESS = 0.7
"""By difflib: `lcrn` is `lrcn` (0.75), but `gpu` (0.67) is not `cpu`."""


def closest(came: str, possible: Iterable[str]) -> str:
    """The one of `possible` that is most like what came; empty where none is."""
    by_lower = {word.lower(): word for word in possible}
    found = get_close_matches(came.lower(), by_lower, n=1, cutoff=LIKENESS)
    return by_lower[found[0]] if found else ""
