"""Writes reports as JSON that is easy to read and never incomplete."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from harstream.resilience.whole_file import write_whole


def write_report(path: Path, schema: str, provenance: Mapping[str, str], content: Mapping[str, object]) -> None:
    """Write a report. The folder must exist. Raises ValueError for a number that is not finite."""
    report = {"schema": schema, "provenance": provenance, **content}
    text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False)
    write_whole(path, _with_rows_on_one_line(text) + "\n")


def _with_rows_on_one_line(text: str) -> str:
    """Put each innermost list of numbers on one line, so that a matrix is easy to read.

    A line break never stands inside a JSON string, so no string changes.
    """
    return re.sub(r"\[\n([-\d.e,\s]+?)\n *\]", lambda found: f"[{' '.join(found.group(1).split())}]", text)
