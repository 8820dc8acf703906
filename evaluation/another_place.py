"""Measures what a model that sees the place makes of clips in another place, as if their people had moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from harstream.clips.listing import Clip
from harstream.clips.video import pictures
from harstream.evaluation.clip_runner import predictions
from harstream.evaluation.labelled_scores import LabelledScores
from harstream.evaluation.other_clip import other_clip
from harstream.models.contract import ModelContract
from harstream.models.picture import Picture
from harstream.stream.recognition.protocols import PartEncoder, Recognizer
from harstream.stream.recognition.views.settings import ViewKind

ANOTHER_PLACE = "another place"
PlaceOf = Callable[[Clip], Clip]


def sees_place(contract: ModelContract) -> bool:
    return any(part.sees_place for part in contract.parts)


def predictions_elsewhere(clips: Sequence[Clip], recognizer: Recognizer, view: ViewKind | None) -> LabelledScores:
    """Return the scores of all windows, where each part that sees the place sees that of a clip of background.

    Raises ListingError if there are no two clips of background.
    """

    def place_of(clip: Clip) -> Clip:
        return other_clip(ANOTHER_PLACE, clip, clips, recognizer.contract, of_background=True)

    elsewhere = _Elsewhere(recognizer, place_of)
    found, _ = predictions(clips, elsewhere, view=view, open_clip=elsewhere.open_clip, at_once=1)
    return found


class _Elsewhere:
    """A Recognizer whose parts see one other place while a clip is shown."""

    def __init__(self, recognizer: Recognizer, place_of: PlaceOf) -> None:
        self.contract, self.lookback = recognizer.contract, recognizer.lookback
        self.row_shape, self.row_dtype = recognizer.row_shape, recognizer.row_dtype
        self.encode, self.score = recognizer.encode, recognizer.score
        pairs = [*zip(recognizer.contract.parts, recognizer.parts, strict=True)]
        self._moved = [_MovedPart(encoder) for part, encoder in pairs if part.sees_place]
        moved = iter(self._moved)
        self.parts = [next(moved) if part.sees_place else encoder for part, encoder in pairs]
        self._place_of = place_of

    def open_clip(self, clip: Clip) -> Iterable[tuple[float, Picture]]:
        """Move to the clip's other place, and return the clip's pictures. One clip at a time may be shown."""
        every = [picture for _, picture in pictures(self._place_of(clip).path)]
        for part in self._moved:
            part.move_to(every[len(every) // 2])
        return pictures(clip.path)


class _MovedPart:
    """A PartEncoder that always sees the same picture."""

    def __init__(self, encoder: PartEncoder) -> None:
        self.every, self.size, self.blank = encoder.every, encoder.size, encoder.blank
        self._encoder = encoder
        self._numbers = encoder.blank[np.newaxis]

    def move_to(self, picture: Picture) -> None:
        self._numbers = self._encoder.see(picture.model_frame(*self.size)[np.newaxis])

    def see(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.repeat(self._numbers, len(pictures), axis=0)
