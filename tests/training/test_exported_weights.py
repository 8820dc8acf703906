"""A model begins with the weights of an exported one, gives its scores, and can be trained from there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import onnxruntime

from harstream.models.catalogue import find_model
from harstream.models.contract import ModelContract
from harstream.training.errors import TrainingError
from harstream.training.exported_weights import copy_exported_weights, exported_contract, measure_statistics
from harstream.training.initial_weights import build_initial_model, copy_matching_layers, exported_model
from harstream.training.recipes import Recipe

pytestmark = pytest.mark.training

FILES = find_model("flow_tcn")
LEARNED = 36
"""Twelve activities, and 24 classes of background that are reported as one."""


def windows(count: int = 6) -> np.ndarray:
    """Returns windows in which a bright square crosses a pattern, each in its own way."""
    random = np.random.default_rng(1)
    made = np.repeat(random.integers(0, 120, (count, 1, 64, 64, 3), dtype=np.uint8), 20, axis=1)
    for window in made:
        (x, y), (across, down) = random.uniform(8, 40, 2), random.uniform(-1, 1, 2)
        for time, frame in enumerate(window):
            left, top = (int(np.clip(start + time * step, 0, 52)) for start, step in ((x, across), (y, down)))
            frame[top : top + 12, left : left + 12] = 230
    return made


def shipped_scores(given: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(FILES.whole))
    return np.asarray(session.run(None, {session.get_inputs()[0].name: given})[0])


def test_the_scores_are_those_of_the_shipped_model() -> None:
    contract = exported_contract(FILES)
    model = build_initial_model(Recipe(seed=3), contract, LEARNED)
    assert copy_exported_weights(model, contract, FILES) == []
    of_classes, expected = model.predict(windows(), verbose=0), shipped_scores(windows())
    of_labels = np.column_stack([of_classes[:, :12], of_classes[:, 12:].sum(axis=1)])
    assert np.abs(of_labels - expected).max() < 1e-5
    assert np.ptp(expected, axis=0).max() > 0.05  # the windows are not all the same to it


def test_measured_statistics_keep_the_scores_and_let_training_begin_there() -> None:
    contract = exported_contract(FILES)
    model = build_initial_model(Recipe(), contract, LEARNED)
    copy_exported_weights(model, contract, FILES)
    before = model.predict(windows(), verbose=0)
    rows = model.get_layer("encoder")
    pairs = np.stack([windows()[:, :-1], windows()[:, 1:]], axis=2).reshape(-1, 2, 64, 64, 3)
    steady = rows.predict(pairs, verbose=0)

    def error_in_training() -> float:
        return float(np.abs(np.asarray(rows(pairs, training=True)) - steady).mean())

    made_up = error_in_training()
    copy_exported_weights(model, contract, FILES)  # the statistics moved by that one step
    measure_statistics(model, windows())
    assert np.abs(model.predict(windows(), verbose=0) - before).max() < 1e-5
    assert error_in_training() < made_up / 100


def test_a_shipped_models_name_is_enough_to_start_from() -> None:
    assert exported_model(Path("flow_tcn")) == FILES
    other = ModelContract("m", "1", ("Jump", "Walk"))
    start = copy_matching_layers(build_initial_model(Recipe(), other, 2), other, Path("flow_tcn"))
    assert start.new == ("head/scores",)  # other labels
    assert len(start.copied) == 14  # seven convolutions and their normalisations


def test_activities_and_background_that_both_know_keep_their_scores() -> None:
    """Of the shipped labels, two are left, and one is unknown. Four classes of background take the place of seven."""
    theirs = exported_contract(FILES)
    mine = ModelContract("m", "1", ("Punch", "Singing", "PushUps", "background"), background=("background",))
    whole, model = (build_initial_model(Recipe(), contract, classes) for contract, classes in ((theirs, 19), (mine, 7)))
    copy_exported_weights(whole, theirs, FILES)
    assert copy_exported_weights(model, mine, FILES) == ["head/scores"]
    (from_kernel, from_bias), (kernel, bias) = (
        each.get_layer("head").get_layer("scores").get_weights() for each in (whole, model)
    )
    for index, label in ((0, "Punch"), (2, "PushUps")):
        known = theirs.labels.index(label)
        assert np.array_equal(kernel[:, index], from_kernel[:, known])
        assert bias[index] == from_bias[known]
    assert bias[1] == 0  # Singing is new
    assert np.allclose(kernel[:, 3:], from_kernel[:, 12:].mean(axis=1, keepdims=True))
    assert bias[3:] == pytest.approx(from_bias[12:].mean() + np.log(7 / 4))  # together as probable as before


@pytest.mark.parametrize(
    ("arch", "name", "message"),
    [
        ("lrcn", "flow_tcn", "start from an exported model of the same architecture"),
        ("flow_tcn", "lrcn", "start from an exported model of the same architecture"),
        ("lrcn", "lrcn", "cannot be read from an export"),
        ("convlstm", "convlstm", "has no encoder and head"),
        ("convlstm", "flow_tcn", "convlstm has no encoder and head"),
    ],
)
def test_an_export_of_another_architecture_is_refused_in_one_sentence(arch: str, name: str, message: str) -> None:
    contract = exported_contract(find_model(name))
    model = build_initial_model(Recipe(arch=arch), contract, 13)
    with pytest.raises(TrainingError, match=message):
        copy_matching_layers(model, contract, Path(name))


def test_a_name_that_is_neither_is_no_exported_model(tmp_path: Path) -> None:
    assert exported_model(tmp_path) is None
    assert exported_model(Path("flow_tnc")) is None
