"""Writes a taught model: encoder, composed head and whole graph with their contract, checked, in one folder."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from harstream.export.verify import TOLERANCE, onnx_runner, session
from harstream.export.window_graph import attach_contract, of_windows
from harstream.models.catalogue import HEAD, WHOLE, ModelFiles
from harstream.models.contract import ENCODER_KEY, ContractError, ModelContract
from harstream.resilience.whole_folder import whole_folder
from harstream.stream.recognition.onnx_runtime import load_engine
from harstream.stream.teaching.taught_folder import EXPORT, taught_on
from harstream.teaching.feature_graph import FeatureExtractor
from harstream.teaching.head_graph import TaughtPart, compose_scores, with_taught_part
from harstream.wire.errors import ConfigError, ModelError, SinkError


def taught_contract(contract: ModelContract, activities: Sequence[str]) -> ModelContract:
    """Return the contract with the new labels after the shipped ones. Raises ConfigError."""
    try:
        return replace(
            contract,
            version=f"{contract.version}+taught",
            labels=(*contract.labels, *activities),
            taught=tuple(activities),
        )
    except ContractError as error:
        raise ConfigError(str(error)) from error


def check_target(out: Path) -> None:
    """Check that `out` is free, or holds a taught model. Raises ConfigError."""
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and taught_on(str(out)) is None)):
        raise ConfigError(
            f"--out: expected a new folder, or that of a taught model, got {out}, which holds other files"
        )


def write_taught_model(
    out: Path,
    base: ModelFiles,
    part: TaughtPart,
    contract: ModelContract,
    windows: NDArray[np.generic],
    reports: dict[str, dict[str, Any]],
) -> None:
    """Write the whole folder or nothing. `windows`: rows (N, T, *row_shape) on which the graphs are checked.

    A model whose rows have parts gets no graph of the whole window.

    `reports`: what else is written, by the name of the JSON file. Raises SinkError, and ModelError if what was
    written computes something else than shipped head and part.
    """
    assert base.encoder
    assert base.head
    encoder, head = onnx.load(base.encoder), onnx.load(base.head)
    composed = with_taught_part(head, part)
    difference = _checked_head(head, composed, part, windows)
    graphs = {HEAD: composed}
    if not base.parts:
        graphs[WHOLE] = of_windows(encoder, composed)
        _check_whole(graphs[WHOLE], encoder, composed, contract)
    export = {EXPORT: {**reports[EXPORT], "largest_difference": difference}}
    try:
        with whole_folder(out) as folder:
            for file in (base.encoder, *base.parts):
                shutil.copyfile(file, folder / file.name)
            for name, graph in graphs.items():
                _write(folder / name, graph, contract, base.encoder)
            for name, report in (reports | export).items():
                content = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
                (folder / name).write_text(content, encoding="utf-8")
            if load_engine(str(folder), "cpu").contract != contract:
                raise ModelError(f"{folder / HEAD} has another contract than was written")
    except OSError as error:
        raise SinkError(f"the taught model cannot be written to {out}: {(error.strerror or str(error))}") from error


def _write(path: Path, graph: onnx.ModelProto, contract: ModelContract, encoder: Path) -> None:
    attach_contract(graph, contract)
    graph.metadata_props.add(key=ENCODER_KEY, value=hashlib.sha256(encoder.read_bytes()).hexdigest())
    path.write_bytes(graph.SerializeToString())


def _checked_head(
    head: onnx.ModelProto, composed: onnx.ModelProto, part: TaughtPart, windows: NDArray[np.generic]
) -> float:
    """Return the largest difference between the composed graph and its parts. Raises ModelError."""
    rows = head.graph.input[0].name
    (shipped,) = session(head).run(None, {rows: windows})
    expected = compose_scores(shipped, part.probabilities(FeatureExtractor(head)(windows)))
    (scores,) = session(composed).run(None, {rows: windows})
    return _difference(expected, scores)


def _check_whole(
    whole: onnx.ModelProto, encoder: onnx.ModelProto, head: onnx.ModelProto, contract: ModelContract
) -> None:
    shape = (2, contract.frames, contract.height, contract.width, 3)
    frames = np.random.default_rng(0).integers(0, 256, shape).astype(contract.input_dtype)
    _difference(onnx_runner(encoder, head)(frames), session(whole).run(None, {whole.graph.input[0].name: frames})[0])


def _difference(expected: NDArray[np.float32], scores: NDArray[np.float32]) -> float:
    difference = float(np.abs(expected - scores).max())
    if not difference <= TOLERANCE:
        raise ModelError(f"the taught head differs by {difference:.2g} from its parts: nothing was written")
    return difference
