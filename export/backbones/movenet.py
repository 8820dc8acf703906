"""Converts MoveNet, which finds people and their joints, to ONNX, and compares it with TensorFlow on drawn people."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from numpy.typing import NDArray

from harstream.export.backbones.half_precision import store_weights_in_half
from harstream.export.backbones.tfjs_graph import read_graph
from harstream.export.convlstm_graph import OPSET
from harstream.export.verify import OutputsDiffer, session
from harstream.scene.film import frames
from harstream.scene.script import single

SOURCE, TARGET = "picture", "people"
SIZES = ((256, 192), (256, 160), (192, 256), (384, 288))
"""Width and height of the pictures on which both are compared."""
TOLERANCE = 1e-4
"""The largest difference of a place, in shares of the picture, or of a score. Joints lie on a grid of a quarter of the
pixels, with an offset; a joint that falls into another cell than in TensorFlow would differ by far more."""


@dataclass(frozen=True)
class Comparison:
    """How much the ONNX graph differs from TensorFlow."""

    largest_difference: float
    pictures: int
    people: int
    """People with a score of at least 0.2 in all pictures together, as TensorFlow finds them."""


def convert(model: bytes, weights: bytes, properties: dict[str, str]) -> tuple[onnx.ModelProto, Comparison]:
    """Return the verified graph: an RGB picture (1, H, W, 3) uint8, H and W multiples of 32 -> people (1, 6, 56).

    `model` and `weights` are the two files of a graph model of TensorFlow.js. `properties` go into the file's metadata.
    Raises OutputsDiffer, and ValueError for files that cannot be read.
    """
    graph = with_bytes(read_graph(model, weights))
    proto = store_weights_in_half(_of_any_size(converted(graph, SOURCE, TARGET)))
    onnx.helper.set_model_props(proto, properties)
    proto.producer_name = "harstream"
    onnx.checker.check_model(proto, full_check=True)
    return proto, _compared(graph, proto)


def converted(graph: tf.compat.v1.GraphDef, source: str, target: str) -> onnx.ModelProto:
    """Return the ONNX graph with these names of its input and output."""
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    tf.get_logger().setLevel(logging.ERROR)  # tf2onnx calls what TensorFlow calls old
    proto, _ = tf2onnx.convert.from_graph_def(
        graph, name="movenet", input_names=["input:0"], output_names=["Identity:0"], opset=OPSET
    )
    names = {"input:0": source, "Identity:0": target}
    for node in proto.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for value in (*proto.graph.input, *proto.graph.output):
        value.name = names[value.name]
    return proto


def with_bytes(graph: tf.compat.v1.GraphDef) -> tf.compat.v1.GraphDef:
    """Let the graph take uint8 in place of int32. It casts its input to float in its first node."""
    for node in graph.node:
        if node.op == "Placeholder":
            node.attr["dtype"].type = tf.uint8.as_datatype_enum
        elif "input" in node.input:
            if node.op != "Cast":
                raise ValueError(f"expected that only a Cast reads the picture, got {node.op}")
            node.attr["SrcT"].type = tf.uint8.as_datatype_enum
    return graph


def _of_any_size(proto: onnx.ModelProto) -> onnx.ModelProto:
    for axis, name in ((1, "H"), (2, "W")):
        proto.graph.input[0].type.tensor_type.shape.dim[axis].dim_param = name
    return proto


def _compared(graph: tf.compat.v1.GraphDef, proto: onnx.ModelProto) -> Comparison:
    pictures = list(drawn_people(SIZES))
    runtime = session(proto)
    got = [np.asarray(runtime.run(None, {SOURCE: picture})[0]) for picture in pictures]
    expected = in_tensorflow(graph, pictures)
    difference = max(float(np.abs(one - other).max()) for one, other in zip(expected, got, strict=True))
    people = sum(int((one[0, :, -1] >= 0.2).sum()) for one in expected)
    if difference > TOLERANCE or people < len(pictures) // 2:
        raise OutputsDiffer(
            f"the converted graph differs from TensorFlow by {difference:.1e}, and finds {people} people in "
            f"{len(pictures)} pictures, but at most {TOLERANCE:.0e} is allowed: no file was written"
        )
    return Comparison(difference, len(pictures), people)


def in_tensorflow(graph: tf.compat.v1.GraphDef, pictures: list[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
    with tf.Graph().as_default() as place, tf.compat.v1.Session(graph=place) as runtime:
        tf.import_graph_def(graph, name="")
        return [np.asarray(runtime.run("Identity:0", {"input:0": picture})) for picture in pictures]


def drawn_people(sizes: Sequence[tuple[int, int]]) -> Iterator[NDArray[np.uint8]]:
    """Yield pictures (1, H, W, 3) in RGB of drawn people who stand, jump and lie, one for each size and activity."""
    for seed, size in enumerate(sizes):
        for activity in (None, "JumpingJack", "Lunges", "PushUps"):
            _, picture = next(islice(frames(single(activity, 0, 1.0), seed, rate=2.0), 1, None))
            small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            yield cv2.cvtColor(small, cv2.COLOR_BGR2RGB).astype(np.uint8)[None]
