"""Shows several streams to a pipeline at the same time, like the cameras of one house."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from harstream.wire.values import Frame


def side_by_side(streams: Sequence[Iterator[Frame]]) -> Iterator[list[Frame]]:
    """Yield batches with the next frame of each stream, decoded while the previous batch is recognized.

    `run` takes whatever is ready. Here, all streams advance together, so that equal runs have equal batches and scores.
    """
    with ThreadPoolExecutor(max(len(streams), 1)) as decoders:
        going = list(streams)
        coming = [decoders.submit(next, frames, None) for frames in going]
        while coming:
            shown = [future.result() for future in coming]
            going = [frames for frames, frame in zip(going, shown, strict=True) if frame]
            coming = [decoders.submit(next, frames, None) for frames in going]
            yield [frame for frame in shown if frame]
