"""Joins the head of a model and the network of a part into one graph of rows with the part's numbers at their end."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnx.parser
from numpy.typing import NDArray
from onnx import compose, helper, numpy_helper

from harstream.export.window_graph import sides

ROWS, SCORES = "rows", "scores"
FUSION = """<ir_version: {ir}, opset_import: ["" : {opset}]>
    fusion (float[N, K] base, float[N, F] classes, float[F, K] sums, float[K] prior, float[K] kept, float[K] penalty,
            float temperature, float floor, float tiny, float one, float[1] a, float[1] b, int64[1] axis)
            => (float[N, K] scores) {{
        sure = Max(classes, floor)
        logs = Log(sure)
        logits = Div(logs, temperature)
        calibrated = Softmax<axis = 1>(logits)
        other = MatMul(calibrated, sums)
        some_other = Add(other, tiny)
        log_other = Log(some_other)
        some_prior = Add(prior, tiny)
        log_prior = Log(some_prior)
        evidence = Sub(log_other, log_prior)
        some_base = Add(base, tiny)
        log_base = Log(some_base)
        weighed_base = Mul(log_base, a)
        weighed_evidence = Mul(evidence, b)
        both = Add(weighed_base, weighed_evidence)
        ranked = Sub(both, penalty)
        shares = Softmax<axis = 1>(ranked)
        kept_scores = Mul(base, kept)
        kept_sum = ReduceSum<keepdims = 1>(kept_scores, axis)
        shared = Sub(one, kept_sum)
        given = Mul(shares, shared)
        scores = Add(given, kept_scores)
    }}"""
"""The formula of models.score_fusion. `kept`: 1 for each kept label. `penalty`: what takes it out of the softmax."""
CUT = """<ir_version: {ir}, opset_import: ["" : {opset}]>
    cut (float[N, {T}, {F}] rows) => (float[N, {T}, {R}] base_rows, float[N, {P}, {D}] seen) <
        int64[2] sizes = {{{R}, {D}}}, int64[1] first = {{{first}}}, int64[1] end = {{{T}}}, int64[1] axis = {{1}},
        int64[1] every = {{{every}}}
    > {{
        base_rows, all_numbers = Split<axis = 2>(rows, sizes)
        seen = Slice(all_numbers, first, end, axis, every)
    }}"""
"""The numbers of every n-th row, the last one included."""


def joined_head(
    base: onnx.ModelProto, network: onnx.ModelProto, constants: dict[str, NDArray[Any]], every: int
) -> onnx.ModelProto:
    """Return the graph rows (N, T, R + D) -> scores (N, K).

    `base`: rows (N, T, R) -> scores (N, K). `network`: numbers (N, P, D) -> scores of classes (N, F).
    `constants`: the inputs of FUSION that are not outputs of both.
    """
    (_, T, R), (_, P, D) = sides(base), sides(network)
    versions = {"ir": base.ir_version, "opset": base.opset_import[0].version}
    cut = onnx.parser.parse_model(
        CUT.format(**versions, T=T, F=R + D, R=R, P=P, D=D, first=(T - 1) % every, every=every)
    )
    graph = _after(_after(cut, base, "base_rows", "base/"), network, "seen", "part/")
    outputs = {"base": f"base/{base.graph.output[0].name}", "classes": f"part/{network.graph.output[0].name}"}
    fusion = onnx.parser.parse_model(FUSION.format(**versions))
    for node in fusion.graph.node:
        node.input[:] = [outputs.get(name, f"fusion/{name}") for name in node.input]
        node.output[:] = [SCORES if name == SCORES else f"fusion/{name}" for name in node.output]
    graph.graph.node.extend(fusion.graph.node)
    graph.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value), f"fusion/{name}") for name, value in constants.items()
    )
    del graph.graph.output[:]
    K = constants["sums"].shape[1]
    graph.graph.output.append(helper.make_tensor_value_info(SCORES, onnx.TensorProto.FLOAT, ["N", K]))
    onnx.checker.check_model(graph, full_check=True)
    return graph


def _after(first: onnx.ModelProto, second: onnx.ModelProto, name: str, prefix: str) -> onnx.ModelProto:
    """Append the second graph, which takes the output `name` of the first one; its other names get the prefix."""
    later = compose.add_prefix(second, prefix)
    source = later.graph.input[0].name
    for node in later.graph.node:
        node.input[:] = [name if each == source else each for each in node.input]
    first.graph.node.extend(later.graph.node)
    first.graph.initializer.extend(later.graph.initializer)
    return first
