"""Quantizes the convolutions of an ONNX graph statically to 8-bit integers, with ranges from real windows.

Dynamic quantization needs no windows, but it makes a convolution ten times slower.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

QUANTIZED = ("Conv", "Relu", "MaxPool", "Gemm", "MatMul")


def quantize(graph: onnx.ModelProto, inputs: Sequence[NDArray[np.generic]]) -> onnx.ModelProto:
    """Return the graph in integers, with one scale for each channel of weights. `inputs` are values of its only input.

    If that is not smaller, return the graph itself: an LSTM cannot be quantized statically, and its head would grow.
    """
    with TemporaryDirectory() as folder, _quiet():
        source, prepared, result = (Path(folder, f"{name}.onnx") for name in ("source", "prepared", "quantized"))
        onnx.save(graph, source)  # the quantizer would move the weights out of a graph in memory
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        named = _name_nodes(onnx.load(prepared))
        onnx.save(named, prepared)
        quantize_static(
            prepared,
            result,
            _Inputs(graph.graph.input[0].name, inputs),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=_shares_weights(named),
            op_types_to_quantize=list(QUANTIZED),
            nodes_to_exclude=[*_before_features(named), *_after_scores(named)],
        )
        smaller = onnx.load(result)
    return smaller if smaller.ByteSize() < graph.ByteSize() else graph


class _Inputs(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, name: str, inputs: Iterable[NDArray[np.generic]]) -> None:
        self._feeds = iter([{name: values} for values in inputs])

    def get_next(self) -> dict[str, NDArray[np.generic]] | None:
        return next(self._feeds, None)


def _name_nodes(graph: onnx.ModelProto) -> onnx.ModelProto:
    for number, node in enumerate(graph.graph.node):
        node.name = node.name or f"node_{number}"
    return graph


def _shares_weights(graph: onnx.ModelProto) -> bool:
    """Whether convolutions share weights, as in an unrolled ConvLSTM.

    On CPUs without VNNI, ONNX Runtime 1.31 cannot protect shared weights from overflow, and refuses the graph. Weights
    of 7 bits do not overflow.
    """
    weights = [node.input[1] for node in graph.graph.node if node.op_type == "Conv"]
    return len(set(weights)) < len(weights)


def _before_features(graph: onnx.ModelProto) -> Iterator[str]:
    """Yield the nodes from the frames to the first convolution, including that one.

    The first convolution is cheap, but in integers it doubles the error of an LRCN. Nodes that divide, as in optical
    flow, cannot be integers.
    """
    if graph.graph.input[0].name != "frames":
        return
    for node in graph.graph.node:
        yield node.name
        if node.op_type == "Conv":
            return


def _after_scores(graph: onnx.ModelProto) -> list[str]:
    """Return the nodes from the last softmax on. In integers, probabilities would not sum to 1."""
    names = [node.name for node in graph.graph.node]
    softmaxes = [number for number, node in enumerate(graph.graph.node) if node.op_type == "Softmax"]
    return names[softmaxes[-1] :] if softmaxes else []


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the quantizer, which logs advice for its developers through the root logger."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
