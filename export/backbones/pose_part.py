"""Converts MoveNet Lightning, which finds the joints of one person, to ONNX, as a part of a model's rows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import cv2
import numpy as np
import onnx
import tensorflow as tf
from numpy.typing import NDArray
from onnx import TensorProto, helper

from harstream.export.backbones.half_precision import store_weights_in_half
from harstream.export.backbones.movenet import TOLERANCE, converted, drawn_people, in_tensorflow, with_bytes
from harstream.export.backbones.tfjs_graph import read_graph
from harstream.export.verify import OutputsDiffer, session
from harstream.models.part_networks import POSE

SIZE = POSE.part.height, POSE.part.width
SIDE = 192
"""The network's own input is a square. The pictures lie in its middle, between two black bars."""
JOINTS = 17
PICTURES, NUMBERS = "pictures", "joints"


def convert(model: bytes, weights: bytes, properties: dict[str, str]) -> tuple[onnx.ModelProto, float]:
    """Return the verified graph, and its largest difference from TensorFlow.

    Pictures (N, 144, 192, 3) uint8 RGB -> (N, 51): y, x and confidence of 17 joints, in the order of COCO. y and x are
    shares of the square of 192 x 192 in whose middle the picture is.

    `model` and `weights` are the two files of a graph model of TensorFlow.js. `properties` go into the file's metadata.
    Raises OutputsDiffer, and ValueError for files that cannot be read.
    """
    graph = with_bytes(read_graph(model, weights))
    proto = _of_many(store_weights_in_half(converted(graph, "square", "found")))
    helper.set_model_props(proto, properties)
    proto.producer_name = "harstream"
    onnx.checker.check_model(proto, full_check=True)
    return proto, _difference(graph, proto)


def _of_many(one: onnx.ModelProto) -> onnx.ModelProto:
    """Return the graph of N pictures. The network itself takes one, so a Scan runs it for each.

    Its weights stand inside of the Scan, because a runtime prepares them for its convolutions only there.
    """
    constants = [
        helper.make_tensor(name, TensorProto.INT64, [len(values)], values)
        for name, values in (("bars", [_bar(), 0, 0, _bar(), 0, 0]), ("first", [0]), ("vector", [3 * JOINTS]))
    ]
    body = helper.make_graph(
        [
            helper.make_node("Pad", ["picture", "bars"], ["padded"]),
            helper.make_node("Unsqueeze", ["padded", "first"], ["square"]),
            *one.graph.node,
            helper.make_node("Reshape", ["found", "vector"], ["numbers"]),
        ],
        "person",
        [helper.make_tensor_value_info("picture", TensorProto.UINT8, [*SIZE, 3])],
        [helper.make_tensor_value_info("numbers", TensorProto.FLOAT, [3 * JOINTS])],
        [*one.graph.initializer, *constants],
    )
    scan = helper.make_node("Scan", [PICTURES], [NUMBERS], body=body, num_scan_inputs=1)
    graph = helper.make_graph(
        [scan],
        "movenet_lightning",
        [helper.make_tensor_value_info(PICTURES, TensorProto.UINT8, ["N", *SIZE, 3])],
        [helper.make_tensor_value_info(NUMBERS, TensorProto.FLOAT, ["N", 3 * JOINTS])],
    )
    return helper.make_model(graph, opset_imports=one.opset_import, ir_version=one.ir_version)


def _bar() -> int:
    return (SIDE - SIZE[0]) // 2


def _difference(graph: tf.compat.v1.GraphDef, proto: onnx.ModelProto) -> float:
    """Return the largest difference on drawn people, from pictures one by one. Raises OutputsDiffer."""
    pictures = np.concatenate(list(_pictures()))
    got = np.asarray(session(proto).run(None, {PICTURES: pictures})[0])
    squares = np.pad(pictures, ((0, 0), (_bar(), _bar()), (0, 0), (0, 0)))
    expected = np.concatenate(in_tensorflow(graph, [square[None] for square in squares])).reshape(got.shape)
    difference = float(np.abs(got - expected).max())
    if difference > TOLERANCE:
        raise OutputsDiffer(
            f"the converted graph differs from TensorFlow by {difference:.1e}, but at most {TOLERANCE:.0e} is allowed: "
            "no file was written"
        )
    return difference


def _pictures() -> Iterator[NDArray[np.uint8]]:
    for picture in islice(drawn_people([SIZE[::-1]] * 4), None):
        yield cv2.resize(picture[0], SIZE[::-1], interpolation=cv2.INTER_AREA).astype(np.uint8)[None]
