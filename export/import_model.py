"""Wraps a model of somebody else, from Keras or as a float ONNX graph, into a verified ONNX file with a contract."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from harstream.export.export_run import write_model
from harstream.export.keras_to_onnx import to_onnx
from harstream.export.verify import TOLERANCE, session
from harstream.export.window_graph import attach_contract
from harstream.models.catalogue import WHOLE
from harstream.models.contract import Channels, DefaultView, ModelContract, Normalisation
from harstream.models.finished_run import UnreadableRun, read_model
from harstream.models.onnx_file import UnsafeOnnxFile, check_onnx_file
from harstream.models.transform import to_model_input

Scale = Literal["0..1", "-1..1", "0..255"]
NORMALISATIONS: dict[Scale, Normalisation] = {"0..1": "0 to 1", "-1..1": "-1 to 1", "0..255": "divide by 255"}
"""The contract's word for each scale. A graph of 0..255 gets a Cast in front, and then takes bytes."""
WINDOWS = 3
"""Windows of noise on which the graph is compared with its source."""
KERAS_2_ONLY = ("time_major",)
"""Keys of layers in .h5 files of Keras 2 that Keras 3 does not know. They were false in every released model."""


class CannotImport(Exception):
    """A model cannot be imported, and no file was written."""


@dataclass(frozen=True)
class Meaning:
    """What a model's file does not say."""

    name: str
    version: str
    labels: tuple[str, ...]
    background: tuple[str, ...]
    rate: float | None
    """Frames per second of a window. None: the frames were spread evenly over a whole clip."""
    scale: Scale
    channels: Channels
    threshold: float
    has_logits: bool
    """Whether the outputs are logits, so that a softmax must follow."""
    view: DefaultView = "picture"
    """What the model is shown where nothing else is asked."""


def import_model(source: Path, meaning: Meaning, out: Path) -> ModelContract:
    """Convert, verify and write a model. Return its contract.

    Raises CannotImport, ContractError and ExportError.
    """
    graph, expected = _keras_graph(source) if source.suffix != ".onnx" else (_onnx_graph(source), None)
    T, H, W = _make_channels_last(graph)
    _cast_bytes(graph, meaning.scale)
    if meaning.has_logits:
        _append_softmax(graph)
    contract = ModelContract(
        name=meaning.name, version=meaning.version, labels=meaning.labels, background=meaning.background,
        frames=T, height=H, width=W, rate=meaning.rate, channels=meaning.channels,
        normalisation=NORMALISATIONS[meaning.scale], unknown_threshold=meaning.threshold,
        view=meaning.view,
    )  # fmt: skip
    attach_contract(graph, contract)
    difference = _verify(graph, contract, expected if not meaning.has_logits else None, meaning.scale)
    report = {"model": meaning.name, "version": meaning.version, "imported": source.name, "difference": difference}
    write_model(out, {WHOLE: graph.SerializeToString()}, None, report)
    return contract


def _keras_graph(source: Path) -> tuple[onnx.ModelProto, Any]:
    """Return the graph of a Keras model, and the model."""
    with TemporaryDirectory() as folder:
        file = _readable_by_keras_3(source, Path(folder)) if source.suffix in (".h5", ".hdf5") else source
        try:
            model = read_model(file)
        except UnreadableRun as error:
            raise CannotImport(str(error).replace(str(file), str(source))) from error
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise CannotImport(f"expected one input and one output, got {len(model.inputs)} and {len(model.outputs)}")
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    return to_onnx(model, "frames", "scores"), model


def _readable_by_keras_3(source: Path, folder: Path) -> Path:
    """Copy an .h5 file without the keys that Keras 3 refuses. Raises CannotImport for Python code in it."""
    import h5py

    copy = folder / "model.h5"
    try:
        shutil.copyfile(source, copy)
        with h5py.File(copy, "r+") as file:
            config = file.attrs.get("model_config")
            if config is None:
                raise CannotImport(f"{source} has weights and no layers: save the whole model with model.save()")
            file.attrs["model_config"] = json.dumps(_cleaned(json.loads(config)))
    except (OSError, ValueError) as error:
        raise CannotImport(f"expected a Keras model in {source}: {str(error).splitlines()[0]}") from error
    return copy


def _cleaned(config: Any) -> Any:
    if isinstance(config, list):
        return [_cleaned(each) for each in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "Lambda":
        raise CannotImport("the model has a Lambda layer, which is Python code from its file: replace it by a layer")
    return {key: _cleaned(value) for key, value in config.items() if key not in KERAS_2_ONLY or value}


def _onnx_graph(source: Path) -> onnx.ModelProto:
    try:
        check_onnx_file(source)
        graph = onnx.load(str(source))
    except (OSError, UnsafeOnnxFile, ValueError) as error:
        raise CannotImport(f"expected an ONNX model in {source}: {error}") from error
    constants = {tensor.name for tensor in graph.graph.initializer}
    inputs = [each for each in graph.graph.input if each.name not in constants]
    if len(inputs) != 1 or len(graph.graph.output) != 1:
        raise CannotImport(f"expected one input and one output, got {len(inputs)} and {len(graph.graph.output)}")
    del graph.graph.input[:]
    graph.graph.input.extend(inputs)
    for value in (*graph.graph.input, *graph.graph.output):
        if value.type.tensor_type.shape.dim:
            value.type.tensor_type.shape.dim[0].dim_param = "N"
    return graph


def _make_channels_last(graph: onnx.ModelProto) -> tuple[int, int, int]:
    """Give the graph an input (N, T, H, W, 3), and return T, H and W."""
    (value,) = graph.graph.input
    sides = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
    if len(sides) != 5 or min(sides[1:]) < 1 or 3 not in sides[1:]:
        raise CannotImport(
            "expected windows of pictures of a fixed size, (N, frames, height, width, 3) or with the 3 colours on "
            f"another axis, got {[dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]}"
        )
    colours = next(axis for axis in (4, 2, 1) if sides[axis] == 3) if 3 in (sides[4], sides[2], sides[1]) else 0
    if not colours:
        raise CannotImport(f"expected the 3 colours on the last, the third or the second axis, got {sides}")
    if colours != 4:
        frames, height, width = (sides[axis] for axis in range(1, 5) if axis != colours)
        order = list(range(4))
        order.insert(colours, 4)
        _insert_first(graph, helper.make_node("Transpose", ["windows"], [value.name], perm=order))
        _set_input(graph, value.type.tensor_type.elem_type, ["N", frames, height, width, 3])
        return frames, height, width
    return sides[1], sides[2], sides[3]


def _cast_bytes(graph: onnx.ModelProto, scale: Scale) -> None:
    """Let a graph of floats from 0 to 255 take bytes. Raises CannotImport if the scale does not fit the input."""
    (value,) = graph.graph.input
    kind, dims = value.type.tensor_type.elem_type, value.type.tensor_type.shape.dim
    is_bytes = kind == TensorProto.UINT8
    if is_bytes and scale == "0..255":
        return
    if is_bytes or kind != TensorProto.FLOAT:
        raise CannotImport(
            f"expected an input of float32, got {TensorProto.DataType.Name(kind).lower()}"
            + (": its scale is 0..255" if is_bytes else "")
        )
    if scale == "0..255":
        _insert_first(graph, helper.make_node("Cast", ["bytes"], [value.name], to=TensorProto.FLOAT))
        _set_input(graph, TensorProto.UINT8, ["N", *(dim.dim_value for dim in dims[1:])])


def _insert_first(graph: onnx.ModelProto, node: onnx.NodeProto) -> None:
    graph.graph.node.insert(0, node)


def _set_input(graph: onnx.ModelProto, kind: int, sides: Sequence[str | int]) -> None:
    """Make the first input of the first node the input of the graph."""
    del graph.graph.input[:]
    graph.graph.input.append(helper.make_tensor_value_info(graph.graph.node[0].input[0], kind, sides))


def _append_softmax(graph: onnx.ModelProto) -> None:
    (value,) = graph.graph.output
    graph.graph.node.append(helper.make_node("Softmax", [value.name], ["probabilities"], axis=-1))
    value.name = "probabilities"


def _verify(graph: onnx.ModelProto, contract: ModelContract, model: Any, scale: Scale) -> float | None:
    """Run windows of noise together and one by one. Return the largest difference to Keras. Raises CannotImport."""
    shape = (WINDOWS, contract.frames, contract.height, contract.width, 3)
    frames = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    frames[0] = np.linspace(0, 255, contract.width, dtype=np.uint8)[None, None, :, None]
    windows = to_model_input(frames, contract.channels, contract.normalisation)
    scores = _run(graph, windows)
    if scores.shape != (WINDOWS, len(contract.labels)):
        raise CannotImport(
            f"expected {len(contract.labels)} outputs, one for each label, got scores of shape {scores.shape[1:]}"
        )
    if not (np.isfinite(scores).all() and scores.min() >= 0 and np.abs(scores.sum(axis=1) - 1).max() < 0.01):
        raise CannotImport(
            f"expected scores from 0 to 1 that sum to 1, got {scores.min():.3g} to {scores.max():.3g}, "
            f"sum {scores[0].sum():.3g}: if the model ends without a softmax, add --logits"
        )
    alone = np.concatenate([_run(graph, window[None]) for window in windows])
    differences = [float(np.abs(alone - scores).max())]
    if model is not None:
        seen = windows.astype(np.float32) if scale == "0..255" else windows
        differences.append(float(np.abs(np.asarray(model.predict(seen, verbose=0)) - scores).max()))
    if max(differences) > TOLERANCE:
        raise CannotImport(
            f"the converted graph differs by {max(differences):.1e} in probability, but at most {TOLERANCE:.0e} is "
            "allowed"
        )
    return differences[-1] if model is not None else None


def _run(graph: onnx.ModelProto, windows: NDArray[Any]) -> NDArray[np.float32]:
    try:
        opened = session(graph)
        return np.asarray(opened.run(None, {opened.get_inputs()[0].name: windows})[0], dtype=np.float32)
    except Exception as error:  # ONNX Runtime's exceptions have no common base
        raise CannotImport(f"the graph cannot run: {str(error).splitlines()[0][-300:]}") from error
