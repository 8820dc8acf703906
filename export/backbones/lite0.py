"""Builds Google's EfficientNet-Lite0 from saved weights, and converts it to ONNX as a part of a model's rows.

Source: Tan and Le 2019, "EfficientNet", table 1, in the form for small devices that Google released in 2020: without
squeeze-and-excitation, and with ReLU6. It has learned the thousand classes of ImageNet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import onnx
from keras import layers
from numpy.typing import NDArray
from onnx import helper

from harstream.export.backbones.half_precision import store_weights_in_half
from harstream.export.backbones.movenet import drawn_people
from harstream.export.keras_to_onnx import to_onnx
from harstream.export.verify import OutputsDiffer, session
from harstream.models.part_networks import LOOK

STAGES = (
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)  # fmt: skip
"""Of each stage: blocks, side of the kernel, stride of the first block, expansion, and channels."""
FIRST, LAST = 32, 1280
"""Channels of the first and of the last convolution."""
MEAN, DEVIATION = 127, 128
"""The network takes (level - MEAN) / DEVIATION."""
EPSILON = 1e-3
TOLERANCE = 0.02
"""The largest difference from TensorFlow, in standard deviations of all numbers, with weights stored in float16."""
Weights = Mapping[str, NDArray[Any]]


def convert(weights: Weights, properties: dict[str, str]) -> tuple[onnx.ModelProto, float]:
    """Return the verified graph, and its largest difference from TensorFlow in standard deviations.

    Pictures (N, height, width, 3) uint8 RGB, of the size of LOOK -> (N, LOOK.numbers): the features of Lite0, in the
    directions that tell the classes of ImageNet apart best. `weights`: the arrays of a state dict. `properties` go into
    the file's metadata. Raises OutputsDiffer, and ValueError for other weights.
    """
    network = build(weights)
    proto = store_weights_in_half(to_onnx(network, "pictures", "look"))
    helper.set_model_props(proto, properties)
    proto.producer_name = "harstream"
    onnx.checker.check_model(proto, full_check=True)
    return proto, _difference(proto, network)


def build(weights: Weights) -> keras.Model:
    """Return the network pictures -> numbers with these weights. Raises ValueError for other weights."""
    try:
        pictures = keras.Input((LOOK.part.height, LOOK.part.width, 3), dtype="uint8")
        x = layers.Rescaling(1 / DEVIATION, -MEAN / DEVIATION)(pictures)
        x = _blocks(_normalized(layers.Conv2D(FIRST, 3, 2, "same", use_bias=False, name="_conv_stem")(x), "_bn0"))
        x = _normalized(layers.Conv2D(LAST, 1, use_bias=False, name="_conv_head")(x), "_bn1")
        numbers = layers.Dense(LOOK.numbers, use_bias=False, name="directions")(layers.GlobalAveragePooling2D()(x))
        model = keras.Model(pictures, numbers, name="lite0")
        for layer in model.layers:
            _set_weights(layer, weights)
    except KeyError as error:
        raise ValueError(f"expected the weights of EfficientNet-Lite0, found none with the name {error}") from error
    return model


def _blocks(x: Any) -> Any:
    number, channels = 0, FIRST
    for blocks, kernel, stride, expansion, wanted in STAGES:
        for block in range(blocks):
            changed = _block(x, f"_blocks.{number}.", kernel, 1 if block else stride, channels * expansion, wanted)
            x = layers.add([x, changed]) if x.shape == changed.shape else changed
            number, channels = number + 1, wanted
    return x


def _block(x: Any, name: str, kernel: int, stride: int, expanded: int, wanted: int) -> Any:
    """Widen to `expanded` channels, convolve each of them, and narrow to `wanted`."""
    if expanded != x.shape[-1]:
        x = _normalized(layers.Conv2D(expanded, 1, use_bias=False, name=f"{name}_expand_conv")(x), f"{name}_bn0")
    x = layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False, name=f"{name}_depthwise_conv")(x)
    x = layers.Conv2D(wanted, 1, use_bias=False, name=f"{name}_project_conv")(_normalized(x, f"{name}_bn1"))
    return layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_bn2")(x)


def _normalized(x: Any, name: str) -> Any:
    return layers.ReLU(6)(layers.BatchNormalization(epsilon=EPSILON, name=name)(x))


def _set_weights(layer: keras.layers.Layer, weights: Weights) -> None:
    match layer:
        case layers.BatchNormalization():
            kinds = "weight", "bias", "running_mean", "running_var"
            layer.set_weights([weights[f"{layer.name}.{kind}"] for kind in kinds])
        case layers.DepthwiseConv2D():
            layer.set_weights([weights[f"{layer.name}.weight"].transpose(2, 3, 0, 1)])
        case layers.Conv2D():
            layer.set_weights([weights[f"{layer.name}.weight"].transpose(2, 3, 1, 0)])
        case layers.Dense():
            layer.set_weights([_directions(weights["_fc.weight"])])


def _directions(classifier: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the directions (features, D) in which the classifier's classes (classes, features) differ most."""
    _, _, directions = np.linalg.svd(classifier - classifier.mean(axis=0), full_matrices=False)
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), largest])  # the same on any machine
    return np.asarray((directions * signs[:, None])[: LOOK.numbers].T, np.float32)


def _difference(proto: onnx.ModelProto, network: keras.Model) -> float:
    """Return the largest difference on drawn people. Raises OutputsDiffer."""
    pictures = np.concatenate([*drawn_people([(LOOK.part.width, LOOK.part.height)] * 4)])
    expected = np.asarray(network(pictures, training=False))
    got = np.asarray(session(proto).run(None, {"pictures": pictures})[0])
    difference = float(np.abs(got - expected).max() / expected.std())
    if not difference <= TOLERANCE:
        raise OutputsDiffer(
            f"the converted graph differs from TensorFlow by {difference:.1e} standard deviations, but at most "
            f"{TOLERANCE:g} is allowed: no file was written"
        )
    return difference
