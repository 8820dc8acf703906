"""The settings that decide what the model sees of a camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harstream.models.box import WHOLE, Box

ViewKind = Literal["picture", "motion", "person"]
"""picture: all that the camera watches; motion: the box of what moves; person: a box around each person."""


@dataclass(frozen=True)
class ViewSettings:
    """What the model sees of a camera."""

    kind: ViewKind = "picture"
    region: Box = WHOLE
    """The part of the picture that is watched at all."""
