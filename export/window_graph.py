"""Joins ONNX graphs: an encoder of frames and a head of rows become one graph of windows. It needs no Keras."""

from __future__ import annotations

import onnx
import onnx.parser
from onnx import compose

from harstream.models.contract import CONTRACT_KEY, ModelContract


def attach_contract(proto: onnx.ModelProto, contract: ModelContract) -> onnx.ModelProto:
    """Write the contract into the metadata of `proto`, check the graph, and return it."""
    onnx.helper.set_model_props(proto, {CONTRACT_KEY: contract.to_json()})
    proto.producer_name = "harstream"
    onnx.checker.check_model(proto, full_check=True)
    return proto


def of_windows(encoder: onnx.ModelProto, head: onnx.ModelProto) -> onnx.ModelProto:
    """Return the graph frames (N, T, H, W, 3) -> output of the head.

    The encoder makes each row from a frame (N, H, W, 3), and the head takes rows (N, T, F). Or the encoder makes it
    from a frame and the frame before it (N, 2, H, W, 3), and the head takes rows (N, T - 1, F).
    """
    _, rows, *features = sides(head)
    row = ", ".join(map(str, features))
    windows = onnx.parser.parse_model(f"""{_versions(head)}
        windows (float[M, {row}] each) => (float[N, {rows}, {row}] windows) <
            int64[{2 + len(features)}] shape = {{-1, {rows}, {row}}}
        > {{ windows = Reshape(each, shape) }}""")
    encoded = joined(_seen_by_encoder(encoder, rows), encoder, prefix="pairs/")
    return joined(joined(encoded, windows, prefix="encoder/"), head, prefix="windows/")


def joined(first: onnx.ModelProto, second: onnx.ModelProto, *, prefix: str) -> onnx.ModelProto:
    """Connect the output of the first graph to the input of the second. The prefix keeps their names apart."""
    between = (first.graph.output[0].name, second.graph.input[0].name)
    frames = first.graph.input[0].name
    merged = compose.merge_models(first, second, io_map=[between], prefix1=prefix)
    del merged.opset_import[:]  # the merge lists it twice, and the quantizer refuses that
    merged.opset_import.extend(second.opset_import)
    # The merge also puts the prefix before the name of the input.
    for node in merged.graph.node:
        node.input[:] = [frames if name == prefix + frames else name for name in node.input]
    merged.graph.input[0].name = frames
    return merged


def sides(graph: onnx.ModelProto) -> list[int]:
    """Return the sides of a graph's input. The first one, of the batch, is 0."""
    return [side.dim_value for side in graph.graph.input[0].type.tensor_type.shape.dim]


def _seen_by_encoder(encoder: onnx.ModelProto, rows: int) -> onnx.ModelProto:
    """Return the graph frames (N, T, H, W, 3) -> the frames, or the pairs of frames, that the encoder takes."""
    _, *lookback, height, width, _ = sides(encoder)
    kind = encoder.graph.input[0].type.tensor_type.elem_type
    pixel = {onnx.TensorProto.UINT8: "uint8", onnx.TensorProto.FLOAT: "float"}[kind]
    if not lookback:
        return onnx.parser.parse_model(f"""{_versions(encoder)}
            frames ({pixel}[N, {rows}, {height}, {width}, 3] frames) => ({pixel}[M, {height}, {width}, 3] seen) <
                int64[4] shape = {{-1, {height}, {width}, 3}}
            > {{ seen = Reshape(frames, shape) }}""")
    return onnx.parser.parse_model(f"""{_versions(encoder)}
        pairs ({pixel}[N, {rows + 1}, {height}, {width}, 3] frames) => ({pixel}[M, 2, {height}, {width}, 3] pairs) <
            int64[1] zero = {{0}}, int64[1] one = {{1}}, int64[1] two = {{2}}, int64[1] last = {{{rows}}},
            int64[1] end = {{{rows + 1}}}, int64[5] shape = {{-1, 2, {height}, {width}, 3}}
        > {{
            before = Slice(frames, zero, last, one)
            after = Slice(frames, one, end, one)
            first = Unsqueeze(before, two)
            second = Unsqueeze(after, two)
            both = Concat<axis = 2>(first, second)
            pairs = Reshape(both, shape)
        }}""")


def _versions(graph: onnx.ModelProto) -> str:
    return f'<ir_version: {graph.ir_version}, opset_import: ["" : {graph.opset_import[0].version}]>'
