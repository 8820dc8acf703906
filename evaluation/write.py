"""Reports to disk: JSON that reads well, and files that are never half there."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path


def as_json(content: Mapping[str, object]) -> str:
    """Indented, but a matrix row stands on one line; numbers are finite."""
    return _numbers_in_one_line(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


def write_whole(path: Path, text: str) -> None:
    """Whoever opens `path` finds the old text or the new one, never half of it."""
    # Not tempfile: its files can be read by their owner only, and a report is often served by someone else.
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        unfinished.write_text(text, encoding="utf-8")
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _numbers_in_one_line(text: str) -> str:
    """JSON with each innermost list of numbers on one line, so that a matrix reads as one.

    A line break never stands inside a JSON string, so no string is touched.
    """
    return re.sub(r"\[\n([-\d.e,\s]+?)\n *\]", lambda found: f"[{' '.join(found.group(1).split())}]", text)
