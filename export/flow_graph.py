"""Optical flow as an ONNX graph of few nodes, channels first.

tf2onnx makes some 200 nodes of models.motion.OpticalFlow, with a transpose around every filter; here sums over
neighbours are pools, and products of channels are taken several at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, compose, helper, numpy_helper

from models.motion import NOISE, SCALES, WINDOW

FLOW = "flow"


def with_flow_before(rest: onnx.ModelProto, height: int, width: int) -> onnx.ModelProto:
    """The graph frames (N, 2, H, W, 3) uint8 -> what `rest` gives, which takes what OpticalFlow gives, as `flow`
    (N, H, W, 7)."""
    before = flow_graph(height, width, rest.opset_import[0].version, rest.ir_version)
    joined = compose.merge_models(before, rest, io_map=[(FLOW, FLOW)], prefix1="flow/")
    del joined.opset_import[:]  # the same twice, which the quantizer refuses
    joined.opset_import.extend(rest.opset_import)
    # The prefix that keeps names apart stands before those of inputs, too.
    frames = joined.graph.input[0].name
    for node in joined.graph.node:
        node.input[:] = ["frames" if name == frames else name for name in node.input]
    joined.graph.input[0].name = "frames"
    return joined


def flow_graph(height: int, width: int, opset: int, ir_version: int) -> onnx.ModelProto:
    """frames (N, 2, H, W, 3) uint8 -> flow (N, H, W, 7) float32, see models.motion.OpticalFlow."""
    graph = _Graph()
    grey = graph.node("ReduceMean", [graph.node("Cast", ["frames"], to=TensorProto.FLOAT)], axes=[4], keepdims=0)
    grey = graph.node("Div", [grey, graph.constant(np.float32(255))])
    smooth = graph.mean(grey, 3)
    changed = graph.node("Sub", [graph.channels(grey, 1), graph.channels(grey, 0)])
    seen = [graph.node("Mul", [changed, graph.constant(np.float32(3))])]
    for scale in SCALES:
        coarse = smooth
        if scale > 1:
            coarse = graph.node("AveragePool", [smooth], kernel_shape=[scale, scale], strides=[scale, scale])
        seen.append(graph.enlarged(_lucas_kanade(graph, coarse), scale))
    together = graph.node("Concat", seen, axis=1)
    graph.node("Transpose", [together], output=FLOW, perm=[0, 2, 3, 1])
    made = helper.make_graph(
        graph.nodes,
        "optical flow",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["N", 2, height, width, 3])],
        [helper.make_tensor_value_info(FLOW, TensorProto.FLOAT, ["N", height, width, 1 + 2 * len(SCALES)])],
        graph.initializers,
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version)


def _lucas_kanade(graph: _Graph, pair: str) -> str:
    """Grey levels (N, 2, h, w) -> tanh of half the flow (N, 2, h, w)."""
    before, after = graph.channels(pair, 0), graph.channels(pair, 1)
    total, change = graph.node("Add", [before, after]), graph.node("Sub", [after, before])
    three = graph.node("Concat", [total, total, change], axis=1)
    edged = graph.node("Pad", [three, graph.constant(np.array([0, 0, 1, 1, 0, 0, 1, 1]))], mode="edge")
    slopes = np.zeros((3, 1, 3, 3), dtype=np.float32)  # of the mean picture along x and y, and half of that along time
    slopes[0, 0, 1, [0, 2]] = slopes[1, 0, [0, 2], 1] = -0.25, 0.25
    slopes[2, 0, 1, 1] = 0.5
    along = graph.node("Conv", [edged, graph.constant(slopes)], group=3)
    x, y, t = 0, 1, 2
    products = graph.mean(graph.products(along, (x, x, y, x, y), (x, y, y, t, t)), WINDOW)
    noise = np.array([NOISE, 0, NOISE, 0, 0], dtype=np.float32).reshape(1, 5, 1, 1)
    tensor = graph.node("Add", [products, graph.constant(noise)])
    xx, xy, yy, xt, yt = range(5)
    solved = graph.node(
        "Sub", [graph.products(tensor, (xy, xy, xx), (yt, xt, yy)), graph.products(tensor, (yy, xx, xy), (xt, yt, xy))]
    )
    shifts, determinant = graph.channels(solved, 0, 1), graph.channels(solved, 2)
    return graph.node("Tanh", [graph.node("Div", [shifts, determinant])])


class _Graph:
    """Nodes and constants so far; pictures are (N, C, H, W)."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def node(self, kind: str, inputs: list[str], *, output: str = "", **attributes: Any) -> str:
        output = output or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, values: NDArray[np.generic] | np.generic) -> str:
        name = f"constant_{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def mean(self, pictures: str, side: int) -> str:
        """Over a square (side, side), with zeros around the picture."""
        pads = [side // 2] * 4
        return self.node("AveragePool", [pictures], kernel_shape=[side, side], pads=pads, count_include_pad=1)

    def channels(self, pictures: str, *chosen: int) -> str:
        return self.node("Gather", [pictures, self.constant(np.array(chosen))], axis=1)

    def products(self, pictures: str, channels: tuple[int, ...], others: tuple[int, ...]) -> str:
        return self.node("Mul", [self.channels(pictures, *channels), self.channels(pictures, *others)])

    def enlarged(self, pictures: str, times: int) -> str:
        """Each pixel `times` times along both sides."""
        if times == 1:
            return pictures
        scales = self.constant(np.array([1, 1, times, times], dtype=np.float32))
        settings = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self.node("Resize", [pictures, "", scales], **settings)
