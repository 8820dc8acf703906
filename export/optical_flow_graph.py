"""Builds optical flow as an ONNX graph of few nodes, channels first.

tf2onnx turns models.layers.optical_flow.OpticalFlow into a third more nodes. They take three times as long to load, and
a few percent longer per frame. On pictures of 64 pixels, a node costs more than its computation. As in that layer,
slopes and sums are matrix products. They are not convolutions, because ONNX Runtime would pad their few channels to 16.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper

from harstream.export.window_graph import joined
from harstream.models.layers.optical_flow import (
    CAMERA_NOISE,
    MAX_STEP,
    NOISE,
    OF_SLOPES,
    QUARTER_WEIGHT_AT,
    SCALES,
    STEPS,
    WINDOW,
    half_slopes,
)

FLOW = "flow"


def with_flow_before(rest: onnx.ModelProto, height: int, width: int) -> onnx.ModelProto:
    """Return the graph frames (N, 2, H, W, 3) uint8 -> output of `rest`, whose input is `flow` (N, H, W, 9)."""
    return joined(flow_graph(height, width, rest.opset_import[0].version, rest.ir_version), rest, prefix="flow/")


def flow_graph(height: int, width: int, opset: int, ir_version: int) -> onnx.ModelProto:
    """Build frames (N, 2, H, W, 3) uint8 -> flow (N, H, W, 9) float32, see models.layers.optical_flow.OpticalFlow."""
    graph = _Graph()
    grey = graph.node("ReduceMean", [graph.node("Cast", ["frames"], to=TensorProto.FLOAT)], axes=[4], keepdims=0)
    grey = graph.node("Div", [grey, graph.constant(255)])
    smooth = graph.pooled(graph.edged(grey), 3, stride=1)
    motion = _camera_motion(graph, smooth, height, width)
    grey_before, grey_after = graph.split(grey, 1, 1)
    smooth_before, smooth_after = graph.split(smooth, 1, 1)
    both_after = graph.node("Concat", [grey_after, smooth_after], axis=1)
    steady, is_seen = _shifted(graph, both_after, motion, height, width)
    grey_steady, smooth_steady = graph.split(steady, 1, 1)
    changed = graph.node("Mul", [graph.node("Sub", [grey_steady, grey_before]), graph.constant(3)])
    pair = graph.node("Concat", [smooth_before, smooth_steady], axis=1)
    flows = [
        graph.enlarged(_lucas_kanade(graph, graph.pooled(pair, scale), height // scale, width // scale), scale)
        for scale in SCALES
    ]
    still = graph.node("Mul", [graph.node("Concat", [changed, *flows], axis=1), is_seen])
    of_camera = graph.node("Tanh", [graph.node("Div", [motion, graph.constant(4)])])
    everywhere = graph.constant(np.ones((1, 1, height, width)))
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
    """Add the motion of the camera, (N, 2, H, W) -> (N, 2, 1, 1), see models.layers.optical_flow."""
    motion, its_scale = "", SCALES[-1]
    for scale, steps in zip(reversed(SCALES), reversed(STEPS), strict=True):
        h, w = height // scale, width // scale
        before, after = graph.split(graph.pooled(smooth, scale), 1, 1)
        if scale != its_scale:
            motion, its_scale = graph.node("Mul", [motion, graph.constant(its_scale / scale)]), scale
        for _ in range(steps):
            if not motion:
                motion = _first_step(graph, before, after, h, w)
                continue
            shifted, is_seen = _shifted(graph, after, motion, h, w)
            motion = graph.node("Add", [motion, _step(graph, before, shifted, is_seen, h, w)])
    return motion


def _first_step(graph: _Graph, before: str, after: str, height: int, width: int) -> str:
    """Add the first step of the camera's motion, with equal weights: two pictures (N, 1, h, w) -> (N, 2, 1, 1)."""
    slopes = graph.node("Concat", _slopes(graph, before, after, height, width), axis=1)
    noise, products = np.zeros((3, 3)), np.zeros((5, 3, 3))
    noise[0, 0] = noise[1, 1] = CAMERA_NOISE * (height * width + 1)
    products[range(5), *OF_SLOPES] = 1
    return _near(graph, graph.crossed(slopes, slopes, 3), noise, products)


def _step(graph: _Graph, before: str, after: str, is_seen: str, height: int, width: int) -> str:
    """Add a later step: two pictures (N, 1, h, w) and the area that both see -> (N, 2, 1, 1)."""
    x, y, t = _slopes(graph, before, after, height, width)
    doubt = graph.node("Add", [graph.node("Mul", [t, t]), graph.constant(QUARTER_WEIGHT_AT**2)])
    weight = graph.node("Div", [is_seen, graph.node("Mul", [doubt, doubt])])  # in units of QUARTER_WEIGHT_AT**4
    slopes = graph.node("Concat", [x, y, t, is_seen], axis=1)
    noise, products = np.zeros((4, 4)), np.zeros((5, 4, 4))
    noise[3, 3] = 1 / QUARTER_WEIGHT_AT**4  # one weight more, see models.layers.optical_flow
    products[range(5), *OF_SLOPES] = 1
    products[[0, 2], 3, 3] = CAMERA_NOISE
    return _near(graph, graph.crossed(slopes, graph.node("Mul", [slopes, weight]), 4), noise, products)


def _near(graph: _Graph, sums: str, noise: NDArray[np.float64], products: NDArray[np.float64]) -> str:
    step = graph.solved(sums, noise.ravel(), products.reshape(5, -1))
    return graph.shaped(graph.node("Clip", [step, graph.constant(-MAX_STEP), graph.constant(MAX_STEP)]), 2, 1, 1)


def _shifted(graph: _Graph, pictures: str, motion: str, height: int, width: int) -> tuple[str, str]:
    """Shift pictures (N, C, h, w) by a motion (N, 2, 1, 1), and return 1.0 where they are seen (N, 1, h, w)."""
    side = max(height, width)
    spots = np.arange(side)
    last = graph.constant(np.reshape([width - 1, height - 1], (1, 2, 1, 1)))
    wanted = graph.node("Add", [motion, graph.constant(spots.reshape(1, 1, side, 1))])
    inside = graph.node("Min", [graph.node("Max", [wanted, graph.constant(0)]), last])
    apart = graph.node("Abs", [graph.node("Sub", [inside, graph.constant(spots.reshape(1, 1, 1, side))])])
    weights = graph.node("HardSigmoid", [apart], alpha=-1.0, beta=1.0)  # 1 - apart, and nowhere below 0
    across, down = graph.split(weights, 1, 1)
    across = graph.node("Transpose", [graph.cropped(across, side, width)], perm=[0, 1, 3, 2])
    moved = graph.node("MatMul", [graph.node("MatMul", [graph.cropped(down, side, height), pictures]), across])
    outside = graph.node("Abs", [graph.node("Sub", [wanted, inside])])
    is_in = graph.node("Cast", [graph.node("Less", [outside, graph.constant(0.5)])], to=TensorProto.FLOAT)
    sees_across, sees_down = graph.split(is_in, 1, 1)
    sees_across = graph.node("Transpose", [graph.cropped(sees_across, side, width)], perm=[0, 1, 3, 2])
    return moved, graph.node("MatMul", [graph.cropped(sees_down, side, height), sees_across])


def _slopes(graph: _Graph, before: str, after: str, height: int, width: int) -> list[str]:
    """Return the slopes of the mean of two pictures (N, 1, h, w) along x and y, and from the first to the second."""
    both = graph.node("Add", [before, after])
    x = graph.node("MatMul", [both, graph.constant(half_slopes(width).T)])
    y = graph.node("MatMul", [graph.constant(half_slopes(height)), both])
    return [x, y, graph.node("Sub", [after, before])]


def _lucas_kanade(graph: _Graph, pair: str, height: int, width: int) -> str:
    """Turn grey levels (N, 2, h, w) into tanh of half the flow (N, 2, h, w)."""
    before, after = graph.split(pair, 1, 1)
    x, y, t = _slopes(graph, before, after, height, width)
    products = [graph.node("Concat", each, axis=1) for each in ([x, x, y, x, y], [x, y, y, t, t])]
    means = graph.shaped(graph.mean(graph.node("Mul", products), WINDOW), 5, -1)
    half = graph.solved(means, np.array([NOISE, 0, NOISE, 0, 0]), np.diag([1, 1, 1, 0.5, 0.5]))
    return graph.shaped(graph.node("Tanh", [half]), 2, height, width)


class _Graph:
    """The nodes and constants so far; pictures are (N, C, H, W)."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._constants: dict[tuple[object, ...], str] = {}

    def node(self, kind: str, inputs: Sequence[str], *, output: str = "", **attributes: Any) -> str:
        output = output or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def split(self, values: str, *channels: int) -> list[str]:
        """Split by channels: `channels` has the number of each part."""
        outputs = [f"Split_{len(self.nodes)}_{number}" for number in range(len(channels))]
        self.nodes.append(helper.make_node("Split", [values, self._shape(*channels)], outputs, axis=1))
        return outputs

    def constant(self, values: ArrayLike) -> str:
        return self._initializer(np.asarray(values, dtype=np.float32))

    def _shape(self, *sides: int) -> str:
        return self._initializer(np.array(sides, dtype=np.int64))

    def _initializer(self, values: NDArray[np.generic]) -> str:
        known = (values.dtype, values.shape, values.tobytes())
        if known not in self._constants:
            self._constants[known] = f"constant_{len(self.initializers)}"
            self.initializers.append(numpy_helper.from_array(values, self._constants[known]))
        return self._constants[known]

    def shaped(self, values: str, *sides: int) -> str:
        """Reshape to these sides; the first side stays."""
        return self.node("Reshape", [values, self._shape(0, *sides)])

    def cropped(self, values: str, side: int, wanted: int) -> str:
        """Keep the first `wanted` rows and columns of `side`."""
        if side == wanted:
            return values
        return self.node("Slice", [values, self._shape(0, 0), self._shape(wanted, wanted), self._shape(2, 3)])

    def mean(self, pictures: str, side: int) -> str:
        """Return the mean over a square (side, side), with zeros around the picture."""
        pads = [side // 2] * 4
        return self.node("AveragePool", [pictures], kernel_shape=[side, side], pads=pads, count_include_pad=1)

    def crossed(self, pictures: str, others: str, channels: int) -> str:
        """Sum each channel times each channel of the others over a picture -> (N, channels^2, 1)."""
        lines, columns = (self.shaped(each, channels, -1) for each in (pictures, others))
        columns = self.node("Transpose", [columns], perm=[0, 2, 1])
        return self.shaped(self.node("MatMul", [lines, columns]), channels**2, 1)

    def solved(self, values: str, noise: NDArray[np.float64], products: NDArray[np.float64]) -> str:
        """Solve for the flow (N, 2, M) from values (N, C, M) plus noise (C,).

        `products` (5, C) says how much of each value is in xx, xy, yy, xt and yt.
        """
        noisy = self.node("Add", [values, self.constant(noise.reshape(1, -1, 1))])
        xx, xy, yy, xt, yt = range(5)
        factors = [xy, xy, xx, yy, xx, xy, yt, xt, yy, xt, yt, xy]
        both = self.split(self.node("MatMul", [self.constant(products[factors]), noisy]), 6, 6)
        less = self.constant(np.hstack([np.eye(3), -np.eye(3)]))
        return self.node("Div", self.split(self.node("MatMul", [less, self.node("Mul", both)]), 2, 1))

    def pooled(self, pictures: str, side: int, stride: int = 0) -> str:
        """Return the means of squares (side, side), one every `stride` pixels, or side by side."""
        if side == 1:
            return pictures
        return self.node("AveragePool", [pictures], kernel_shape=[side, side], strides=[stride or side] * 2)

    def edged(self, pictures: str) -> str:
        """Repeat the last pixel at each side."""
        return self.node("Pad", [pictures, self._shape(0, 0, 1, 1, 0, 0, 1, 1)], mode="edge")

    def enlarged(self, pictures: str, times: int) -> str:
        """Repeat each pixel `times` times along both sides."""
        if times == 1:
            return pictures
        scales = self.constant([1, 1, times, times])
        settings = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self.node("Resize", [pictures, "", scales], **settings)
