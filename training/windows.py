"""Cuts windows from decoded clips: on the stream's time grid from any frame, or evenly over the clip."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from harstream.models.contract import ModelContract
from harstream.models.sampling import even_indices, possible_starts, slowest_rate, window_from
from harstream.training.augmentation.action_box import action_box
from harstream.training.augmentation.frames import Augmentation, augment, overlay_place
from harstream.training.augmentation.still_pictures import still_window
from harstream.training.augmentation.views import Other, Views, joined, seen
from harstream.training.cache import DecodedClip
from harstream.training.learned_classes import LearnedClasses

PERIOD_FACTORS = (0.8, 1.25)
"""Range of the random factor on the period, because cameras and persons differ in speed."""
MIN_SHARE = 0.7
"""The smallest share of a clip over which training spreads the frames of a window without a rate."""


def random_window(clip: DecodedClip, contract: ModelContract, random: np.random.Generator) -> NDArray[np.uint8]:
    """Cut a window (T, H, W, 3) from anywhere in the clip. A clip too short for the drawn rate gets a higher rate.

    For a model without a rate, the window is spread evenly over at least MIN_SHARE of the clip. No frame repeats.
    """
    if contract.rate is None:
        last = len(clip.times) - 1
        taken = max(random.uniform(MIN_SHARE, 1) * last, contract.frames - 1)
        start = random.uniform(0, last - taken)
        return clip.frames[np.linspace(start, start + taken, contract.frames).round().astype(np.intp)]
    rate = _rate(clip, contract, contract.rate / random.uniform(*PERIOD_FACTORS))
    starts = possible_starts(clip.times, rate, contract.frames)
    return clip.frames[_nearest_window(clip, contract, rate, starts, int(random.integers(len(starts))))]


def fixed_windows(clip: DecodedClip, contract: ModelContract, count: int) -> list[NDArray[np.uint8]]:
    """Cut `count` windows whose first frames are spread evenly over all possible first frames.

    A clip with fewer possible first frames gives one window from each.
    """
    if contract.rate is None:
        return [clip.frames[even_indices(len(clip.times), contract.frames)]]
    rate = _rate(clip, contract, contract.rate)
    starts = possible_starts(clip.times, rate, contract.frames)
    chosen = np.linspace(0, len(starts) - 1, count + 2)[1:-1].astype(np.intp)
    return [clip.frames[_nearest_window(clip, contract, rate, starts, int(choice))] for choice in dict.fromkeys(chosen)]


def _rate(clip: DecodedClip, contract: ModelContract, wished: float) -> float:
    """Return the wished rate, or the lowest higher rate at which the clip contains a window."""
    assert contract.rate is not None
    rate = slowest_rate(clip.times, wished, contract.frames) or slowest_rate(clip.times, contract.rate, contract.frames)
    assert rate is not None, f"{clip.clip.path} holds no window; the cache rejects such clips"
    return rate


def _nearest_window(
    clip: DecodedClip, contract: ModelContract, rate: float, starts: NDArray[np.intp], choice: int
) -> NDArray[np.intp]:
    """Return the window from the chosen start, or from the nearest one if the frames are too irregular there."""
    for start in sorted(range(len(clip.times)), key=lambda index: abs(index - int(starts[choice]))):
        if (window := window_from(clip.times, start, rate, contract.frames)) is not None:
            return window
    raise AssertionError(f"{clip.clip.path} holds no window at {rate} Hz")


class TrainingWindows(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of fresh windows. They depend on seed, epoch and batch alone, so a resumed run sees the same ones."""

    def __init__(
        self,
        clips: Sequence[DecodedClip],
        contract: ModelContract,
        targets: LearnedClasses,
        *,
        batch: int,
        windows_per_clip: int,
        augmentation: Augmentation | Views | None,
        seed: int,
    ) -> None:
        """Take clips in frames of the contract's size, or of the stored size of Views, which also make stills."""
        super().__init__(workers=1)
        self.clips = clips
        self.contract = contract
        self.batch = batch
        self.augmentation = augmentation
        self.seed = seed
        self.epoch = 0
        """The trainer sets it before each epoch."""
        self._truth = np.array([targets.index(clip.clip) for clip in clips])
        self._of_background = np.flatnonzero([clip.clip.label in contract.background for clip in clips])
        self._visits = np.repeat(np.arange(len(clips)), windows_per_clip)
        if isinstance(augmentation, Views) and targets.still:
            stills = round(augmentation.still * len(self._visits))
            self._visits = np.append(self._visits, np.full(stills, len(clips)))
            self._truth = np.append(self._truth, targets.classes.index(targets.still))
        self._classes = len(targets.classes)

    def __len__(self) -> int:
        return -(-len(self._visits) // self.batch)

    def __getitem__(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self._visits)
        chosen = order[index * self.batch : (index + 1) * self.batch]
        random = np.random.default_rng([self.seed, self.epoch, index])
        windows = [self._visit(int(clip), random) for clip in chosen]
        return np.stack(windows), np.eye(self._classes, dtype=np.float32)[self._truth[chosen]]

    def _visit(self, index: int, random: np.random.Generator) -> NDArray[np.uint8]:
        """Return a window of the clip `index`. The index after the last clip is a still picture of any clip."""
        is_still = index == len(self.clips)
        clip = self._any(random) if is_still else self.clips[index]
        if not isinstance(self.augmentation, Views):
            return self._window(clip, self.augmentation, random)
        how, size = self.augmentation, (self.contract.height, self.contract.width)
        if is_still:
            frame = clip.frames[random.integers(len(clip.frames))]
            window, other = still_window(frame, self.contract.frames, random), None
        else:
            window, other = random_window(clip, self.contract, random), self._other(clip, random)
        box = action_box(window)
        if random.random() < how.joined:
            window = joined(window, self._before(random), random)
        return seen(window, box, other, size, how, random)

    def _before(self, random: np.random.Generator) -> NDArray[np.uint8] | None:
        """Return what was before the window: one of any clip, or None where nothing moved."""
        return random_window(self._any(random), self.contract, random) if random.random() < 0.5 else None

    def _other(self, clip: DecodedClip, random: np.random.Generator) -> Other | None:
        """Return a window that may be in view, too. Beside background there is background, or the label were wrong."""
        needs_background = clip.clip.label in self.contract.background or random.random() < 0.6
        if needs_background and not len(self._of_background):
            return None
        other = self.clips[int(random.choice(self._of_background))] if needs_background else self._any(random)
        is_background = other.clip.label in self.contract.background
        return Other(random_window(other, self.contract, random), is_background)

    def _any(self, random: np.random.Generator) -> DecodedClip:
        return self.clips[int(random.integers(len(self.clips)))]

    def _window(self, clip: DecodedClip, how: Augmentation | None, random: np.random.Generator) -> NDArray[np.uint8]:
        if how is None and self.contract.rate is None:  # as in the papers
            return fixed_windows(clip, self.contract, 1)[0]
        window = random_window(clip, self.contract, random)
        if how is None:
            return window
        if random.random() < how.other_place:
            frames = self._any(random).frames
            window = overlay_place(window, frames[random.integers(len(frames))], random)
        return augment(window, how, random)


def stacked(
    clips: Sequence[DecodedClip], contract: ModelContract, targets: LearnedClasses, count: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return the fixed windows (N, T, H, W, 3) of the clips and their one-hot classes (N, F)."""
    windows, truth = [], []
    for clip in clips:
        cut = [_of_size(window, contract) for window in fixed_windows(clip, contract, count)]
        windows += cut
        truth += [targets.index(clip.clip)] * len(cut)
    return np.stack(windows), np.eye(len(targets.classes), dtype=np.float32)[truth]


def _of_size(window: NDArray[np.uint8], contract: ModelContract) -> NDArray[np.uint8]:
    """Return a window of stored frames in the model's size, which may be smaller."""
    size = contract.width, contract.height
    if window.shape[2:0:-1] == size:
        return window
    return np.stack([np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8) for frame in window])
