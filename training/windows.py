"""Windows cut from decoded clips: at the model's rate with random phase and rate, or evenly over the clip."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from harstream.models.contract import ModelContract
from harstream.training.augmentation import Augmentation, augment, in_another_place
from harstream.training.cache import DecodedClip
from harstream.training.targets import Targets

STRETCH = (0.8, 1.25)
"""A camera that is a bit off, a person who is a bit faster: windows are also cut at these times the model's rate."""
MOST = 0.7
"""The least share of a clip over which the frames of a window without a rate are spread in training."""


def even_indices(length: int, frames: int) -> NDArray[np.intp]:
    """Every max(length // frames, 1)-th frame, the papers' way."""
    return np.arange(frames) * max(length // frames, 1)


def grid_indices(times: NDArray[np.float64], start: float, rate: float, frames: int) -> NDArray[np.intp]:
    """The frames nearest to start, start + 1/rate, ...; `times` (n,) seconds, increasing."""
    grid = start + np.arange(frames) / rate
    right = np.clip(np.searchsorted(times, grid), 1, len(times) - 1)
    return np.where(grid - times[right - 1] <= times[right] - grid, right - 1, right)


def random_window(clip: DecodedClip, contract: ModelContract, random: np.random.Generator) -> NDArray[np.uint8]:
    """(T, H, W, 3) from anywhere in the clip; a clip too short for the rate drawn is sampled as slowly as it allows.
    For a model without a rate evenly over most of the clip, at least MOST, and no frame twice."""
    if contract.rate is None:
        last = len(clip.times) - 1
        taken = max(random.uniform(MOST, 1) * last, contract.frames - 1)
        start = random.uniform(0, last - taken)
        return clip.frames[np.linspace(start, start + taken, contract.frames).round().astype(np.intp)]
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


class TrainingWindows(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of fresh windows, the same for the same (seed, epoch, batch), so that a resumed run sees what it would
    have seen."""

    def __init__(
        self,
        clips: Sequence[DecodedClip],
        contract: ModelContract,
        targets: Targets,
        *,
        batch: int,
        windows_per_clip: int,
        augmentation: Augmentation | None,
        seed: int,
    ) -> None:
        super().__init__(workers=1)
        self.clips = clips
        self.contract = contract
        self.batch = batch
        self.augmentation = augmentation
        self.seed = seed
        self.epoch = 0
        """Set before each epoch by whoever trains."""
        self._visits = np.repeat(np.arange(len(clips)), windows_per_clip)
        self._truth = np.array([targets.index(clip.clip) for clip in clips])
        self._classes = len(targets.classes)

    def __len__(self) -> int:
        return -(-len(self._visits) // self.batch)

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self._visits)
        chosen = order[index * self.batch : (index + 1) * self.batch]
        random = np.random.default_rng([self.seed, self.epoch, index])
        windows = [self._window(self.clips[clip], random) for clip in chosen]
        return np.stack(windows), np.eye(self._classes, dtype=np.float32)[self._truth[chosen]]

    def _window(self, clip: DecodedClip, random: np.random.Generator) -> NDArray[np.uint8]:
        how = self.augmentation
        if how is None and self.contract.rate is None:  # as the papers did
            return fixed_windows(clip, self.contract, 1)[0]
        window = random_window(clip, self.contract, random)
        if how is None:
            return window
        if random.random() < how.elsewhere:
            other = self.clips[int(random.integers(len(self.clips)))].frames
            window = in_another_place(window, other[random.integers(len(other))], random)
        return augment(window, how, random)


def stacked(
    clips: Sequence[DecodedClip], contract: ModelContract, targets: Targets, count: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The fixed windows (N, T, H, W, 3) of some clips and their one-hot classes (N, F)."""
    windows, truth = [], []
    for clip in clips:
        cut = fixed_windows(clip, contract, count)
        windows += cut
        truth += [targets.index(clip.clip)] * len(cut)
    return np.stack(windows), np.eye(len(targets.classes), dtype=np.float32)[truth]
