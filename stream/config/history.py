"""The section `history`: the store of past activities."""

from __future__ import annotations

from pydantic import Field

from harstream.stream.config.section import Section


class HistoryConfig(Section):
    enabled: bool = Field(
        default=True,
        description="store past activities; without them, a kill leaves an open activity without an end event",
    )
    days: float = Field(default=30.0, gt=0, le=36500, description="older activities are deleted")
