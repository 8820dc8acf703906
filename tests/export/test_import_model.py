"""Models as tutorials leave them become models of harstream that give the same scores, or are refused in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import h5py
import keras
import onnx
from onnx import TensorProto, helper, numpy_helper

from harstream.export.import_model import CannotImport, Meaning, import_model
from harstream.export.keras_to_onnx import to_onnx
from harstream.models.catalogue import find_model
from harstream.models.contract import ContractError
from harstream.stream.recognition.onnx_runtime import load_engine, open_model
from harstream.wire.errors import ModelError
from tests.support.command import Harstream

pytestmark = pytest.mark.training

T, SIDE, LABELS = 4, 16, ("Jump", "Walk", "Idle")
FRAMES = np.random.default_rng(3).integers(0, 256, (T, SIDE, SIDE, 3), np.uint8)


def meaning(**changes: Any) -> Meaning:
    values: dict[str, Any] = {
        "name": "theirs", "version": "1.0.0", "labels": LABELS, "background": ("Idle",), "rate": 8.0,
        "scale": "0..1", "channels": "RGB", "threshold": 0.8, "has_logits": False,
    }  # fmt: skip
    return Meaning(**(values | changes))


def convlstm(last: str = "softmax") -> keras.Model:
    """The ConvLSTM of the tutorials, smaller."""
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.layers.Input((T, SIDE, SIDE, 3)),
            keras.layers.ConvLSTM2D(2, 3, activation="tanh", recurrent_dropout=0.2, return_sequences=True),
            keras.layers.MaxPooling3D((1, 2, 2), padding="same"),
            keras.layers.TimeDistributed(keras.layers.Dropout(0.2)),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation=last),
        ]
    )


def lrcn() -> keras.Model:
    """The LRCN of the tutorials, smaller."""
    keras.utils.set_random_seed(2)
    return keras.Sequential(
        [
            keras.layers.Input((T, SIDE, SIDE, 3)),
            keras.layers.TimeDistributed(keras.layers.Conv2D(4, 3, padding="same", activation="relu")),
            keras.layers.TimeDistributed(keras.layers.MaxPooling2D(4)),
            keras.layers.TimeDistributed(keras.layers.Flatten()),
            keras.layers.LSTM(8),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


def scores(folder: Path) -> Any:
    engine = open_model(find_model(str(folder)), "cpu")
    return engine.score(engine.encode(FRAMES)[None])[0]


@pytest.mark.parametrize("build", [convlstm, lrcn])
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_keras_model_gives_the_same_scores_in_a_stream(
    tmp_path: Path, build: Callable[[], keras.Model], suffix: str
) -> None:
    model = build()
    model.save(tmp_path / f"a{suffix}")
    contract = import_model(tmp_path / f"a{suffix}", meaning(), tmp_path / "theirs")
    assert (contract.frames, contract.height, contract.width, contract.rate) == (T, SIDE, SIDE, 8.0)
    expected = model.predict(FRAMES[None] / np.float32(255), verbose=0)[0]
    assert scores(tmp_path / "theirs") == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("scale", "channels", "seen"),
    [
        ("0..1", "BGR", FRAMES[..., ::-1] / np.float32(255)),
        ("-1..1", "RGB", FRAMES / np.float32(127.5) - np.float32(1)),
        ("0..255", "RGB", FRAMES.astype(np.float32)),
        ("0..255", "BGR", FRAMES[..., ::-1].astype(np.float32)),
    ],
)
def test_colours_have_the_scale_and_the_order_that_was_said(
    tmp_path: Path, scale: str, channels: str, seen: Any
) -> None:
    model = convlstm()
    model.save(tmp_path / "a.keras")
    import_model(tmp_path / "a.keras", meaning(scale=scale, channels=channels), tmp_path / "theirs")
    assert scores(tmp_path / "theirs") == pytest.approx(model.predict(seen[None], verbose=0)[0], abs=1e-4)


def test_an_h5_file_of_keras_2_is_read(tmp_path: Path) -> None:
    model = lrcn()
    model.save(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        config = json.loads(file.attrs["model_config"])
        for layer in config["config"]["layers"]:
            layer.pop("module", None)
            layer.pop("registered_name", None)
            if layer["class_name"] == "LSTM":
                layer["config"] |= {"time_major": False, "implementation": 2}
            if layer["class_name"] == "InputLayer":
                layer["config"] = {
                    "batch_input_shape": layer["config"]["batch_shape"], "dtype": "float32", "sparse": False,
                    "ragged": False, "name": "input_1",
                }  # fmt: skip
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "2.13.1"
    import_model(tmp_path / "a.h5", meaning(), tmp_path / "theirs")
    expected = model.predict(FRAMES[None] / np.float32(255), verbose=0)[0]
    assert scores(tmp_path / "theirs") == pytest.approx(expected, abs=1e-4)


def test_a_float_graph_of_tf2onnx_is_wrapped(tmp_path: Path) -> None:
    model = lrcn()
    onnx.save(to_onnx(model, "input_1", "dense"), str(tmp_path / "a.onnx"))
    import_model(tmp_path / "a.onnx", meaning(), tmp_path / "theirs")
    expected = model.predict(FRAMES[None] / np.float32(255), verbose=0)[0]
    assert scores(tmp_path / "theirs") == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("colours", [1, 2, 4])
def test_colours_may_be_on_another_axis(tmp_path: Path, colours: int) -> None:
    sides = [T, SIDE, SIDE]
    sides.insert(colours - 1, 3)
    axes = [axis for axis in range(1, 5) if axis != colours]
    onnx.save(means_of_colours(["N", *sides], axes), str(tmp_path / "a.onnx"))
    import_model(tmp_path / "a.onnx", meaning(has_logits=True), tmp_path / "theirs")
    means = np.exp(FRAMES.mean(axis=(0, 1, 2)) / 255)
    assert scores(tmp_path / "theirs") == pytest.approx(means / means.sum(), abs=1e-4)


def means_of_colours(sides: list[Any], axes: list[int]) -> onnx.ModelProto:
    """A graph whose outputs are the mean red, green and blue."""
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["x"], ["y"], axes=axes, keepdims=0)], "means",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, sides)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_a_model_of_frames_spread_over_clips_is_not_streamed_and_the_reason_is_said(tmp_path: Path) -> None:
    convlstm().save(tmp_path / "a.keras")
    import_model(tmp_path / "a.keras", meaning(rate=None), tmp_path / "theirs")
    with pytest.raises(ModelError, match=r"spread evenly over each clip.*`harstream import --rate`"):
        load_engine(str(tmp_path / "theirs"), "cpu")


@pytest.mark.parametrize(
    ("last", "changes", "error", "expected"),
    [
        ("linear", {}, CannotImport, "add --logits"),
        (
            "softmax",
            {"labels": ("a", "b")},
            CannotImport,
            "expected 2 outputs, one for each label, got scores of shape (3,)",
        ),
        ("softmax", {"labels": ("a", "b", "<c>")}, ContractError, "printable characters"),
        ("softmax", {"background": ("Sleep",)}, ContractError, "must be some of the labels"),
    ],
)
def test_what_does_not_fit_is_one_line_and_writes_nothing(
    tmp_path: Path, last: str, changes: dict[str, Any], error: type[Exception], expected: str
) -> None:
    convlstm(last).save(tmp_path / "a.keras")
    if "labels" in changes:
        changes |= {"background": ()}
    with pytest.raises(error) as caught:
        import_model(tmp_path / "a.keras", meaning(**changes), tmp_path / "theirs")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "theirs").exists()


def test_python_code_in_a_model_is_refused(tmp_path: Path) -> None:
    model = keras.Sequential([keras.layers.Input((T, SIDE, SIDE, 3)), keras.layers.Lambda(lambda x: x), *lrcn().layers])
    for suffix in (".h5", ".keras"):
        model.save(tmp_path / f"a{suffix}")
        with pytest.raises(CannotImport, match=r"Lambda|lambda"):
            import_model(tmp_path / f"a{suffix}", meaning(), tmp_path / "theirs")


@pytest.mark.parametrize(
    ("name", "content"), [("a.h5", b"none"), ("a.keras", b"none"), ("a.onnx", b"\xff"), ("a.h5", b"")]
)
def test_a_broken_file_is_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CannotImport) as caught:
        import_model(tmp_path / name, meaning(), tmp_path / "theirs")
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("sides", "kind", "expected"),
    [
        (["N", "T", SIDE, SIDE, 3], TensorProto.FLOAT, "of a fixed size"),
        (["N", SIDE, SIDE, 3], TensorProto.FLOAT, "of a fixed size"),
        (["N", T, SIDE, SIDE, 4], TensorProto.FLOAT, "of a fixed size"),
        (["N", T, SIDE, SIDE, 3], TensorProto.DOUBLE, "an input of float32, got double"),
    ],
)
def test_a_graph_with_another_input_is_one_line(tmp_path: Path, sides: list[Any], kind: int, expected: str) -> None:
    graph = means_of_colours(sides, [1, 2, 3])
    graph.graph.input[0].type.tensor_type.elem_type = kind
    onnx.save(graph, str(tmp_path / "a.onnx"))
    with pytest.raises(CannotImport, match=expected):
        import_model(tmp_path / "a.onnx", meaning(), tmp_path / "theirs")


def test_a_graph_that_mixes_the_windows_of_a_batch_is_refused(tmp_path: Path) -> None:
    graph = means_of_colours(["N", T, SIDE, SIDE, 3], [1, 2, 3])
    graph.graph.node[0].output[0] = "means"
    graph.graph.node.append(helper.make_node("CumSum", ["means", "axis"], ["y"]))
    graph.graph.initializer.append(numpy_helper.from_array(np.array(0), "axis"))
    onnx.save(graph, str(tmp_path / "a.onnx"))
    with pytest.raises(CannotImport, match="differs by"):
        import_model(tmp_path / "a.onnx", meaning(has_logits=True), tmp_path / "theirs")


def test_the_command_gives_a_folder_that_predict_takes(harstream: Harstream, film: Any, tmp_path: Path) -> None:
    convlstm().save(tmp_path / "a.keras")
    (tmp_path / "labels.txt").write_text("\n".join(LABELS))
    film("yard.mp4", (2, 200))
    options = "--labels", "labels.txt", "--rate", 8, "--scale", "0..1", "--bgr", "--name", "theirs"
    code, running = harstream("import", "a.keras", *options, "--background", "Idle", seconds=120)
    assert code == 0, running.output
    assert harstream("predict", "yard.mp4", "--model", "theirs")[0] == 0
    code, running = harstream("import", "a.keras", *options[:2], *options[4:], "--out", "even", seconds=120)
    assert "cannot be streamed" in " ".join(running.stdout)
    code, running = harstream("predict", "yard.mp4", "--model", "even")
    assert code == 5
    assert "--rate" in running.complaints[0]
