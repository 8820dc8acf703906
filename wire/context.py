"""What every message says about the node that sends it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from harstream.models.contract import ModelContract
from harstream.wire.messages.message import EventWindowMessage, ModelMessage


@dataclass(frozen=True)
class Context:
    """The facts about a node and its model. They stay the same for the whole run."""

    node: str
    areas: Mapping[str, str | None]
    """The room that each camera watches. A camera without a room may be missing."""
    contract: ModelContract
    model_sha256: str
    version: str
    """The version of harstream."""
    stride_s: float | None = None
    """Seconds from one recognition to the next. None means one recognition for each frame of the model's grid."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """What people call a camera. A camera without a title may be missing."""
    following: frozenset[str] = frozenset()
    """The cameras in front of which each person is followed."""

    @cached_property
    def model(self) -> ModelMessage:
        return ModelMessage(name=self.contract.name, version=self.contract.version, sha256=self.model_sha256)

    @cached_property
    def event_window(self) -> EventWindowMessage:
        # A gap empties the window, so a window that led to an event has no gap.
        return EventWindowMessage(frames=self.contract.frames, span_s=self.span, gaps=0)

    @cached_property
    def labels_sha(self) -> str:
        return labels_sha(self.contract)

    @property
    def span(self) -> float | None:
        """Seconds from the first to the last frame of a window. None for a model without a rate."""
        return None if self.contract.rate is None else self.contract.span

    @property
    def stride(self) -> float | None:
        """Seconds from one recognition to the next. None if it is not known."""
        if self.stride_s is not None or self.contract.rate is None:
            return self.stride_s
        return 1 / self.contract.rate


def labels_sha(contract: ModelContract) -> str:
    """Return the first 12 hex digits of the SHA-256 of the labels, joined by line feeds."""
    return hashlib.sha256("\n".join(contract.labels).encode()).hexdigest()[:12]
