"""A model starts with the weights of a backbone or of another run, or an error says why it cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras

from harstream.models import encoder_and_head as folding
from harstream.models.architectures import CannotBuild
from harstream.models.contract import ModelContract
from harstream.models.finished_run import UnreadableRun
from harstream.training.errors import TrainingError
from harstream.training.initial_weights import build_initial_model, copy_matching_layers
from harstream.training.recipes import Recipe
from harstream.training.run_folder import RunFolder, Validated

pytestmark = pytest.mark.training

CONTRACT = ModelContract("m", "1", ("Jump", "Walk"), frames=3, height=64, width=64, rate=10.0)
OTHER_LABELS = ModelContract("m", "1", ("Fall", "Walk"), frames=3, height=64, width=64, rate=10.0)
MORE_LABELS = ModelContract("m", "1", ("Fall", "Run", "Walk"), frames=3, height=64, width=64, rate=10.0)
LRCN = {f"encoder/conv2d{number}" for number in ("", "_1", "_2", "_3")} | {"head/lstm", "head/scores"}


def finished_run(folder: Path, seed: int = 1) -> keras.Model:
    folder.mkdir()
    model = build_initial_model(Recipe(arch="lrcn", seed=seed), CONTRACT, 2)
    windows = np.zeros((1, 3, 64, 64, 3), np.uint8)
    validated = Validated(np.full((1, 2), 0.5, np.float32), np.zeros(1, np.intp))
    RunFolder(folder).finish(model, CONTRACT, validated=validated, validation=windows, training=windows)
    return model


def same(one: keras.Model, other: keras.Model, layer: str) -> bool:
    weights = [[*model.get_layer("head").get_layer(layer).get_weights()] for model in (one, other)]
    return all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))


def test_a_run_gives_all_its_layers_to_one_with_the_same_labels(tmp_path: Path) -> None:
    before, model = finished_run(tmp_path / "run"), build_initial_model(Recipe(arch="lrcn", seed=2), CONTRACT, 2)
    assert not same(before, model, "lstm")
    start = copy_matching_layers(model, CONTRACT, tmp_path / "run")
    assert (start.file, set(start.copied), start.new) == (tmp_path / "run" / "model.keras", LRCN, ())
    assert same(before, model, "lstm")
    assert same(before, model, "scores")


@pytest.mark.parametrize("contract", [OTHER_LABELS, MORE_LABELS])
def test_the_output_layer_is_new_if_labels_differ(contract: ModelContract, tmp_path: Path) -> None:
    before, model = finished_run(tmp_path / "run"), build_initial_model(Recipe(arch="lrcn", seed=2), contract, 2)
    start = copy_matching_layers(model, contract, tmp_path / "run" / "model.keras")
    assert (set(start.copied), start.new) == (LRCN - {"head/scores"}, ("head/scores",))
    assert same(before, model, "lstm")


def test_a_run_of_another_architecture_is_refused(tmp_path: Path) -> None:
    finished_run(tmp_path / "run")
    with pytest.raises(TrainingError, match=r"no layer of .*model\.keras fits convlstm: start from a run of the same"):
        copy_matching_layers(build_initial_model(Recipe(arch="convlstm"), CONTRACT, 2), CONTRACT, tmp_path / "run")


def test_an_unfinished_run_is_refused(tmp_path: Path) -> None:
    model = build_initial_model(Recipe(arch="lrcn"), CONTRACT, 2)
    with pytest.raises(
        TrainingError, match=r"expected a finished run of `harstream train`, its model\.keras, a shipped"
    ):
        copy_matching_layers(model, CONTRACT, tmp_path)
    (tmp_path / "model.keras").write_text("no model")
    with pytest.raises(UnreadableRun, match=r"model\.keras cannot be read: ."):
        copy_matching_layers(model, CONTRACT, tmp_path)


@pytest.fixture(scope="module")
def backbone_weights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, keras.Model]:
    """Returns a file of weights and the model that it was saved from."""
    encoder, _ = folding.parts(build_initial_model(Recipe(arch="mobilenet_gru", seed=1), CONTRACT, 2)) or (None, None)
    assert encoder is not None
    file = tmp_path_factory.mktemp("weights") / "mobilenet.weights.h5"
    encoder.get_layer("MobileNetV3Small").save_weights(file)
    return file, encoder


def test_a_backbone_has_the_weights_of_the_file_and_keeps_them(backbone_weights: tuple[Path, keras.Model]) -> None:
    file, there = backbone_weights
    model = build_initial_model(Recipe(arch="mobilenet_gru", seed=2, weights=str(file)), CONTRACT, 2)
    encoder = model.get_layer("encoder")
    frames = np.random.default_rng(1).integers(0, 256, size=(2, 64, 64, 3), dtype=np.uint8)
    assert np.array_equal(np.asarray(encoder(frames)), np.asarray(there(frames)))
    model.compile("sgd", "categorical_crossentropy")
    before = encoder.get_weights()
    model.fit(np.stack([frames[0]] * 6).reshape(2, 3, 64, 64, 3), np.eye(2), verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, encoder.get_weights(), strict=True))
    assert len(model.trainable_weights) == 5  # the GRU has three and the output layer has two


def test_a_backbone_without_weights_is_trained() -> None:
    model = build_initial_model(Recipe(arch="mobilenet_gru"), CONTRACT, 2)
    assert len(model.get_layer("encoder").trainable_weights) > 100


def test_a_frozen_backbone_exports_and_equals_keras(backbone_weights: tuple[Path, keras.Model]) -> None:
    from harstream.export.keras_to_onnx import convert
    from harstream.export.verify import largest_difference

    model = build_initial_model(Recipe(arch="mobilenet_gru", weights=str(backbone_weights[0])), CONTRACT, 2)
    windows = np.random.default_rng(1).integers(0, 256, size=(3, 3, 64, 64, 3), dtype=np.uint8)
    expected = np.asarray(model.predict(windows, verbose=0))
    candidates = convert(model)
    assert candidates.parts is not None
    for graphs in ([candidates.plain], candidates.parts):
        assert largest_difference(expected, windows, *graphs) < 1e-4


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("none.h5", r"expected imagenet, none or a file .* found no file none\.h5"),
        (__file__, r"expected weights of MobileNetV3Small without its top"),
    ],
)
def test_weights_that_cannot_be_read_are_refused(weights: str, message: str) -> None:
    with pytest.raises(CannotBuild, match=message):
        build_initial_model(Recipe(arch="mobilenet_gru", weights=weights), CONTRACT, 2)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    build_initial_model(Recipe(arch="lrcn"), CONTRACT, 2).save_weights(tmp_path / "lrcn.weights.h5")
    with pytest.raises(CannotBuild, match="expected weights of MobileNetV3Small"):
        build_initial_model(Recipe(arch="mobilenet_gru", weights=str(tmp_path / "lrcn.weights.h5")), CONTRACT, 2)


def test_an_architecture_without_a_backbone_takes_no_weights() -> None:
    with pytest.raises(CannotBuild, match="lrcn has no backbone"):
        build_initial_model(Recipe(arch="lrcn", weights="imagenet"), CONTRACT, 2)
