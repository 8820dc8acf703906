"""Writes a model whose rows have one more part than another model's: encoder, parts and a checked head."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
from numpy.typing import NDArray

from harstream.export.export_run import write_model
from harstream.export.keras_to_onnx import to_onnx
from harstream.export.parts.head_graph import joined_head
from harstream.export.verify import TOLERANCE, OutputsDiffer, session
from harstream.export.window_graph import attach_contract, sides
from harstream.models.catalogue import ENCODER, HEAD, PART, ModelFiles
from harstream.models.contract import ContractError, ModelContract, contract_from_metadata
from harstream.models.layers.sum_of_classes import sum_matrix
from harstream.models.part_networks import PART_NETWORKS, PartNetwork
from harstream.models.part_run import PartRun, load
from harstream.models.score_fusion import TINY
from harstream.models.temperature import FLOOR, at_temperature

WINDOWS = 64
"""Windows of noise on which the head is compared with its parts."""
NEVER = 1e9
"""Subtracted from the logarithm of a score that a softmax must leave out."""


def write_part_model(folder: Path, base: ModelFiles, run_folder: Path, changes: dict[str, Any]) -> dict[str, Any]:
    """Write the folder, and return its report. `changes`: fields of the contract that differ from the base's.

    Raises ContractError, ExportError, OutputsDiffer, UnreadableRun and OSError.
    """
    if base.encoder is None or base.head is None:
        raise ContractError(f"expected a model with {ENCODER} and {HEAD} in {base.folder}")
    run, model = load(run_folder)
    network, head = PART_NETWORKS[run.part], onnx.load(base.head)
    contract = _contract(head, base.head, run, network, changes)
    graph, difference = _checked_head(head, model, run, network)
    contents = {
        ENCODER: base.encoder.read_bytes(),
        **{part.name: part.read_bytes() for part in base.parts},
        PART.format(network.name): network.file.read_bytes(),
        HEAD: attach_contract(graph, contract).SerializeToString(deterministic=True),
    }
    report = {
        "model": contract.name, "version": contract.version, "base": base.folder.name,
        "exported": datetime.now(UTC).isoformat(timespec="seconds"), "format": "ONNX", "numbers": "float",
        "parameters": int(model.count_params()), "training": {"command": run.command},
        "temperature": run.temperature, "weights": run.fusion.weights, "largest_difference": {"head": difference},
    }  # fmt: skip
    write_model(folder, contents, None, report)
    return report


def _contract(
    head: onnx.ModelProto, file: Path, run: PartRun, network: PartNetwork, changes: dict[str, Any]
) -> ModelContract:
    """Return the base's contract with the part. Its temperature stays: it is in the base's graph."""
    contract = contract_from_metadata({entry.key: entry.value for entry in head.metadata_props}, str(file))
    if contract.labels != run.labels:
        raise ContractError(f"the run was made for the labels {', '.join(run.labels)}, but {file} has others")
    return replace(contract, **changes, view=run.view, parts=(*contract.parts, network.part))


def _checked_head(
    head: onnx.ModelProto, model: keras.Model, run: PartRun, network: PartNetwork
) -> tuple[onnx.ModelProto, float]:
    """Return the joined graph, and how much it differs from its parts at most. Raises OutputsDiffer."""
    graph = joined_head(head, to_onnx(model, "seen", "classes"), _constants(run), network.part.every)
    _, T, F = sides(graph)
    rows = np.random.default_rng(0).random((WINDOWS, T, F), np.float32)
    got = np.asarray(session(graph).run(None, {graph.graph.input[0].name: rows})[0])
    difference = float(np.abs(got - _expected(head, model, run, network, rows)).max())
    if not difference <= TOLERANCE:
        raise OutputsDiffer(f"the joined head differs by {difference:.1e} from its parts: nothing was written")
    return graph, difference


def _constants(run: PartRun) -> dict[str, NDArray[Any]]:
    kept = run.fusion.mask().astype(np.float32)
    numbers: dict[str, Any] = {
        "sums": sum_matrix(run.label_of), "prior": run.fusion.prior, "kept": kept, "penalty": kept * NEVER,
        "temperature": run.temperature, "floor": FLOOR, "tiny": TINY, "one": 1.0,
        "a": run.fusion.weights[:1], "b": run.fusion.weights[1:],
    }  # fmt: skip
    return {name: np.array(value, np.float32) for name, value in numbers.items()} | {"axis": np.array([1], np.int64)}


def _expected(
    head: onnx.ModelProto, model: keras.Model, run: PartRun, network: PartNetwork, rows: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the scores (N, K) of rows (N, T, F) without the joined graph."""
    R = sides(head)[-1]
    base = np.asarray(session(head).run(None, {head.graph.input[0].name: np.ascontiguousarray(rows[..., :R])})[0])
    classes = np.asarray(model(network.seen_in(rows), training=False))
    return run.fusion(base, at_temperature(classes, run.temperature) @ sum_matrix(run.label_of))
