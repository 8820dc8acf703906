"""Gives a new model the weights of an exported one, because the shipped models are ONNX files without a model.keras.

An export has no batch normalisation any more: it is part of the convolution before it, or a product and a sum behind
it. Both are one line a channel, y = scale * z + shift, and every normalisation with that line gives the same scores.
`measure_statistics` finds the one that training can continue with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from harstream.models.catalogue import ModelFiles
from harstream.models.contract import ModelContract, contract_from_metadata
from harstream.models.encoder_and_head import parts
from harstream.training.errors import TrainingError

Values = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _Linear:
    """A convolution or a dense layer of a graph, with the line of each channel behind it."""

    kernel: Values
    """As Keras has it: (..., in, out)."""
    scale: Values
    shift: Values


def exported_contract(files: ModelFiles) -> ModelContract:
    """Raises ContractError."""
    model = onnx.load(files.whole, load_external_data=False)
    return contract_from_metadata({entry.key: entry.value for entry in model.metadata_props}, str(files.whole))


def copy_exported_weights(model: keras.Model, contract: ModelContract, files: ModelFiles) -> list[str]:
    """Give the layers of `model` the weights of the exported encoder and head. Return the layers that are not equal.

    If the layer `scores` has other classes, each activity that both know gets its weights, and each class of background
    the mean of the exported ones. Raises ContractError. Raises TrainingError if the graphs are not those of a model of
    convolutions, each with a batch normalisation, and one dense layer.
    """
    if files.encoder is None or files.head is None:
        raise TrainingError(f"{files.folder} has no encoder and head, whose weights could be read: {_ADVICE}")
    theirs = exported_contract(files)
    new = list[str]()
    for part, file in zip(_parts(model), (files.encoder, files.head), strict=True):
        found = list(_linear_layers(onnx.load(file).graph))
        layers = _trained_layers(part)
        if len(found) != len(layers):
            raise TrainingError(f"{file} has {len(found)} layers with weights, {model.name} {len(layers)}: {_ADVICE}")
        for linear, (layer, norm) in zip(found, layers, strict=True):
            is_same = linear.kernel.shape == tuple(layer.kernel.shape)
            if layer.name == "scores" and not (is_same and theirs.labels == contract.labels):
                _fill_scores(layer, contract, linear, theirs)
                new.append(f"{part.name}/{layer.name}")
            elif not is_same:
                raise TrainingError(
                    f"{file} has other weights than {model.name} in {part.name}/{layer.name}: {_ADVICE}"
                )
            else:
                _fill(layer, norm, linear)
    return new


def _parts(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    if (found := parts(model)) is None:
        raise TrainingError(f"{model.name} has no encoder and head, which an exported model could give it: {_ADVICE}")
    return found


def _fill_scores(layer: keras.layers.Layer, contract: ModelContract, linear: _Linear, exported: ModelContract) -> None:
    """Set the columns of classes that both models know. The classes of activities come first, one for each label."""
    kernel, bias = layer.get_weights()
    for index, label in enumerate(contract.activities):
        if label in exported.activities:
            known = exported.activities.index(label)
            kernel[:, index], bias[index] = linear.kernel[:, known], linear.shift[known]
    mine, theirs = len(contract.activities), len(exported.activities)
    if len(bias) > mine and len(linear.shift) > theirs:
        kernel[:, mine:] = linear.kernel[:, theirs:].mean(axis=1, keepdims=True)
        bias[mine:] = linear.shift[theirs:].mean() + np.log((len(linear.shift) - theirs) / (len(bias) - mine))
    layer.set_weights([kernel, bias])


_ADVICE = "start from an exported model of the same architecture, or from a run's model.keras"


def measure_statistics(model: keras.Model, windows: NDArray[np.uint8]) -> None:
    """Set mean and variance of every batch normalisation to those of these windows, without changing the scores.

    Training normalises by the statistics of its batches. With made-up ones, its first step would change everything.
    """
    encoder, head = _parts(model)
    rows = _measured(encoder, _encoder_inputs(encoder, windows))
    _measured(head, rows.reshape(len(windows), *head.input_shape[1:]))


def _encoder_inputs(encoder: keras.Model, windows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    seen = np.stack([windows[:, :-1], windows[:, 1:]], axis=2) if len(encoder.input_shape) == 5 else windows
    return seen.reshape(-1, *encoder.input_shape[1:])


def _measured(part: keras.Model, inputs: NDArray[np.generic]) -> NDArray[np.float32]:
    """Set the statistics of a part's normalisations, and return its outputs for these inputs."""
    norms = [layer for layer in part.layers if isinstance(layer, keras.layers.BatchNormalization)]
    probe = keras.Model(part.input, [*(norm.input for norm in norms), part.output])
    *before, outputs = (np.asarray(each) for each in probe.predict(inputs, batch_size=64, verbose=0))
    for norm, values in zip(norms, before, strict=True):
        gamma, beta, mean, variance = norm.get_weights()
        scale = gamma / np.sqrt(variance + norm.epsilon)
        axes = tuple(range(values.ndim - 1))
        measured, spread = values.mean(axes), values.var(axes)
        norm.set_weights([scale * np.sqrt(spread + norm.epsilon), beta + scale * (measured - mean), measured, spread])
    return np.asarray(outputs, dtype=np.float32)


def _trained_layers(part: keras.Model) -> list[tuple[keras.layers.Layer, keras.layers.BatchNormalization | None]]:
    """Return the layers with a kernel in order, each with the normalisation that follows it."""
    found: list[tuple[keras.layers.Layer, keras.layers.BatchNormalization | None]] = []
    for layer in part.layers:
        if isinstance(layer, keras.layers.BatchNormalization) and found:
            found[-1] = found[-1][0], layer
        elif layer.weights:
            if not hasattr(layer, "kernel"):
                raise TrainingError(f"the weights of {layer.name} cannot be read from an export: {_ADVICE}")
            found.append((layer, None))
    return found


def _fill(layer: keras.layers.Layer, norm: keras.layers.BatchNormalization | None, linear: _Linear) -> None:
    if norm is None:
        layer.set_weights([linear.kernel * linear.scale, *([linear.shift] if layer.use_bias else [])])
        return
    layer.set_weights([linear.kernel])
    ones = np.ones_like(linear.shift)
    norm.set_weights([linear.scale * np.sqrt(1 + norm.epsilon).astype(np.float32), linear.shift, 0 * ones, ones])


def _linear_layers(graph: onnx.GraphProto) -> Iterator[_Linear]:
    """Yield the convolutions and dense layers of a graph in order."""
    constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    for index, node in enumerate(graph.node):
        kernel = _kernel(node, constants)
        if kernel is None:
            continue
        channels = kernel.shape[-1]
        scale, shift = np.ones(channels, np.float32), np.zeros(channels, np.float32)
        if node.op_type == "Conv" and len(node.input) == 3:
            shift = constants[node.input[2]].reshape(channels)
        yield _Linear(kernel, *_with_lines_behind(node, graph.node[index + 1 :], constants, scale, shift))


def _with_lines_behind(
    node: onnx.NodeProto,
    later: Sequence[onnx.NodeProto],
    constants: dict[str, Values],
    scale: Values,
    shift: Values,
) -> tuple[Values, Values]:
    """Follow the output of a layer through products and sums with constants of its channels."""
    output = node.output[0]
    for each in later:
        if output not in each.input:
            continue
        others = [constants[name] for name in each.input if name in constants]
        if each.op_type in ("Mul", "Add") and others and others[0].size in (1, len(scale)):
            value = others[0].reshape(-1) * np.ones_like(scale)
            scale, shift = (scale * value, shift * value) if each.op_type == "Mul" else (scale, shift + value)
        elif each.op_type not in ("Squeeze", "Transpose"):
            break
        output = each.output[0]
    return scale, shift


def _kernel(node: onnx.NodeProto, constants: dict[str, Values]) -> Values | None:
    """Return the kernel of a convolution or a dense layer as Keras has it, None for another node."""
    weights = constants.get(node.input[1]) if len(node.input) > 1 else None
    if weights is None:
        return None
    if node.op_type == "Conv":
        kernel = np.moveaxis(weights, (0, 1), (-1, -2))  # (out, in, h, w) -> (h, w, in, out)
        return kernel[0] if kernel.shape[0] == 1 else kernel  # a line of rows is a picture of one line
    return weights if node.op_type == "MatMul" and "scores" in node.input[1] else None
