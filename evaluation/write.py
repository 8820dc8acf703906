"""JSON of a report that reads well."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping


def as_json(content: Mapping[str, object]) -> str:
    """Indented, but a matrix row stands on one line; numbers are finite."""
    return _numbers_in_one_line(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


def _numbers_in_one_line(text: str) -> str:
    """JSON with each innermost list of numbers on one line, so that a matrix reads as one.

    A line break never stands inside a JSON string, so no string is touched.
    """
    return re.sub(r"\[\n([-\d.e,\s]+?)\n *\]", lambda found: f"[{' '.join(found.group(1).split())}]", text)
