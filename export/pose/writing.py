"""Writes a model whose rows have joints as a part: encoder, part and head, checked, in one folder."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
from numpy.typing import NDArray

from harstream.export.keras_to_onnx import to_onnx
from harstream.export.pose.head_graph import pose_head
from harstream.export.verify import TOLERANCE, OutputsDiffer, session
from harstream.export.window_graph import attach_contract, sides
from harstream.models.catalogue import ENCODER, HEAD, PART, POSE_PART, POSE_SIZE, ModelFiles
from harstream.models.contract import ContractError, ModelContract, RowPart, contract_from_metadata
from harstream.models.layers.pose_features import poses_of
from harstream.models.layers.sum_of_classes import sum_matrix
from harstream.models.pose_run import PoseRun, load
from harstream.models.score_fusion import TINY

WINDOWS = 64
"""Windows of noise on which the head is compared with its parts."""
NAME = "pose"
EXPORT = "export.json"


def write_pose_model(folder: Path, base: ModelFiles, run_folder: Path, changes: dict[str, Any]) -> dict[str, Any]:
    """Write the folder, and return its report. `changes`: fields of the contract that differ from the base's.

    Raises ContractError, OutputsDiffer, UnreadableRun and OSError.
    """
    if base.encoder is None or base.head is None:
        raise ContractError(f"expected a model with {ENCODER} and {HEAD} in {base.folder}")
    run, network = load(run_folder)
    head = onnx.load(base.head)
    contract = _contract(head, base.head, run, changes)
    graph, difference = _checked_head(head, network, run)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(base.encoder, folder / ENCODER)
    if (part := folder / PART.format(NAME)).resolve() != POSE_PART.resolve():
        shutil.copyfile(POSE_PART, part)
    (folder / HEAD).write_bytes(attach_contract(graph, contract).SerializeToString(deterministic=True))
    report = {
        "model": contract.name, "version": contract.version, "base": base.folder.name,
        "exported": datetime.now(UTC).isoformat(timespec="seconds"), "format": "ONNX", "numbers": "float",
        "parameters": int(network.count_params()), "training": {"command": run.command},
        "temperature": run.temperature, "weights": run.fusion.weights, "largest_difference": {"head": difference},
    }  # fmt: skip
    (folder / EXPORT).write_text(json.dumps(report, indent=2) + "\n")
    return report


def _contract(head: onnx.ModelProto, file: Path, run: PoseRun, changes: dict[str, Any]) -> ModelContract:
    """Return the base's contract with the part. Its temperature stays: it is in the base's graph."""
    contract = contract_from_metadata({entry.key: entry.value for entry in head.metadata_props}, str(file))
    if contract.labels != run.labels:
        raise ContractError(f"the run was made for the labels {', '.join(run.labels)}, but {file} has others")
    return replace(contract, **changes, view=run.view, parts=(*contract.parts, RowPart(NAME, *POSE_SIZE, run.every)))


def _checked_head(head: onnx.ModelProto, network: keras.Model, run: PoseRun) -> tuple[onnx.ModelProto, float]:
    """Return the joined graph, and how much it differs from its parts at most. Raises OutputsDiffer."""
    constants: dict[str, NDArray[np.float32]] = {
        "sums": sum_matrix(run.label_of),
        "prior": np.array(run.fusion.prior, np.float32),
        "temperature": np.array(run.temperature, np.float32),
        "tiny": np.array(TINY, np.float32),
        "a": np.array(run.fusion.weights[:1], np.float32),
        "b": np.array(run.fusion.weights[1:], np.float32),
    }
    graph = pose_head(head, to_onnx(network, "joints", "classes"), constants, run.every)
    _, T, F = sides(graph)
    rows = np.random.default_rng(0).random((WINDOWS, T, F), np.float32)
    got = np.asarray(session(graph).run(None, {graph.graph.input[0].name: rows})[0])
    difference = float(np.abs(got - _expected(head, network, run, rows)).max())
    if not difference <= TOLERANCE:
        raise OutputsDiffer(f"the joined head differs by {difference:.1e} from its parts: nothing was written")
    return graph, difference


def _expected(
    head: onnx.ModelProto, network: keras.Model, run: PoseRun, rows: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the scores (N, K) of rows (N, T, F) without the joined graph."""
    R = sides(head)[-1]
    base = np.asarray(session(head).run(None, {head.graph.input[0].name: np.ascontiguousarray(rows[..., :R])})[0])
    logits = np.log(np.asarray(network(poses_of(rows, run.every), training=False)) + TINY) / run.temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    classes = powers / powers.sum(axis=1, keepdims=True)
    return run.fusion(base, classes @ sum_matrix(run.label_of))
