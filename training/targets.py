"""What a model learns to tell apart, and which of its labels each class is told as."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harstream.clips.listing import Clip
from harstream.models.contract import ModelContract


@dataclass(frozen=True)
class Targets:
    """Every label is one class, but for those, such as background, whose clips have fine labels."""

    classes: tuple[tuple[str, str], ...]
    """(label, fine label), in the order of the scores that are learned: that of the contract's labels."""
    label_of: tuple[int, ...]
    """For each class the index of its label."""

    @staticmethod
    def of(clips: Iterable[Clip], contract: ModelContract) -> Targets:
        found = {(clip.label, clip.fine_label) for clip in clips}
        classes = sorted(found, key=lambda names: (contract.labels.index(names[0]), names[1] or names[0]))
        return Targets(tuple(classes), tuple(contract.labels.index(label) for label, _ in classes))

    def index(self, clip: Clip) -> int:
        return self.classes.index((clip.label, clip.fine_label))

    def missing_in(self, clips: Sequence[Clip], part: str) -> list[str]:
        """Names of the classes without a clip in `part`, sorted."""
        there = {(clip.label, clip.fine_label) for clip in clips if clip.part == part}
        return sorted(fine or label for label, fine in {*self.classes} - there)
