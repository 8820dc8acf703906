"""Turns pictures of one camera or file into the scores of each window, without tracking activities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harstream.models.contract import ModelContract
from harstream.models.picture import Picture
from harstream.models.sampling import Taken, TimeGrid
from harstream.stream.recognition.onnx_runtime import with_lookback
from harstream.stream.recognition.protocols import Recognizer
from harstream.stream.recognition.window import Window
from harstream.wire.values import Scores


@dataclass(frozen=True, eq=False)
class GridFrame:
    """A frame on the model's time grid."""

    time: float
    """Seconds."""
    frame: NDArray[np.uint8]
    """RGB (H, W, 3) uint8 in the contract's size."""
    taken: Taken


def grid_frames(pictures: Iterable[tuple[float, Picture]], contract: ModelContract) -> Iterator[GridFrame]:
    """Yield the frames on the model's time grid. `pictures`: pairs of seconds and picture.

    Raises ContractError for a model without a rate.
    """
    grid = TimeGrid(contract.live_rate)
    for time, picture in pictures:
        if taken := grid.take(time):
            yield GridFrame(time, picture.model_frame(contract.height, contract.width), taken)


def window_scores(frames: Iterable[GridFrame], recognizer: Recognizer, *, at_once: int = 1) -> Iterator[Scores]:
    """Yield the scores of every complete window, as a stream with stride 1 does.

    `at_once`: frames encoded together. With 1, each window is yielded as soon as its last frame comes.
    """
    contract, lookback = recognizer.contract, recognizer.lookback
    looked_back = lookback / contract.rate if contract.rate else 0.0
    window = Window(contract.frames - lookback, recognizer.row_shape, recognizer.row_dtype)
    earlier: list[NDArray[np.uint8]] = []
    for chunk in _chunks(frames, at_once):
        if chunk[0].taken is Taken.FIRST:
            window.clear()
            earlier = []
        seen = np.stack([*earlier, *(each.frame for each in chunk)])
        earlier = [chunk[-1].frame] if lookback else []
        if len(seen) <= lookback:
            continue
        rows = recognizer.encode(with_lookback(seen, lookback))
        for row, each in zip(rows, chunk[-len(rows) :], strict=True):
            window.push(row, each.time)
            if window.is_complete():
                values = recognizer.score(window.rows()[np.newaxis])[0]
                yield Scores(values, each.time, window.span() + looked_back, contract.labels)


def _chunks(frames: Iterable[GridFrame], size: int) -> Iterator[list[GridFrame]]:
    """Yield chunks of at most `size` frames. The first frame after a gap begins a new chunk."""
    chunk: list[GridFrame] = []
    for frame in frames:
        if chunk and frame.taken is Taken.FIRST:
            yield chunk
            chunk = []
        chunk.append(frame)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
