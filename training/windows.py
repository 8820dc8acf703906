"""Windows cut from decoded clips: at the model's rate with random phase and rate, or evenly over the clip."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from models.contract import ModelContract
from training.cache import DecodedClip

STRETCH = (0.8, 1.25)
"""A camera that is a bit off, a person who is a bit faster: windows are also cut at these times the model's rate."""


def even_indices(length: int, frames: int) -> NDArray[np.intp]:
    """Every max(length // frames, 1)-th frame, the papers' way."""
    return np.arange(frames) * max(length // frames, 1)


def grid_indices(times: NDArray[np.float64], start: float, rate: float, frames: int) -> NDArray[np.intp]:
    """The frames nearest to start, start + 1/rate, ...; `times` (n,) seconds, increasing."""
    grid = start + np.arange(frames) / rate
    right = np.clip(np.searchsorted(times, grid), 1, len(times) - 1)
    return np.where(grid - times[right - 1] <= times[right] - grid, right - 1, right)


def random_window(clip: DecodedClip, contract: ModelContract, random: np.random.Generator) -> NDArray[np.uint8]:
    """(T, H, W, 3) from anywhere in the clip; a clip too short for the rate drawn is sampled as slowly as it allows."""
    if contract.rate is None:
        return clip.frames[even_indices(len(clip.times), contract.frames)]
    rate = max(contract.rate / random.uniform(*STRETCH), _slowest_rate(clip, contract))
    start = random.uniform(0, _slack(clip, contract, rate))
    return clip.frames[grid_indices(clip.times, start, rate, contract.frames)]


def _slowest_rate(clip: DecodedClip, contract: ModelContract) -> float:
    """Hertz at which one window takes the whole clip."""
    return (contract.frames - 1) / float(clip.times[-1])


def _slack(clip: DecodedClip, contract: ModelContract, rate: float) -> float:
    """Seconds of the clip that a window leaves; of one that takes it all 0, where floats would give -2e-16."""
    slack = float(clip.times[-1]) - (contract.frames - 1) / rate
    return slack if slack > 1e-6 else 0.0


def fixed_windows(clip: DecodedClip, contract: ModelContract, count: int) -> list[NDArray[np.uint8]]:
    """`count` windows spread evenly over the clip at the model's rate; one of a clip that has no room for more."""
    if contract.rate is None:
        return [clip.frames[even_indices(len(clip.times), contract.frames)]]
    rate = max(contract.rate, _slowest_rate(clip, contract))
    slack = _slack(clip, contract, rate)
    starts = np.linspace(0, slack, count + 2)[1:-1] if slack > 0 else np.zeros(1)
    return [clip.frames[grid_indices(clip.times, start, rate, contract.frames)] for start in starts]


def augment(window: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """What another camera would see: mirrored, nearer or farther, shifted, tilted, in other colours, lighter, darker,
    grey, half hidden, noisy.

    One draw for the whole window (T, H, W, 3); only the noise differs from frame to frame.
    """
    T, H, W, C = window.shape
    warp = _warp(H, W, random)
    frames = np.empty_like(window)
    for t in range(T):
        cv2.warpAffine(window[t], warp, (W, H), frames[t], cv2.INTER_LINEAR, cv2.BORDER_REFLECT_101)
    if random.random() < 0.2:
        frames = frames[..., random.permutation(C)]
    if random.random() < 0.25:
        frames[:] = frames[..., 1:2]  # green stands for luminance
    if random.random() < 0.3:
        _hide_a_part(frames, random)
    frames = _relit(frames, random)
    return _noisy(frames, random) if random.random() < 0.3 else frames


def _relit(frames: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Another contrast, brightness and tint, as one table for each channel."""
    contrast, mean = random.uniform(0.7, 1.3), float(frames.mean())
    gain = random.uniform(0.7, 1.3) * random.uniform(0.9, 1.1, size=frames.shape[-1])
    levels = ((np.arange(256) - mean) * contrast + mean)[:, None] * gain
    table = np.clip(levels, 0, 255).astype(np.uint8)
    return np.stack([table[frames[..., channel], channel] for channel in range(frames.shape[-1])], axis=-1)


def _noisy(frames: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    strength = int(random.integers(2, 14))  # evenly in +-strength grey levels: a deviation of 1 to 7
    noise = random.integers(-strength, strength + 1, size=frames.shape, dtype=np.int8)
    return np.asarray(np.clip(frames.astype(np.int16) + noise, 0, 255), dtype=np.uint8)


def in_another_place(
    window: NDArray[np.uint8], place: NDArray[np.uint8], random: np.random.Generator
) -> NDArray[np.uint8]:
    """Half of the time, lay one still picture (H, W, 3) of another clip over all frames (T, H, W, 3) of a window.

    What moves still moves; where it is no longer tells the class. Without it, models learn scenes: they knew Diving by
    its pool and found none of the jumping jacks of unseen people.
    Source: Wang et al. 2021, "Removing the background by adding the background", eq. 1.
    """
    if random.random() < 0.5:
        return window
    share = random.uniform(0, 0.6)
    laid = [cv2.addWeighted(frame, 1 - share, place, share, 0) for frame in window]
    return np.asarray(laid, dtype=np.uint8)


def _hide_a_part(frames: NDArray[np.uint8], random: np.random.Generator) -> None:
    """Something stands before the camera: one grey box over all frames, so that no single spot tells the class.

    Changes `frames`. Source: Zhong et al. 2020, "Random erasing", with one box a window.
    """
    _, H, W, _ = frames.shape
    height, width = random.integers(H // 8, H // 2), random.integers(W // 8, W // 2)
    top, left = random.integers(0, H - height), random.integers(0, W - width)
    frames[:, top : top + height, left : left + width] = random.integers(0, 256)


def _warp(height: int, width: int, random: np.random.Generator) -> NDArray[np.float64]:
    scale, aspect = random.uniform(0.8, 1.6), random.uniform(0.8, 1.25)
    warp = cv2.getRotationMatrix2D((width / 2, height / 2), random.uniform(-6, 6), scale)
    warp[0] *= aspect
    warp[0, 2] += width / 2 * (1 - aspect) + random.uniform(-0.1, 0.1) * width
    warp[1, 2] += random.uniform(-0.1, 0.1) * height
    if random.random() < 0.5:
        warp[0] = -warp[0] + [0, 0, width - 1]
    return np.asarray(warp, dtype=np.float64)


class TrainingWindows(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of fresh windows, the same for the same (seed, epoch, batch), so that a resumed run sees what it would
    have seen."""

    def __init__(
        self,
        clips: Sequence[DecodedClip],
        contract: ModelContract,
        *,
        batch: int,
        windows_per_clip: int,
        augmented: bool,
        seed: int,
    ) -> None:
        super().__init__(workers=1)
        self.clips = clips
        self.contract = contract
        self.batch = batch
        self.augmented = augmented
        self.seed = seed
        self.epoch = 0
        """Set before each epoch by whoever trains."""
        self._visits = np.repeat(np.arange(len(clips)), windows_per_clip)
        self._truth = np.array([contract.labels.index(clip.clip.label) for clip in clips])

    def __len__(self) -> int:
        return -(-len(self._visits) // self.batch)

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self._visits)
        chosen = order[index * self.batch : (index + 1) * self.batch]
        random = np.random.default_rng([self.seed, self.epoch, index])
        windows = [self._window(self.clips[clip], random) for clip in chosen]
        return np.stack(windows), np.eye(len(self.contract.labels), dtype=np.float32)[self._truth[chosen]]

    def _window(self, clip: DecodedClip, random: np.random.Generator) -> NDArray[np.uint8]:
        window = random_window(clip, self.contract, random)
        if not self.augmented:
            return window
        other = self.clips[int(random.integers(len(self.clips)))].frames
        return augment(in_another_place(window, other[random.integers(len(other))], random), random)


def stacked(
    clips: Sequence[DecodedClip], contract: ModelContract, count: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The fixed windows (N, T, H, W, 3) of some clips and their one-hot labels (N, K)."""
    windows, truth = [], []
    for clip in clips:
        cut = fixed_windows(clip, contract, count)
        windows += cut
        truth += [contract.labels.index(clip.clip.label)] * len(cut)
    return np.stack(windows), np.eye(len(contract.labels), dtype=np.float32)[truth]
