"""What an edge device loads: ONNX or TFLite, float or 8-bit integers, and what it costs beside float ONNX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import onnx
from numpy.typing import NDArray

from harstream.export.onnx_files import with_contract
from harstream.export.quantize import quantized
from harstream.export.tflite_file import convert_to_tflite, tflite_runner, with_contract_attached
from harstream.export.verify import (
    Runner,
    check_labels,
    difference_of,
    onnx_runner,
    seconds_per_window,
    seen_by_encoder,
    session,
)
from harstream.models.catalogue import ENCODER, HEAD, LITE, WHOLE
from harstream.models.contract import ModelContract


@dataclass(frozen=True, eq=False)
class Export:
    """What is to be written, and how it runs."""

    contents: dict[str, bytes]
    """By file name, with the contract inside."""
    run: Runner
    loaded: tuple[str, ...]
    """The files that a stream loads."""

    @property
    def size(self) -> int:
        return sum(len(self.contents[file]) for file in self.loaded)


def as_onnx(graphs: dict[str, onnx.ModelProto], contract: ModelContract) -> Export:
    loaded = (ENCODER, HEAD) if ENCODER in graphs else (WHOLE,)
    contents = {file: with_contract(graph, contract).SerializeToString() for file, graph in graphs.items()}
    return Export(contents, onnx_runner(*(graphs[file] for file in loaded)), loaded)


def in_integers(graphs: dict[str, onnx.ModelProto], windows: NDArray[np.uint8]) -> dict[str, onnx.ModelProto]:
    made = {WHOLE: quantized(graphs[WHOLE], [window[None] for window in windows])}
    if ENCODER in graphs:
        encoder = session(graphs[ENCODER])
        frames = [*seen_by_encoder(windows, len(encoder.get_inputs()[0].shape) - 1)]
        rows = [encoder.run(None, {"frames": each})[0][None] for each in frames]
        made |= {ENCODER: quantized(graphs[ENCODER], frames), HEAD: quantized(graphs[HEAD], rows)}
    return made


def as_tflite(model: keras.Model, contract: ModelContract, windows: NDArray[np.uint8] | None) -> Export:
    content = convert_to_tflite(model, windows)
    return Export({LITE: with_contract_attached(content, contract)}, tflite_runner(content), (LITE,))


def compared(
    export: Export, plain: Export, expected: NDArray[np.float32], windows: NDArray[np.uint8], *, is_float: bool
) -> dict[str, Any]:
    """An export beside float ONNX, measured in turns in this process. Raises Differs if it is another model by now."""
    scores = export.run(windows)
    if is_float:
        difference = difference_of(export.run, expected, windows)
    else:
        check_labels(expected, scores)
        difference = float(np.abs(scores - expected).max())
    seconds, plainly = seconds_per_window([export.run, plain.run], windows)
    return {
        "difference_to_keras": difference,
        "windows_with_the_label_of_keras": int((scores.argmax(axis=1) == expected.argmax(axis=1)).sum()),
        "bytes": {"this": export.size, "float ONNX": plain.size},
        "milliseconds_a_window": {"this": round(1000 * seconds, 2), "float ONNX": round(1000 * plainly, 2)},
    }
