"""The scores of classes are summed to those of labels, in Keras and in the exported graphs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")
import keras

from harstream.models import architectures
from harstream.models.layers.sum_of_classes import sum_matrix, with_label_scores

pytestmark = pytest.mark.training

LABEL_OF = (0, 1, 2, 2)
SIZE: dict[str, Any] = {"frames": 6, "height": 64, "width": 64, "classes": 4}
WINDOWS = np.random.default_rng(5).integers(0, 256, (3, 6, 64, 64, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", ["lrcn", "flow_tcn", "convlstm"])
def test_a_label_gets_the_sum_of_its_classes(name: str, tmp_path: Path) -> None:
    model = architectures.build(name, **SIZE)
    classes = model.predict(WINDOWS, verbose=0)
    with_label_scores(model, LABEL_OF).save(tmp_path / "model.keras")
    labels = keras.models.load_model(tmp_path / "model.keras").predict(WINDOWS, verbose=0)
    assert labels.shape == (3, 3)
    assert labels == pytest.approx(np.c_[classes[:, :2], classes[:, 2] + classes[:, 3]], abs=1e-6)


def test_a_model_whose_classes_are_its_labels_stays_unchanged() -> None:
    model = architectures.build("lrcn", **SIZE)
    assert with_label_scores(model, range(4)) is model


def test_a_model_that_is_not_sequential_can_output_labels() -> None:
    frames = keras.Input((2,))
    model = keras.Model(frames, keras.layers.Dense(4, activation="softmax", name="scores")(frames))
    assert with_label_scores(model, LABEL_OF).output_shape == (None, 3)


@pytest.mark.parametrize("name", ["lrcn", "flow_tcn", "convlstm"])
def test_exported_graphs_output_labels(name: str) -> None:
    pytest.importorskip("tf2onnx")
    from harstream.export.keras_to_onnx import convert, divide_logits
    from harstream.export.verify import largest_difference

    model = divide_logits(with_label_scores(architectures.build(name, **SIZE), LABEL_OF), 0.5)
    expected, candidates = model.predict(WINDOWS, verbose=0), convert(model)
    assert expected.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    for graphs in filter(None, ((candidates.plain,), candidates.fused and (candidates.fused,), candidates.parts)):
        assert largest_difference(expected, WINDOWS, *graphs) < 1e-4


def test_classes_are_summed() -> None:
    assert sum_matrix((0, 1, 1)).tolist() == [[1, 0], [0, 1], [0, 1]]
