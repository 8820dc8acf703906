"""Pictures of one camera or file to the scores of each window, without activities and events."""

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
    """RGB (H, W, 3), as the contract sizes it."""
    taken: Taken


def grid_frames(pictures: Iterable[tuple[float, Picture]], contract: ModelContract) -> Iterator[GridFrame]:
    """Yield the frames that the model takes of pictures with their times in seconds.

    Raises ContractError for a model without a rate.
    """
    grid = TimeGrid(contract.live_rate)
    for time, picture in pictures:
        if taken := grid.take(time):
            yield GridFrame(time, picture.model_frame(contract.height, contract.width), taken)


def window_scores(frames: Iterable[GridFrame], recognizer: Recognizer, *, at_once: int = 1) -> Iterator[Scores]:
    """Yield the scores of every window that is complete, as a stream with stride 1 scores them.

    `at_once`: frames that are encoded together; 1 yields each window as soon as its last frame comes.
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
    """Yield at most `size` frames at once; each first frame of a stretch begins a chunk."""
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
