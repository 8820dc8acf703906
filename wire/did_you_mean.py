"""Guesses which word was meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MIN_SIMILARITY = 0.7
"""The least similarity by difflib. `lcrn` suggests `lrcn` (0.75), but `gpu` does not suggest `cpu` (0.67)."""


def closest_word(word: str, candidates: Iterable[str]) -> str:
    """Return the candidate that is most similar to the word, or an empty string if none is similar."""
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=MIN_SIMILARITY)
    return by_lower[found[0]] if found else ""
