"""The classes that a model learns, and the label of each class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harstream.clips.listing import Clip
from harstream.models.contract import ModelContract

STILL = "still"
"""The fine label of still pictures."""


@dataclass(frozen=True)
class LearnedClasses:
    """The learned classes. A label is one class, or several if its clips have fine labels, such as background."""

    classes: tuple[tuple[str, str], ...]
    """(label, fine label) of each class, in the order of the learned scores, which follows the contract's labels."""
    label_of: tuple[int, ...]
    """The index of the label of each class."""
    still: tuple[str, str] | None = None
    """The class of still pictures, which are made while training. None if there are none."""

    @staticmethod
    def of(clips: Iterable[Clip], contract: ModelContract, still: tuple[str, str] | None = None) -> LearnedClasses:
        found = {(clip.label, clip.fine_label) for clip in clips} | ({still} if still else set())
        classes = sorted(found, key=lambda names: (contract.labels.index(names[0]), names[1] or names[0]))
        return LearnedClasses(tuple(classes), tuple(contract.labels.index(label) for label, _ in classes), still)

    def index(self, clip: Clip) -> int:
        return self.classes.index((clip.label, clip.fine_label))

    def missing_in(self, clips: Sequence[Clip], part: str) -> list[str]:
        """Return the names of the classes without a clip in `part`, sorted. Still pictures need no clips."""
        there = {(clip.label, clip.fine_label) for clip in clips if clip.part == part} | {self.still}
        return sorted(fine or label for label, fine in {*self.classes} - there)
