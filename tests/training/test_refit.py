"""A refit trains the chosen recipe again and adds the validation clips."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras

from harstream.clips.listing import Clip
from harstream.models.contract import ModelContract
from harstream.models.finished_run import UnreadableRun
from harstream.training.cache import DecodedClip
from harstream.training.errors import TrainingError
from harstream.training.initial_weights import build_initial_model
from harstream.training.learned_classes import LearnedClasses
from harstream.training.recipes import Recipe
from harstream.training.refit import prepare_refit
from harstream.training.run_folder import RunFolder
from harstream.training.train import Outcome, train

pytestmark = pytest.mark.training

CONTRACT = ModelContract("m", "1", ("Jump", "Walk"), frames=3, height=64, width=64, rate=10.0)
RECIPE = Recipe(arch="lrcn", epochs=2, batch=4, averaged=0.5)


def clip(label: str, number: int, part: str) -> DecodedClip:
    random = np.random.default_rng(number)
    low = 96 if label == "Walk" else 0
    frames = random.integers(low, low + 128, size=(12, 64, 64, 3), dtype=np.uint8)
    return DecodedClip(Clip(Path(f"{label}/{number}.avi"), label, f"g{number}", part), np.arange(12) / 10, frames)


DECODED = [
    clip(label, number, part)
    for number, part in enumerate(["train", "train", "val", "test"])
    for label in ("Jump", "Walk")
]
CLIPS = [each.clip for each in DECODED]


def trained(recipe: Recipe, contract: ModelContract, clips: list[Clip], folder: Path) -> Outcome:
    """Trains on the clips outside of part `test`, as `harstream train` does."""
    RunFolder(folder).begin(recipe, clips, [])
    usable = [replace(decoded, clip=clip) for decoded, clip in zip(DECODED, clips, strict=True) if clip.part != "test"]
    targets = LearnedClasses.of(clips, contract)
    return train(recipe, contract, targets, build_initial_model(recipe, contract, 2), usable, RunFolder(folder))


@pytest.fixture
def chosen(tmp_path: Path) -> Path:
    trained(RECIPE, CONTRACT, CLIPS, tmp_path / "chosen")
    return tmp_path / "chosen"


def test_a_refit_trains_on_all_but_test_and_keeps_the_results_of_validation(chosen: Path, tmp_path: Path) -> None:
    recipe = replace(RECIPE, refit=str(chosen))
    contract, clips = prepare_refit(recipe, replace(CONTRACT, name="all"), CLIPS)
    assert [each.part for each in clips] == ["train"] * 6 + ["test"] * 2
    outcome = trained(recipe, contract, clips, tmp_path / "all")
    run, before = RunFolder(tmp_path / "all"), RunFolder(chosen)
    contract = before.read_contract()
    assert contract.temperature != CONTRACT.temperature
    assert run.read_contract() == replace(contract, name="all")
    assert outcome.best_epoch == 1
    with run.history.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert rows[0]["val_loss"] == "NA"
    assert outcome.loss == float(rows[-1]["loss"])
    assert {line.rsplit("\t")[-1] for line in run.split.read_text().splitlines()[1:]} == {"train", "test"}
    assert not run.validated.exists()  # no validation is left for combining or choosing
    assert len(np.load(run.validation_windows)) == len(np.load(run.training_windows)) == 6
    assert json.loads(run.provenance.read_text())["refit"].startswith(f"{chosen} (sha256 ")


def test_a_refit_of_a_run_that_says_no_view_has_that_of_the_recipe(chosen: Path) -> None:
    boxes = replace(CONTRACT, view="motion")
    contract, _ = prepare_refit(replace(RECIPE, refit=str(chosen)), boxes, CLIPS)
    assert contract == replace(RunFolder(chosen).read_contract(), view="motion")


def test_a_refit_keeps_the_mean_of_the_last_weights(chosen: Path, tmp_path: Path) -> None:
    """A refit keeps this mean as the chosen run does for its best epoch. The same clips give the same weights."""
    recipe = replace(RECIPE, refit=str(chosen))
    learned = [each for each in CLIPS if each.part != "val"]
    RunFolder(tmp_path / "same").begin(recipe, learned, [])
    usable = [each for each in DECODED if each.clip.part == "train"]
    model = build_initial_model(recipe, CONTRACT, 2)
    train(recipe, CONTRACT, LearnedClasses.of(learned, CONTRACT), model, usable, RunFolder(tmp_path / "same"))
    with RunFolder(chosen).history.open(newline="") as lines:
        losses = [float(row["val_loss"]) for row in csv.DictReader(lines)]
    both = [keras.models.load_model(folder / "model.keras").get_weights() for folder in (chosen, tmp_path / "same")]
    is_same = all(np.array_equal(one, other) for one, other in zip(*both, strict=True))
    assert is_same == (losses[-1] < losses[0])


@pytest.mark.parametrize(
    ("recipe", "contract", "clips", "message"),
    [
        (
            replace(RECIPE, epochs=3, seed=2),
            CONTRACT,
            CLIPS,
            "same recipe: .*chosen has another epochs, seed;",
        ),
        (RECIPE, CONTRACT, CLIPS[1:], "same clips with the same split: .*chosen has others"),
        (RECIPE, replace(CONTRACT, background=("Walk",)), CLIPS, "same labels: .*chosen has another background"),
        (replace(RECIPE, patience=5), CONTRACT, CLIPS, "trains to the last epoch .*give both runs --patience 0"),
        (replace(RECIPE, schedule="plateau"), CONTRACT, CLIPS, "trains to the last epoch"),
    ],
)
def test_a_refit_that_does_not_fit_the_run_is_refused(
    recipe: Recipe, contract: ModelContract, clips: list[Clip], message: str, chosen: Path
) -> None:
    with pytest.raises(TrainingError, match=message):
        prepare_refit(replace(recipe, refit=str(chosen)), contract, clips)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda run: shutil.rmtree(run),
            "expected a finished run .*chosen, found no model.keras",
        ),
        (lambda run: (run / "recipe.json").write_text("{"), r"recipe\.json cannot be read: "),
    ],
)
def test_an_unfinished_run_is_refused(spoil: Callable[[Path], object], message: str, chosen: Path) -> None:
    spoil(chosen)
    with pytest.raises(UnreadableRun, match=message):
        prepare_refit(replace(RECIPE, refit=str(chosen)), CONTRACT, CLIPS)
