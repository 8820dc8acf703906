"""Windows are cut from clips. The expected indices are worked out by hand, and batches are reproducible."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from harstream.clips.listing import Clip
from harstream.models.contract import ModelContract
from harstream.training.augmentation.frames import Augmentation, augment
from harstream.training.augmentation.presets import AUGMENTATIONS
from harstream.training.augmentation.views import Views
from harstream.training.cache import DecodedClip
from harstream.training.learned_classes import LearnedClasses
from harstream.training.windows import (
    TrainingWindows,
    fixed_windows,
    random_window,
    stacked,
)

pytestmark = pytest.mark.training

STRONG: Augmentation = AUGMENTATIONS["strong"]  # type: ignore[assignment]
MILD: Augmentation = AUGMENTATIONS["mild"]  # type: ignore[assignment]
CONTRACT = ModelContract("m", "1", ("Jump", "Walk"), frames=5, height=16, width=16, rate=10.0)
TARGETS = LearnedClasses((("Jump", ""), ("Walk", "")), label_of=(0, 1))


def decoded(count: int, rate: float = 25.0, label: str = "Walk") -> DecodedClip:
    """Returns a clip whose frame n has the grey level n."""
    frames = np.repeat(np.arange(count, dtype=np.uint8), 16 * 16 * 3).reshape(count, 16, 16, 3)
    return DecodedClip(Clip(Path(f"{label}.avi"), label, "g01", "train"), np.arange(count) / rate, frames)


def levels(window: np.ndarray) -> list[int]:
    assert window.shape == (5, 16, 16, 3)
    return window[:, 0, 0, 0].tolist()


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_fixed_windows_are_spread_evenly_over_the_clip() -> None:
    # 50 Hz for 1 s; a window spans 0.4 s, so it can begin at frames 0 to 30: two begin at 10 and 20. The frame after
    # the first is due 5 frames later and may come 1.25 frames early: the fourth one is taken, then every fifth.
    windows = fixed_windows(decoded(51, rate=50.0), CONTRACT, 2)
    assert [levels(window) for window in windows] == [[10, 14, 19, 24, 29], [20, 24, 29, 34, 39]]


def test_clip_as_long_as_a_window_gives_one() -> None:
    assert [levels(window) for window in fixed_windows(decoded(5, rate=10.0), CONTRACT, 3)] == [[0, 1, 2, 3, 4]]


@pytest.mark.parametrize("count", range(5, 60))
def test_clip_shorter_than_a_window_gives_one_window_of_all_its_length(count: int) -> None:
    (window,) = fixed_windows(decoded(count, rate=150.0), CONTRACT, 2)
    quarter = (count - 1) / 4 / 4  # a quarter of a period, in frames: the last frame may be this early
    assert levels(window)[0] == 0
    assert count - 1 - quarter <= levels(window)[-1] <= count - 1


@pytest.mark.parametrize("count", range(5, 60))
@pytest.mark.parametrize("rate", [24.0, 29.97, 150.0])
def test_random_window_is_cut_from_a_short_clip_of_any_length(count: int, rate: float) -> None:
    window = levels(random_window(decoded(count, rate), CONTRACT, generator()))
    assert window == sorted(set(window))


def test_window_is_never_cut_across_a_gap() -> None:
    # The clip has frames 0 to 9 and, 2 s later, 10 to 39 at 25 Hz.
    whole = decoded(40)
    broken = replace(whole, times=whole.times + 2.0 * (np.arange(40) >= 10))
    chance = generator()
    windows = [levels(random_window(broken, CONTRACT, chance)) for _ in range(100)]
    windows += [levels(window) for window in fixed_windows(broken, CONTRACT, 4)]
    assert all(window[-1] <= 9 or window[0] >= 10 for window in windows)
    assert min(window[0] for window in windows) < 10  # at the faster rates, a window also fits before the gap


def test_random_windows_stay_within_their_range_of_rates() -> None:
    # 100 fps: 0.8 to 1.25 times a tenth of a second, four times less the quarter that the last frame may be early, is
    # 30 to 47 frames.
    clip, chance = decoded(200, rate=100.0), generator()
    spans = [window[-1] - window[0] for window in (levels(random_window(clip, CONTRACT, chance)) for _ in range(200))]
    assert min(spans) in (30, 31)
    assert max(spans) in (46, 47)


def test_model_without_a_rate_gets_one_window_per_clip_as_in_the_papers() -> None:
    even = replace(CONTRACT, rate=None)
    windows, _ = TrainingWindows(
        [decoded(29)], even, TARGETS, batch=4, windows_per_clip=4, augmentation=None, seed=7
    )[0]  # fmt: skip
    assert [levels(window) for window in windows] == [[0, 5, 10, 15, 20]] * 4
    assert [levels(window) for window in fixed_windows(decoded(29), even, 3)] == [[0, 5, 10, 15, 20]]


def test_random_window_without_a_rate_is_spread_evenly_over_most_of_the_clip() -> None:
    even, chance = replace(CONTRACT, rate=None), generator()
    windows = [levels(random_window(decoded(101), even, chance)) for _ in range(300)]
    spans = [window[-1] - window[0] for window in windows]
    assert (min(spans), max(spans)) in {(70, 100), (70, 99), (71, 100), (71, 99)}
    assert {window[0] for window in windows} > set(range(20))
    assert max(np.ptp(np.diff(window)) for window in windows) == 1
    for count in range(5, 9):  # too short to skip frames
        window = levels(random_window(decoded(count), even, chance))
        assert window == sorted(set(window))


@pytest.mark.parametrize("how", [MILD, STRONG])
def test_augmented_window_keeps_shape_and_type_and_follows_from_the_seed(how: Augmentation) -> None:
    window = generator().integers(0, 256, size=(5, 16, 24, 3), dtype=np.uint8)
    kept = window.copy()
    for seed in range(30):
        once, again = augment(window, how, generator(seed)), augment(window, how, generator(seed))
        assert (once.shape, once.dtype) == (window.shape, np.uint8)
        assert np.array_equal(once, again)
        assert not np.array_equal(once, augment(window, how, generator(seed + 100)))
    assert np.array_equal(window, kept)


def test_augmentation_moves_all_frames_of_a_window_equally() -> None:
    still = np.repeat(generator().integers(0, 256, size=(1, 16, 16, 3), dtype=np.uint8), 5, axis=0)
    results = [augment(still, STRONG, generator(seed)) for seed in range(30)]
    unchanging = [all(np.array_equal(frame, result[0]) for frame in result) for result in results]
    assert 0.5 < np.mean(unchanging) < 0.9  # three tenths of the windows get noise


def test_half_of_the_windows_are_blended_with_another_place() -> None:
    """Of a white clip and a black one, a grey window is blended with the other clip. Nothing else changes."""
    only_places = Augmentation(zoom=(1, 1), aspect=(1, 1), tilt=0, shift=0, light=(1, 1), grey=0, other_place=0.5)
    black = replace(decoded(30), frames=np.zeros((30, 16, 16, 3), np.uint8))
    white = replace(decoded(30), frames=np.full((30, 16, 16, 3), 255, np.uint8))
    windows = TrainingWindows(
        [black, white], CONTRACT, TARGETS, batch=400, windows_per_clip=200, augmentation=only_places, seed=7
    )[0][0]
    share_between = np.mean([bool(((window > 30) & (window < 225)).any()) for window in windows])
    assert 0.15 < share_between < 0.3  # half of the windows are blended, and half of those with the other clip


def training_windows(epoch: int, *, how: Augmentation | None = STRONG, seed: int = 7) -> TrainingWindows:
    clips = [decoded(30), decoded(40, label="Jump"), decoded(50)]
    windows = TrainingWindows(clips, CONTRACT, TARGETS, batch=4, windows_per_clip=3, augmentation=how, seed=seed)
    windows.epoch = epoch
    return windows


def test_batches_are_the_same_for_the_same_seed_and_epoch() -> None:
    for index in (2, 0):  # the order does not matter
        once, again = training_windows(3)[index], training_windows(3)[index]
        assert np.array_equal(once[0], again[0])
        assert np.array_equal(once[1], again[1])


def test_batches_differ_for_another_epoch_or_seed() -> None:
    for other in (training_windows(4), training_windows(3, seed=8)):
        assert not np.array_equal(training_windows(3)[0][0], other[0][0])


VIEWS: Views = AUGMENTATIONS["views"]  # type: ignore[assignment]
OF_BACKGROUND = ModelContract(
    "m", "1", ("Jump", "background"), background=("background",), frames=5, height=16, width=16, rate=10.0
)
WITH_STILLS = LearnedClasses(
    (("Jump", ""), ("background", "still")), label_of=(0, 1), still=("background", "still")
)  # fmt: skip


def stored(level: int, label: str = "Jump") -> DecodedClip:
    """Returns a clip in frames of one and a half times the model's size, all of one level."""
    return replace(decoded(30, label=label), frames=np.full((30, 24, 24, 3), level, np.uint8))


def test_views_come_in_the_models_size_with_still_pictures_as_background() -> None:
    windows = TrainingWindows(
        [stored(100)] * 5, OF_BACKGROUND, WITH_STILLS, batch=4, windows_per_clip=4,
        augmentation=replace(VIEWS, still=0.25), seed=7,
    )  # fmt: skip
    batches = [windows[index] for index in range(len(windows))]
    assert {batch.shape[1:] for batch, _ in batches} == {(5, 16, 16, 3)}
    assert np.concatenate([truth for _, truth in batches]).sum(axis=0).tolist() == [20, 5]


def test_a_still_picture_does_not_move_where_camera_and_room_are_quiet() -> None:
    quiet = replace(VIEWS, still=1.0, joined=0, shaken=0, noisy=0, dark=0)
    moving = replace(stored(0), frames=np.random.default_rng(1).integers(0, 256, (30, 24, 24, 3), dtype=np.uint8))
    windows = TrainingWindows(
        [moving], OF_BACKGROUND, WITH_STILLS, batch=400, windows_per_clip=200, augmentation=quiet, seed=7
    )  # fmt: skip
    batch, truth = windows[0]
    unmoved = np.array([all(np.array_equal(frame, window[0]) for frame in window) for window in batch])
    is_still = truth[:, 1] == 1
    assert not unmoved[~is_still].any()
    assert 0.1 < unmoved[is_still].mean() < 0.35  # in one of five nothing moves, in the others rain or a curtain


def test_joined_windows_begin_without_movement_or_with_another_clip() -> None:
    calm = replace(VIEWS, still=0, joined=1, shaken=0, noisy=0, dark=0, beside=0, television=0, surrounded=0)
    moving = replace(stored(0), frames=np.random.default_rng(1).integers(0, 256, (30, 24, 24, 3), dtype=np.uint8))
    shares = []
    for how in (replace(calm, joined=0), calm):
        windows = TrainingWindows(
            [moving], OF_BACKGROUND, TARGETS, batch=200, windows_per_clip=200, augmentation=how, seed=7
        )
        begins = np.array([np.array_equal(window[0], window[1]) for window in windows[0][0]])
        ends = np.array([np.array_equal(window[-2], window[-1]) for window in windows[0][0]])
        assert not ends.any()
        shares.append(begins.mean())
    assert shares[0] == 0
    assert 0.4 < shares[1] < 0.6  # the others begin with another window of the clip


def test_the_view_is_around_what_moves_in_the_clip_itself() -> None:
    frames = np.zeros((30, 24, 24, 3), np.uint8)
    frames[:, 8:16, 8:16] = np.random.default_rng(1).integers(120, 256, (30, 2, 2, 1)).repeat(4, 1).repeat(4, 2)
    how = replace(VIEWS, still=0, joined=1, whole=0, margin=(1, 1), aspect=(1, 1), shift=0, tilt=0, surrounded=0)
    how = replace(how, shaken=0, noisy=0, dark=0, beside=0, television=0, fisheye=0, soft=0, hidden=0)
    windows = TrainingWindows(
        [replace(stored(0), frames=frames)], OF_BACKGROUND, TARGETS, batch=40, windows_per_clip=40, augmentation=how,
        seed=7,
    )  # fmt: skip
    bright = windows[0][0].max(axis=(1, 4)) > 100
    assert bright.mean() > 0.5  # the whole picture would have 8 * 8 of 24 * 24 pixels


def test_beside_background_there_is_only_background() -> None:
    clips = [stored(50), stored(60), *(stored(200, "background") for _ in range(2))]
    targets = LearnedClasses.of([clip.clip for clip in clips], OF_BACKGROUND)
    windows = TrainingWindows(
        clips, OF_BACKGROUND, targets, batch=4, windows_per_clip=1, augmentation=VIEWS, seed=7
    )  # fmt: skip
    for seed in range(40):
        other = windows._other(clips[2], generator(seed))
        assert other is not None
        assert other.is_background
    beside_activity = [windows._other(clips[0], generator(seed)) for seed in range(40)]
    assert {bool(other and other.is_background) for other in beside_activity} == {True, False}


def test_stored_frames_are_averaged_to_the_models_size() -> None:
    stripes = stored(0)
    stripes.frames[:, ::3] = 240  # three rows become two
    windows, _ = stacked([stripes], OF_BACKGROUND, LearnedClasses.of([stripes.clip], OF_BACKGROUND), 1)
    assert windows.shape == (1, 5, 16, 16, 3)
    assert windows.mean() == 80


def test_each_clip_is_visited_as_often_as_requested_in_an_epoch() -> None:
    windows = training_windows(0)
    batches = [windows[index] for index in range(len(windows))]
    assert [len(batch) for batch, _ in batches] == [4, 4, 1]
    assert np.concatenate([truth for _, truth in batches]).sum(axis=0).tolist() == [3, 6]


def test_labels_are_one_hot_in_the_contracts_order() -> None:
    windows, truth = stacked([decoded(30), decoded(30, label="Jump")], CONTRACT, TARGETS, 2)
    assert windows.shape == (4, 5, 16, 16, 3)
    assert truth.tolist() == [[0, 1], [0, 1], [1, 0], [1, 0]]
