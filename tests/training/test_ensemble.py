"""An ensemble combines several runs into one model and refuses runs that do not fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras

from harstream.export.export_run import ExportError, export_run
from harstream.export.keras_to_onnx import convert, divide_logits
from harstream.export.verify import largest_difference
from harstream.models import encoder_and_head as folding
from harstream.models.contract import ModelContract
from harstream.models.finished_run import UnreadableRun
from harstream.models.layers.optical_flow import OpticalFlow
from harstream.models.layers.sum_of_classes import with_label_scores
from harstream.models.temperature import at_temperature
from harstream.training.ensemble import combine
from harstream.training.errors import TrainingError
from harstream.training.initial_weights import build_initial_model, copy_matching_layers
from harstream.training.recipes import Recipe
from harstream.training.run_folder import RunFolder, Validated

pytestmark = pytest.mark.training

CONTRACT = ModelContract(
    "m", "1", ("Jump", "Walk", "background"), background=("background",), frames=4, height=64, width=64, rate=8.0
)
LABEL_OF = (0, 1, 2, 2)
TRUTH = np.array([0, 1, 2, 3, 0, 1])
SPLIT = "file\tclass\tgroup\tcluster\tsplit\na.mp4\tJump\tg1\tg1\ttrain\nb.mp4\tJump\tg2\tg2\tval\n"


def windows() -> np.ndarray:
    """Returns windows of pictures that move two pixels a frame."""
    random = np.random.default_rng(1)
    coarse = random.integers(0, 256, size=(6, 8, 8, 3)).repeat(8, axis=1).repeat(8, axis=2)
    return np.stack([np.roll(coarse, 2 * t, axis=2) for t in range(4)], axis=1).astype(np.uint8)


@cache
def sure_model(seed: int, arch: str, contract: ModelContract, classes: int) -> tuple[keras.Model, np.ndarray]:
    """Returns a model and its scores of `windows`, which differ as those of a trained model do."""
    model = build_initial_model(Recipe(arch=arch, seed=seed), contract, classes)
    scoring = (folding.parts(model) or (None, model))[1].get_layer("scores")
    kernel, bias = scoring.get_weights()
    unsure = np.log(np.asarray(model(windows())))
    scoring.set_weights([kernel / (unsure - unsure.mean(axis=1, keepdims=True)).std(), bias + np.arange(len(bias)) / 4])
    return model, np.asarray(model(windows()))


def finished_run(
    folder: Path,
    seed: int,
    *,
    arch: str = "lrcn",
    contract: ModelContract = CONTRACT,
    label_of: tuple[int, ...] = LABEL_OF,
    truth: np.ndarray = TRUTH,
    split: str = SPLIT,
) -> Path:
    model, scores = sure_model(seed, arch, contract, len(label_of))
    run = RunFolder(folder)
    folder.mkdir()
    run.split.write_text(split)
    (folder / "provenance.json").write_text(json.dumps({"command": f"harstream train --seed {seed}"}))
    run.finish(
        with_label_scores(model, label_of),
        replace(contract, temperature=0.5 + seed),
        validated=Validated(scores, truth),
        validation=windows(),
        training=windows(),
    )
    return folder


@pytest.mark.parametrize("arch", ["flow_tcn", "lrcn_flow", "lrcn", "cnn_tcn"])
def test_a_combined_model_gives_the_mean_of_its_members_and_can_be_exported(arch: str, tmp_path: Path) -> None:
    folders = [finished_run(tmp_path / str(seed), seed, arch=arch) for seed in (1, 2)]
    run = RunFolder(tmp_path / "both")
    contract = combine(folders, run)
    assert ModelContract.from_json(run.contract.read_text()) == contract

    each = [at_temperature(Validated.read(RunFolder(folder).validated).scores, 0.5 + seed)
            for seed, folder in zip((1, 2), folders, strict=True)]  # fmt: skip
    assert np.abs(each[0] - each[1]).max() > 0.1
    product = np.sqrt(each[0] * each[1])
    expected = product / product.sum(axis=1, keepdims=True)
    assert np.abs(Validated.read(run.validated).scores - expected).max() < 1e-5

    model = keras.models.load_model(run.model, compile=False)
    scores = np.asarray(model(windows()))
    assert np.abs(scores - expected @ np.eye(3)[list(LABEL_OF)]).max() < 1e-5
    assert model.name == arch

    model = divide_logits(model, contract.temperature)
    scores = np.asarray(model(windows()))
    candidates = convert(model)
    assert candidates.parts is not None
    assert largest_difference(scores, windows(), candidates.plain) < 1e-4
    assert largest_difference(scores, windows(), *candidates.parts) < 1e-4


def test_members_with_optical_flow_share_its_computation(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "both")
    combine([finished_run(tmp_path / str(seed), seed, arch="flow_tcn") for seed in (1, 2, 3)], run)
    encoder, _ = folding.parts(keras.models.load_model(run.model, compile=False)) or (None, None)
    assert encoder is not None
    assert sum(isinstance(layer, OpticalFlow) for layer in encoder._flatten_layers()) == 1


def test_a_combined_run_lists_its_members_and_can_be_combined_again(tmp_path: Path) -> None:
    folders = [finished_run(tmp_path / str(seed), seed) for seed in (1, 2)]
    combine(folders, RunFolder(tmp_path / "both"))
    provenance = json.loads((tmp_path / "both" / "provenance.json").read_text())
    assert provenance["member 1"].startswith("harstream train --seed 1 (sha256 ")
    assert provenance["member 2"].startswith("harstream train --seed 2 (sha256 ")
    combine([tmp_path / "both", finished_run(tmp_path / "3", 3)], RunFolder(tmp_path / "all"))
    assert (tmp_path / "all" / "model.keras").is_file()


MORE_CLIPS = SPLIT + "c.mp4\tJump\tg3\tg3\ttrain\n"
OTHER_CLIPS = SPLIT.replace("b.mp4", "c.mp4")


def test_members_may_have_learned_from_other_clips(tmp_path: Path) -> None:
    folders = [finished_run(tmp_path / "1", 1), finished_run(tmp_path / "2", 2, split=MORE_CLIPS)]
    combine(folders, RunFolder(tmp_path / "both"))
    assert (tmp_path / "both" / "model.keras").is_file()


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"contract": replace(CONTRACT, labels=("Fall", "Walk", "background"))}, "the same labels: .*1 has Jump, Walk"),
        ({"contract": replace(CONTRACT, rate=10.0)}, r"the same rate: .*1 has 8\.0, .*2 10\.0"),
        ({"contract": replace(CONTRACT, view="motion")}, 'the same view: .*1 has "picture", .*2 "motion"'),
        ({"arch": "lrcn_motion"}, "must have the same input: only one of .*1 and .*2 sees pairs"),
        ({"label_of": (0, 1, 1, 2)}, "learned the same classes"),
        ({"truth": TRUTH[::-1]}, "must share their clips"),
        ({"split": OTHER_CLIPS}, "must share their clips of val and test: those of .*1 and .*2 differ; give both"),
        ({"arch": "convlstm"}, "2 holds a model without an encoder and a head"),
    ],
)
def test_runs_that_do_not_fit_are_refused_and_nothing_is_written(
    other: dict[str, object], message: str, tmp_path: Path
) -> None:
    folders = [finished_run(tmp_path / "1", 1), finished_run(tmp_path / "2", 2, **other)]  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match=message):
        combine(folders, RunFolder(tmp_path / "both"))
    assert not (tmp_path / "both").exists()


def test_an_unfinished_run_is_refused(tmp_path: Path) -> None:
    one = finished_run(tmp_path / "1", 1)
    expected = r"expected a finished run of `harstream train` in .*none, found no model"
    with pytest.raises(UnreadableRun, match=expected):
        combine([one, tmp_path / "none"], RunFolder(tmp_path / "both"))
    with pytest.raises(UnreadableRun, match=expected):
        export_run(tmp_path / "none", "m", "1.0.0", tmp_path / "m")
    with pytest.raises(TrainingError, match="at least two runs to combine, got 1"):
        combine([one], RunFolder(tmp_path / "both"))
    with pytest.raises(TrainingError, match="1 is not empty: choose another --out"):
        combine([one, one], RunFolder(one))


@pytest.mark.parametrize("share", [0, 0.5])
@pytest.mark.parametrize(
    "file",
    ["windows.npy", "training_windows.npy", "validated.npz", "model.keras", "contract.json", "provenance.json"],
)
def test_a_run_with_a_broken_file_is_refused_and_nothing_is_written(file: str, share: float, tmp_path: Path) -> None:
    run = finished_run(tmp_path / "run", 1)
    content = (run / file).read_bytes()
    (run / file).write_bytes(content[: round(share * len(content))])
    message = rf"run/{file} cannot be read: ."
    with pytest.raises(UnreadableRun, match=message):
        combine([run, run], RunFolder(tmp_path / "both"))
    if file != "validated.npz":  # only combine reads this file
        with pytest.raises(UnreadableRun, match=message):
            export_run(run, "m", "1.0.0", tmp_path / "m", int8=True)
    if file in ("model.keras", "contract.json"):
        with pytest.raises(UnreadableRun, match=message):
            copy_matching_layers(build_initial_model(Recipe(arch="lrcn"), CONTRACT, 4), CONTRACT, run)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_full_disk_leaves_no_file(
    files_no_longer_than: Callable[[int], AbstractContextManager[None]], tmp_path: Path
) -> None:
    folders = [finished_run(tmp_path / str(seed), seed) for seed in (1, 2)]
    with files_no_longer_than(100_000), pytest.raises(OSError, match=r"too large|written"):
        combine(folders, RunFolder(tmp_path / "both"))
    assert not (tmp_path / "both").exists()
    with files_no_longer_than(10_000), pytest.raises(ExportError, match=r"cannot write the model: .*too large"):
        export_run(folders[0], "m", "1.0.0", tmp_path / "m")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["1", "2"]
