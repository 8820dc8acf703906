"""What the tests of `harstream teach` share."""

from __future__ import annotations

from collections.abc import Callable

GREYS = (116, 120, 124, 128, 132)
"""Brightness of the examples of the activity Grey."""
Command = Callable[..., tuple[int, str]]
