"""Declares the seven settings that decide when an activity starts and ends.

config.yaml, its JSON Schema and the command line take names, limits, defaults and descriptions from this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields

END_SHARE = 0.625
"""Default of `end_below`, as a share of `start_above`: 0.5 for the papers' 0.80."""


@dataclass(frozen=True)
class Limits:
    """The description of one setting and the range of its values."""

    description: str
    """The comment in config.yaml, at most one sentence."""
    when_null: str = ""
    """The meaning of null in config.yaml; empty if null is not allowed."""
    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None


def _share(description: str, when_null: str) -> dict[str, Limits]:
    return {"limits": Limits(description, when_null, at_least=0, at_most=1)}


def _seconds(description: str) -> dict[str, Limits]:
    return {"limits": Limits(description, at_least=0, at_most=86400)}


def _positive_seconds(description: str) -> dict[str, Limits]:
    return {"limits": Limits(description, above=0)}


@dataclass(frozen=True)
class TrackerSettings:
    """Times are in seconds. Thresholds are on the smoothed score, 0 to 1."""

    start_above: float = field(metadata=_share("an activity starts at this score", "the model's own threshold"))
    end_below: float = field(metadata=_share("it ends below this score", f"{END_SHARE:g} times start_above"))
    hold: float = field(default=1.0, metadata=_seconds("a start needs the activity to last this long"))
    """Time above `end_below`, counted from the middle of the first such window."""
    gone: float = field(default=1.5, metadata=_seconds("after this time below end_below it needs start_above again"))
    merge: float = field(default=2.0, metadata=_seconds("the same activity again within this time is one event"))
    """The end of an event is published after this time."""
    update: float = field(default=5.0, metadata=_seconds("at most one update event in this time"))
    max_duration: float = field(default=3600.0, metadata=_positive_seconds("a longer activity ends and starts again"))
    overrides: Mapping[str, TrackerSettings] = field(default_factory=dict)
    """Complete settings by activity; they have no overrides of their own."""

    def of(self, activity: str) -> TrackerSettings:
        """Return the settings of one activity."""
        return self.overrides.get(activity, self)


@dataclass(frozen=True)
class Setting:
    """The declaration of one of the seven settings."""

    limits: Limits
    default: float | None
    """None if the setting has no fixed default."""


def declared() -> dict[str, Setting]:
    """Return the seven settings by name, in the order of their declaration."""
    return {
        one.name: Setting(one.metadata["limits"], None if one.default is MISSING else one.default)
        for one in fields(TrackerSettings)
        if "limits" in one.metadata
    }
