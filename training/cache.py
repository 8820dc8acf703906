"""Decodes each clip once and keeps its model frames and their times on disk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from harstream.clips.listing import Clip
from harstream.clips.video import VideoError, pictures
from harstream.models.contract import ModelContract
from harstream.models.sampling import slowest_rate
from harstream.resilience.whole_file import atomic_path


@dataclass(frozen=True, eq=False)
class DecodedClip:
    clip: Clip
    times: NDArray[np.float64]
    """(n,) seconds since the first frame, increasing."""
    frames: NDArray[np.uint8]
    """(n, H, W, 3) RGB, memory-mapped. It must not be modified."""


@dataclass(frozen=True)
class Rejected:
    """A clip that cannot be trained on, and why."""

    clip: Clip
    reason: str


def decode_all(
    clips: Sequence[Clip], contract: ModelContract, folder: Path
) -> tuple[list[DecodedClip], list[Rejected]]:
    """Decode the clips that are not in the cache `folder`, with a progress bar. The order of `clips` is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # FFmpeg releases the GIL while it decodes
        jobs = pool.map(lambda clip: _decoded(clip, contract, folder), clips)
        results = list(track(jobs, description="decoding clips", total=len(clips)))
    return (
        [result for result in results if isinstance(result, DecodedClip)],
        [result for result in results if isinstance(result, Rejected)],
    )


def _decoded(clip: Clip, contract: ModelContract, folder: Path) -> DecodedClip | Rejected:
    if not clip.path.is_file():
        return Rejected(clip, "does not exist any more, or is a broken link")
    entry = folder / _key(clip.path, contract)
    frames_file, times_file = entry.with_suffix(".frames.npy"), entry.with_suffix(".times.npy")
    if not (frames_file.exists() and times_file.exists()):
        try:
            times, frames = _decode(clip.path, contract)
        except VideoError as error:
            return Rejected(clip, str(error))
        _write(times_file, times)
        _write(frames_file, frames)
    times = np.load(times_file)
    if len(times) < contract.frames:
        return Rejected(clip, f"too short: {len(times)} frames, a window needs {contract.frames}")
    if contract.rate and slowest_rate(times, contract.rate, contract.frames) is None:
        return Rejected(clip, f"a window needs {contract.frames} frames without a gap, but every stretch is shorter")
    return DecodedClip(clip, times, np.load(frames_file, mmap_mode="r"))


def _decode(path: Path, contract: ModelContract) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    times, frames = [], []
    for time, picture in pictures(path):
        times.append(time)
        frames.append(picture.model_frame(contract.height, contract.width))
    return np.array(times), np.stack(frames)


def _key(path: Path, contract: ModelContract) -> str:
    """Return the name of an entry. Another file, version of the file, transform or size gives another name."""
    stat = path.stat()
    parts = (path.resolve(), stat.st_size, stat.st_mtime_ns, contract.transform, contract.height, contract.width)
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:24]


def _write(path: Path, array: NDArray[np.generic]) -> None:
    """Write the array aside and rename it, so that a killed run leaves no partial entry."""
    with atomic_path(path) as unfinished, unfinished.open("wb") as file:
        np.save(file, array)
