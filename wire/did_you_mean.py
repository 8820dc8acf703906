"""Guesses which word was meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

LIKENESS = 0.7
"""The least likeness, by difflib: `lcrn` is taken for `lrcn` (0.75), but `gpu` is not for `cpu` (0.67)."""


def closest(came: str, possible: Iterable[str]) -> str:
    """Return the possible word that is most like what came; empty where none is alike."""
    by_lower = {word.lower(): word for word in possible}
    found = get_close_matches(came.lower(), by_lower, n=1, cutoff=LIKENESS)
    return by_lower[found[0]] if found else ""
