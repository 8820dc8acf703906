"""An interrupted run ends like an uninterrupted one. A diverged run keeps no diverged weights."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras

from harstream.clips.listing import Clip
from harstream.models.contract import ModelContract
from harstream.training.cache import DecodedClip
from harstream.training.checkpoints import EpochCheckpoint, ResumablePlateau
from harstream.training.errors import TrainingError
from harstream.training.initial_weights import build_initial_model
from harstream.training.learned_classes import LearnedClasses
from harstream.training.recipes import PRESETS, Recipe
from harstream.training.run_folder import RunFolder
from harstream.training.train import Outcome, classes_without_validation, require_training_clips, train

pytestmark = pytest.mark.training

CONTRACT = ModelContract("m", "1", ("Jump", "Walk"), frames=3, height=64, width=64, rate=10.0)
LIVE = Recipe(epochs=3, batch=8, learning_rate=0.01)
PAPER = replace(PRESETS["rana"], schedule="plateau", epochs=5, batch=8, learning_rate=0.02, patience=4)
CONVLSTM = replace(PRESETS["dheeraj"], epochs=2, batch=8)


def clips_of(part: str, count: int) -> list[DecodedClip]:
    """Returns clips of noise that is brighter for one of the labels."""
    random = np.random.default_rng(len(part))
    return [
        DecodedClip(
            Clip(Path(f"{label}/{part}{number}.avi"), label, f"g{number}", part),
            np.arange(12) / 10,
            random.integers(low, low + 128, size=(12, 64, 64, 3), dtype=np.uint8),
        )
        for number in range(count)
        for label, low in (("Jump", 0), ("Walk", 96))
    ]


CLIPS = [*clips_of("train", 4), *clips_of("val", 2)]
TARGETS = LearnedClasses.of((decoded.clip for decoded in CLIPS), CONTRACT)


def run(recipe: Recipe, folder: Path) -> Outcome:
    clips = [decoded.clip for decoded in CLIPS]
    RunFolder(folder).begin(recipe, clips, [])
    return train(recipe, CONTRACT, TARGETS, build_initial_model(recipe, CONTRACT, 2), CLIPS, RunFolder(folder))


def interrupted(recipe: Recipe, folder: Path, epochs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupts a run with Ctrl-C just after a number of epochs."""
    save = EpochCheckpoint.on_epoch_end

    def save_and_end(self: EpochCheckpoint, epoch: int, logs: Any) -> None:
        save(self, epoch, logs)
        if epoch + 1 == epochs:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(EpochCheckpoint, "on_epoch_end", save_and_end)
        with pytest.raises(KeyboardInterrupt):
            run(recipe, folder)


def weights(folder: Path) -> Sequence[np.ndarray]:
    return [np.asarray(weight) for weight in keras.models.load_model(folder / "model.keras").get_weights()]


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize(
    ("recipe", "epochs"), [(LIVE, 1), (PAPER, 3), (CONVLSTM, 1)], ids=["live", "a paper's", "convlstm"]
)
def test_an_interrupted_run_ends_with_the_weights_of_an_uninterrupted_one(
    recipe: Recipe, epochs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(recipe, tmp_path / "whole")
    interrupted(recipe, tmp_path / "cut", epochs, monkeypatch)
    assert len(history(tmp_path / "cut")) == epochs
    run(recipe, tmp_path / "cut")
    assert [row["loss"] for row in history(tmp_path / "cut")] == [row["loss"] for row in history(tmp_path / "whole")]
    pairs = zip(weights(tmp_path / "cut"), weights(tmp_path / "whole"), strict=True)
    assert all(np.array_equal(cut, whole) for cut, whole in pairs)


@pytest.mark.parametrize(
    ("losses", "best", "wait"),
    [
        ([], None, 0),
        ([2.0, 1.0], 1.0, 0),
        ([1.0, 1.5, 0.99995], 1.0, 2),  # a loss counts as lower only if the difference is over a ten-thousandth
        ([1.0, 1.5, 1.5, 1.5, 1.5], 1.0, 1),  # the third lowered the rate
    ],
)
def test_a_resumed_plateau_continues_its_count(losses: list[float], best: float | None, wait: int) -> None:
    plateau = ResumablePlateau(losses, factor=0.2, patience=3)
    plateau.on_train_begin()
    assert (plateau.best, plateau.wait) == (best, wait)


def test_a_training_that_diverges_at_once_always_raises_and_keeps_no_weights(tmp_path: Path) -> None:
    hopeless = replace(LIVE, learning_rate=1e6)
    for _ in range(2):
        with pytest.raises(
            TrainingError, match=r"diverged in epoch 1: its loss is .*lower --learning-rate from 1e\+06"
        ):
            run(hopeless, tmp_path)
    assert not list(tmp_path.rglob("*.weights.h5"))
    assert not (tmp_path / "model.keras").exists()


def test_a_training_that_diverges_later_keeps_the_best_epoch_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = EpochCheckpoint.on_epoch_end

    def save_and_spoil(self: EpochCheckpoint, epoch: int, logs: Any) -> None:
        save(self, epoch, logs)
        if epoch == 1:
            self.model.get_layer("head").get_layer("scores").bias.assign([np.nan, np.nan])

    monkeypatch.setattr(EpochCheckpoint, "on_epoch_end", save_and_spoil)
    outcome = run(LIVE, tmp_path)
    assert str(outcome.diverged) == "the training diverged in epoch 3: its loss is nan"
    assert outcome.best_epoch in (0, 1)
    assert len(history(tmp_path)) == 2
    assert all(np.isfinite(weight).all() for weight in weights(tmp_path))


def test_a_recipe_of_an_older_harstream_is_resumed(tmp_path: Path) -> None:
    folder, clips = RunFolder(tmp_path), [decoded.clip for decoded in CLIPS]
    folder.begin(LIVE, clips, [])
    recipe = json.loads((tmp_path / "recipe.json").read_text())
    older = {key: value for key, value in recipe.items() if key not in ("weights", "start_from")}
    (tmp_path / "recipe.json").write_text(json.dumps(older))
    folder.begin(LIVE, clips, [])
    with pytest.raises(TrainingError, match=r"another recipe\.json"):
        folder.begin(replace(LIVE, weights="imagenet"), clips, [])


def test_classes_without_clips_are_named() -> None:
    clips = [decoded.clip for decoded in CLIPS]
    assert classes_without_validation(clips, TARGETS) == []
    only_jumps = [clip for clip in clips if clip.part == "train" or clip.label == "Jump"]
    assert classes_without_validation(only_jumps, TARGETS) == ["Walk"]
    with pytest.raises(TrainingError, match="no clip is left for validation"):
        classes_without_validation([clip for clip in clips if clip.part == "train"], TARGETS)
    require_training_clips(clips, TARGETS)
    with pytest.raises(TrainingError, match="no training clip is left for Jump, Walk"):
        require_training_clips([clip for clip in clips if clip.part == "val"], TARGETS)
