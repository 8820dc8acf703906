"""An ONNX graph with its convolutions in 8-bit integers, whose ranges real windows decide (static quantization).

Dynamic quantization, which needs no windows, made a convolution ten times slower.
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


def quantized(graph: onnx.ModelProto, inputs: Sequence[NDArray[np.generic]]) -> onnx.ModelProto:
    """The graph in integers, with a scale for each channel's weights; `inputs` are what its one input is fed.

    As it is when that would not make it smaller: an LSTM cannot be quantized statically, and its head would only grow.
    """
    with TemporaryDirectory() as folder, _quiet():
        source, prepared, result = (Path(folder, f"{name}.onnx") for name in ("source", "prepared", "quantized"))
        onnx.save(graph, source)  # of a graph in memory the quantizer would move the weights away
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        named = _named(onnx.load(prepared))
        onnx.save(named, prepared)
        quantize_static(
            prepared,
            result,
            _Fed(graph.graph.input[0].name, inputs),
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


class _Fed(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, name: str, inputs: Iterable[NDArray[np.generic]]) -> None:
        self._feeds = iter([{name: values} for values in inputs])

    def get_next(self) -> dict[str, NDArray[np.generic]] | None:
        return next(self._feeds, None)


def _named(graph: onnx.ModelProto) -> onnx.ModelProto:
    for number, node in enumerate(graph.graph.node):
        node.name = node.name or f"node_{number}"
    return graph


def _shares_weights(graph: onnx.ModelProto) -> bool:
    """As an unrolled ConvLSTM does. ONNX Runtime 1.31 cannot guard weights that several convolutions share against
    overflow on CPUs without VNNI, and then refuses the graph; with 7 bits there is nothing to guard against."""
    weights = [node.input[1] for node in graph.graph.node if node.op_type == "Conv"]
    return len(set(weights)) < len(weights)


def _before_features(graph: onnx.ModelProto) -> Iterator[str]:
    """Nodes from the frames to the first convolution, and it.

    It is cheap and sees pictures: in integers it doubled the error of an LRCN. What is computed of the frames before it
    does not survive integers at all where it divides (optical flow).
    """
    if graph.graph.input[0].name != "frames":
        return
    for node in graph.graph.node:
        yield node.name
        if node.op_type == "Conv":
            return


def _after_scores(graph: onnx.ModelProto) -> list[str]:
    """Nodes from the last softmax on: sums of probabilities, which in integers do not sum to 1."""
    names = [node.name for node in graph.graph.node]
    softmaxes = [number for number, node in enumerate(graph.graph.node) if node.op_type == "Softmax"]
    return names[softmaxes[-1] :] if softmaxes else []


@contextmanager
def _quiet() -> Iterator[None]:
    """The quantizer logs advice for its developers, through the root logger."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
