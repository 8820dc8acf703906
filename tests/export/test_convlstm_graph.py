from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def windows() -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 256, (5, 6, 20, 24, 3), dtype=np.uint8)


def sharpened(model: Any) -> Any:
    """Returns the model with larger weights, so that scores differ between windows and a wrong gate shows."""
    random = np.random.default_rng(3)
    model.set_weights([weight + random.normal(0, 0.1, weight.shape) for weight in model.get_weights()])
    return model


@pytest.mark.parametrize("name", ["convlstm", "convlstm_large", "convlstm_motion"])
def test_the_fused_graph_equals_keras(name: str, windows: NDArray[np.uint8]) -> None:
    from harstream.export.convlstm_graph import convlstm_graph
    from harstream.export.verify import largest_difference
    from harstream.models import architectures

    size: dict[str, Any] = {"frames": 6, "height": 64, "width": 64, "classes": 3}
    model = sharpened(architectures.build(name, **size))
    windows = np.random.default_rng(5).integers(0, 256, (3, 6, 64, 64, 3), dtype=np.uint8)
    expected = model.predict(windows, verbose=0)
    assert largest_difference(expected, windows, convlstm_graph(model)) < 1e-4
    assert np.ptp(expected, axis=0).max() > 1e-3


def test_a_run_with_the_convlstm_of_keras_is_exported(windows: NDArray[np.uint8]) -> None:
    from harstream.export.convlstm_graph import convlstm_graph
    from harstream.export.verify import largest_difference

    model = sharpened(
        keras.Sequential(
            [
                keras.Input(windows.shape[1:], dtype="uint8"),
                keras.layers.Rescaling(1 / 255),
                keras.layers.ConvLSTM2D(4, 3, recurrent_dropout=0.2),
                keras.layers.Flatten(),
                keras.layers.Dense(3, activation="softmax", name="scores"),
            ]
        )
    )
    assert largest_difference(model.predict(windows, verbose=0), windows, convlstm_graph(model)) < 1e-4


def test_every_step_of_the_fused_graph_names_the_batch_dimension() -> None:
    """Without one common name of the dimension, ONNX Runtime takes ten times as long to open the graph."""
    from harstream.export.convlstm_graph import convlstm_graph
    from harstream.models import architectures

    graph = convlstm_graph(architectures.build("convlstm", frames=4, height=64, width=64, classes=3)).graph
    steps = {name for node in graph.node if node.op_type in ("Mul", "Tanh", "Sigmoid") for name in node.output}
    batches = [value.type.tensor_type.shape.dim[0].dim_param for value in graph.value_info if value.name in steps]
    assert len(batches) == len(steps)
    assert set(batches) == {"N"}


@pytest.mark.parametrize("name", ["lrcn", "lrcn_motion"])
def test_encoder_and_head_equal_the_whole_window(name: str) -> None:
    from harstream.export.keras_to_onnx import convert
    from harstream.export.verify import largest_difference
    from harstream.models import architectures

    model = sharpened(architectures.build(name, frames=20, height=64, width=64, classes=4))
    windows = np.random.default_rng(6).integers(0, 256, (4, 20, 64, 64, 3), dtype=np.uint8)
    expected = model.predict(windows, verbose=0)
    candidates = convert(model)
    assert largest_difference(expected, windows, candidates.plain) < 1e-4
    assert candidates.parts
    assert largest_difference(expected, windows, *candidates.parts) < 1e-4


def test_a_graph_that_differs_is_refused(windows: NDArray[np.uint8]) -> None:
    from harstream.export.keras_to_onnx import convert
    from harstream.export.verify import OutputsDiffer, largest_difference

    model = keras.Sequential(
        [
            keras.Input(windows.shape[1:], dtype="uint8"),
            keras.layers.Rescaling(1 / 255),
            keras.layers.GlobalAveragePooling3D(),
            keras.layers.Dense(3, activation="softmax", name="scores"),
        ]
    )
    graph = convert(model).plain
    expected = model.predict(windows, verbose=0)
    assert largest_difference(expected, windows, graph) < 1e-4
    with pytest.raises(OutputsDiffer, match="no file was written"):
        largest_difference(expected + np.float32(2e-4), windows, graph)


def test_a_temperature_goes_into_the_last_layer() -> None:
    from harstream.export.keras_to_onnx import divide_logits
    from harstream.models import architectures

    model = sharpened(architectures.build("lrcn", frames=3, height=64, width=64, classes=3))
    windows = np.random.default_rng(7).integers(0, 256, (2, 3, 64, 64, 3), dtype=np.uint8)
    logits = np.log(model.predict(windows, verbose=0))
    expected = np.exp(logits / 2) / np.exp(logits / 2).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(divide_logits(model, 2.0).predict(windows, verbose=0), expected, atol=1e-5)


def test_a_layer_that_the_builder_does_not_know_is_refused_by_name() -> None:
    from harstream.export.convlstm_graph import NotAConvLSTM, convlstm_graph

    model = keras.Sequential([keras.Input((4, 8, 8, 3), dtype="uint8"), keras.layers.GRU(2, name="my_gru")][:1])
    model.add(keras.layers.Reshape((4, 192)))
    with pytest.raises(NotAConvLSTM, match="reshape"):
        convlstm_graph(model)
