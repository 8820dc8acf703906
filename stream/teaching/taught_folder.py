"""What a folder says of the model in it that was taught: on what, and how well it recognizes."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

TAUGHT = "taught"
"""The folder of a taught model in the configuration's `state`, or how its name begins."""
EXPORT = "export.json"
TAUGHT_ON = "taught_on"
"""The key in the report with the model that was taught."""
NOTHING = "nothing"
"""What an example is taken for that looks like any background."""


class LearnedActivity(BaseModel):
    """How the examples of one activity are recognized by parts that have not learned them."""

    activity: str
    examples: int
    recognized: int
    """Examples whose mean score is the highest for the activity."""
    found: int
    """Examples in which an event of the activity starts, at the threshold."""
    threshold: float
    taken_for: dict[str, int]
    """What the other examples were taken for, and how many of them."""


class LearnedReport(BaseModel):
    """How well a taught model recognizes."""

    learned_at: str
    """ISO 8601, UTC."""
    activities: list[LearnedActivity]
    notes: list[str]
    """What may be taken for an activity, and false events: one sentence each."""
    warnings: list[str]
    """What is weak about the examples and the footage, and which activities cannot be told apart."""


def taught_on(name_or_path: str) -> str | None:
    """Return the model that a folder of a taught model was taught on, None for any other model."""
    found = _read(Path(name_or_path)).get(TAUGHT_ON)
    return found if isinstance(found, str) else None


def read_report(folder: Path, background: Collection[str]) -> LearnedReport | None:
    """Return the report of a taught model. None for any other folder. `background`: labels that are no activity."""
    report = _read(folder)
    try:
        return LearnedReport(
            learned_at=report["exported"],
            activities=[_activity(each, background) for each in report["cross_validation"]],
            notes=report["notes"],
            warnings=report["warnings"],
        )
    except (KeyError, TypeError, ValueError):
        return None


def without_background(taken_for: Mapping[str, int], background: Collection[str]) -> dict[str, int]:
    """Return the counts with one name for all background."""
    counts: dict[str, int] = {}
    for label, count in taken_for.items():
        name = NOTHING if label in background else label
        counts[name] = counts.get(name, 0) + count
    return counts


def _activity(each: Mapping[str, Any], background: Collection[str]) -> LearnedActivity:
    values = {"threshold": each["threshold"]["value"], "taken_for": without_background(each["taken_for"], background)}
    return LearnedActivity.model_validate({**each, **values})


def _read(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / EXPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
