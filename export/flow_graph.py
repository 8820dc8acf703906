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

from models.motion import CAMERA_NOISE, DOUBT, FARTHEST, NOISE, SCALES, STEPS, WINDOW

FLOW = "flow"


def with_flow_before(rest: onnx.ModelProto, height: int, width: int) -> onnx.ModelProto:
    """The graph frames (N, 2, H, W, 3) uint8 -> what `rest` gives, which takes what OpticalFlow gives, as `flow`
    (N, H, W, 9)."""
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
    """frames (N, 2, H, W, 3) uint8 -> flow (N, H, W, 9) float32, see models.motion.OpticalFlow."""
    graph = _Graph()
    grey = graph.node("ReduceMean", [graph.node("Cast", ["frames"], to=TensorProto.FLOAT)], axes=[4], keepdims=0)
    grey = graph.node("Div", [grey, graph.constant(np.float32(255))])
    smooth = graph.pooled(graph.edged(grey), 3, stride=1)
    motion = _camera_motion(graph, smooth, height, width)
    both_after = graph.node("Concat", [graph.channels(grey, 1), graph.channels(smooth, 1)], axis=1)
    steady, is_seen = _shifted(graph, both_after, motion, height, width)
    changed = graph.node("Sub", [graph.channels(steady, 0), graph.channels(grey, 0)])
    pair = graph.node("Concat", [graph.channels(smooth, 0), graph.channels(steady, 1)], axis=1)
    flows = [graph.enlarged(_lucas_kanade(graph, graph.pooled(pair, scale)), scale) for scale in SCALES]
    seen = graph.node("Concat", [graph.node("Mul", [changed, graph.constant(np.float32(3))]), *flows], axis=1)
    still = graph.node("Mul", [seen, is_seen])
    of_camera = graph.node("Tanh", [graph.node("Div", [motion, graph.constant(np.float32(4))])])
    everywhere = graph.constant(np.ones((1, 1, height, width), dtype=np.float32))
    together = graph.node("Concat", [still, graph.node("Mul", [of_camera, everywhere])], axis=1)
    graph.node("Transpose", [together], output=FLOW, perm=[0, 2, 3, 1])
    made = helper.make_graph(
        graph.nodes,
        "optical flow",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["N", 2, height, width, 3])],
        [helper.make_tensor_value_info(FLOW, TensorProto.FLOAT, ["N", height, width, 1 + 2 * len(SCALES) + 2])],
        graph.initializers,
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version)


def _camera_motion(graph: _Graph, smooth: str, height: int, width: int) -> str:
    """(N, 2, H, W) -> (N, 2, 1, 1), see models.motion."""
    motion = ""
    for scale in reversed(SCALES):
        h, w = height // scale, width // scale
        both = graph.pooled(smooth, scale)
        before, after = graph.channels(both, 0), graph.channels(both, 1)
        for _ in range(STEPS):
            if not motion:
                motion = _step(graph, before, after, scale, count=h * w)
                continue
            shifted, is_seen = _shifted(
                graph, after, graph.node("Div", [motion, graph.constant(np.float32(scale))]), h, w
            )
            motion = graph.node("Add", [motion, _step(graph, before, shifted, scale, is_seen)])
    return motion


def _step(graph: _Graph, before: str, after: str, scale: int, is_seen: str = "", count: int = 0) -> str:
    """Of the fit of the camera's motion: two pictures (N, 1, h, w), and where both look; or for the first step, in
    which all weighs alike, their number of pixels -> (N, 2, 1, 1)."""
    along = graph.slopes(graph.node("Add", [before, after]), graph.node("Sub", [after, before]))
    x, y, t = 0, 1, 2
    products = graph.products(along, (x, x, y, x, y), (x, y, y, t, t))
    total = graph.constant(np.float32(count + 1))
    if is_seen:
        doubt = graph.node("Mul", [graph.channels(along, t), graph.constant(np.float32(2 / DOUBT))])
        doubled = graph.node("Add", [graph.node("Mul", [doubt, doubt]), graph.constant(np.float32(1))])
        weight = graph.node("Div", [is_seen, graph.node("Mul", [doubled, doubled])])
        products = graph.node("Mul", [products, weight])
        total = graph.node("Add", [graph.total(weight), graph.constant(np.float32(1))])
    half = graph.solved(graph.node("Div", [graph.total(products), total]), CAMERA_NOISE)
    twice = graph.node("Mul", [half, graph.constant(np.float32(2))])
    near = graph.node("Clip", [twice, graph.constant(np.float32(-FARTHEST)), graph.constant(np.float32(FARTHEST))])
    return graph.node("Mul", [near, graph.constant(np.float32(scale))])


def _shifted(graph: _Graph, pictures: str, motion: str, height: int, width: int) -> tuple[str, str]:
    """Pictures (N, C, h, w) and motion (N, 2, 1, 1) -> (N, C, h, w), and 1.0 where it is seen (N, 1, h, w)."""
    across, sees_across = _sampling(graph, graph.channels(motion, 0), width, axis=3)
    down, sees_down = _sampling(graph, graph.channels(motion, 1), height, axis=2)
    moved = graph.node("MatMul", [graph.node("MatMul", [down, pictures]), across])
    return moved, graph.node("Mul", [sees_down, sees_across])


def _sampling(graph: _Graph, shift: str, length: int, axis: int) -> tuple[str, str]:
    """Shift (N, 1, 1, 1) -> weights (N, 1, length, length), of them `axis` the spots; which of these are in it."""
    spots = np.arange(length, dtype=np.float32)
    along, against = ((1, 1, 1, -1), (1, 1, -1, 1)) if axis == 3 else ((1, 1, -1, 1), (1, 1, 1, -1))
    wanted = graph.node("Add", [shift, graph.constant(spots.reshape(along))])
    last = graph.constant(np.float32(length - 1))
    inside = graph.node("Clip", [wanted, graph.constant(np.float32(0)), last])
    apart = graph.node("Abs", [graph.node("Sub", [inside, graph.constant(spots.reshape(against))])])
    weights = graph.node("Relu", [graph.node("Sub", [graph.constant(np.float32(1)), apart])])
    outside = graph.node("Abs", [graph.node("Sub", [wanted, inside])])
    is_in = graph.node("Less", [outside, graph.constant(np.float32(0.5))])
    return weights, graph.node("Cast", [is_in], to=TensorProto.FLOAT)


def _lucas_kanade(graph: _Graph, pair: str) -> str:
    """Grey levels (N, 2, h, w) -> tanh of half the flow (N, 2, h, w)."""
    before, after = graph.channels(pair, 0), graph.channels(pair, 1)
    along = graph.slopes(graph.node("Add", [before, after]), graph.node("Sub", [after, before]))
    x, y, t = 0, 1, 2
    products = graph.mean(graph.products(along, (x, x, y, x, y), (x, y, y, t, t)), WINDOW)
    return graph.node("Tanh", [graph.solved(products, NOISE)])


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

    def slopes(self, total: str, change: str) -> str:
        """Of two pictures' sum and difference (N, 1, h, w): along x and y of their mean, and half of that along time
        (N, 3, h, w)."""
        three = self.node("Concat", [total, total, change], axis=1)
        slopes = np.zeros((3, 1, 3, 3), dtype=np.float32)
        slopes[0, 0, 1, [0, 2]] = slopes[1, 0, [0, 2], 1] = -0.25, 0.25
        slopes[2, 0, 1, 1] = 0.5
        return self.node("Conv", [self.edged(three), self.constant(slopes)], group=3)

    def solved(self, products: str, noise: float) -> str:
        """Means of xx, xy, yy, and of x and y with half of t (N, 5, h, w) -> half the flow (N, 2, h, w)."""
        diagonal = np.array([noise, 0, noise, 0, 0], dtype=np.float32).reshape(1, 5, 1, 1)
        tensor = self.node("Add", [products, self.constant(diagonal)])
        xx, xy, yy, xt, yt = range(5)
        solved = self.node(
            "Sub",
            [self.products(tensor, (xy, xy, xx), (yt, xt, yy)), self.products(tensor, (yy, xx, xy), (xt, yt, xy))],
        )
        return self.node("Div", [self.channels(solved, 0, 1), self.channels(solved, 2)])

    def total(self, pictures: str) -> str:
        """(N, C, h, w) -> (N, C, 1, 1)."""
        return self.node("ReduceSum", [pictures, self.constant(np.array([2, 3]))], keepdims=1)

    def pooled(self, pictures: str, side: int, stride: int = 0) -> str:
        """The mean of squares (side, side), one every `stride` pixels, or beside each other."""
        if side == 1:
            return pictures
        return self.node("AveragePool", [pictures], kernel_shape=[side, side], strides=[stride or side] * 2)

    def edged(self, pictures: str) -> str:
        """With one more pixel at each side, as the last one."""
        return self.node("Pad", [pictures, self.constant(np.array([0, 0, 1, 1, 0, 0, 1, 1]))], mode="edge")

    def enlarged(self, pictures: str, times: int) -> str:
        """Each pixel `times` times along both sides."""
        if times == 1:
            return pictures
        scales = self.constant(np.array([1, 1, times, times], dtype=np.float32))
        settings = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self.node("Resize", [pictures, "", scales], **settings)
