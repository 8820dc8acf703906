"""Chooses the clip that is shown beside a clip, or in whose place a clip is seen."""

from __future__ import annotations

import random
from collections.abc import Sequence

from harstream.clips.listing import Clip, ListingError
from harstream.models.contract import ModelContract

SEED = 27


def other_clip(
    kind: str, clip: Clip, clips: Sequence[Clip], contract: ModelContract, *, of_background: bool
) -> Clip:  # fmt: skip
    """Return another clip for a clip: of another cluster, and of another class if there is one.

    `kind`: what it is for. The same clips always give the same one. Raises ListingError if there is none.
    """
    fit = [
        each
        for each in clips
        if (each.label in contract.background) == of_background and (each.label, each.group) != (clip.label, clip.group)
    ]
    if not fit:
        wanted = "--background with clips of several groups" if of_background else "--data with clips of several groups"
        raise ListingError(f"expected a second clip to put beside {clip.path} for {kind}, found none: give {wanted}")
    others = [each for each in fit if each.class_name != clip.class_name]
    return random.Random(f"{SEED}:{kind}:{clip.path.name}").choice(others or fit)
