"""Exports a run folder to a folder of verified ONNX or TFLite files. It writes all files or none."""

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

from harstream.export.formats import Export, as_onnx, as_tflite, compare_with_float, quantize_graphs
from harstream.export.keras_to_onnx import Candidates, convert, divide_logits
from harstream.export.keras_to_tflite import NotConvertible
from harstream.export.verify import OutputsDiffer, largest_difference, onnx_runner, seconds_per_window
from harstream.models.catalogue import ENCODER, HEAD, HISTORY, LITE, PART, WHOLE
from harstream.models.contract import ModelContract
from harstream.models.finished_run import FinishedRun, read_windows

VERIFIED_WINDOWS = 64
NOISE = 0.1
"""Relative difference in time between two runs of the same graph."""
Report = dict[str, Any]


class ExportError(Exception):
    """The run cannot be exported, and no file was written."""


def export_run(
    folder: Path,
    name: str,
    version: str,
    out: Path,
    *,
    threshold: float | None = None,
    tflite: bool = False,
    int8: bool = False,
) -> Report:
    """Convert, verify and write the model of a run folder, and return the measurements.

    `threshold` replaces the run's own unknown_threshold, `tflite` replaces ONNX, `int8` replaces float. An export that
    is not float ONNX is compared with float ONNX. Raises ExportError and UnreadableRun.
    """
    run = FinishedRun(folder)
    needed_for_int8 = [run.training_windows] if int8 else []
    run.require(run.model, run.contract, run.validation_windows, run.provenance, *needed_for_int8)
    contract = _new_contract(run, name, version, threshold)
    windows = read_windows(run.validation_windows)[:VERIFIED_WINDOWS]
    ranges = read_windows(run.training_windows) if int8 else None
    provenance = run.read_provenance()
    model = divide_logits(run.read_model(), contract.temperature)
    export, measured = _verified_export(model, contract, windows, ranges, tflite=tflite)
    report = {
        "model": name, "version": version, "exported": datetime.now(UTC).isoformat(timespec="seconds"),
        "parameters": model.count_params(), "format": "TFLite" if tflite else "ONNX",
        "numbers": "int8" if int8 else "float", "windows_verified": len(windows), "training": provenance, **measured,
    }  # fmt: skip
    write_model(out, export.contents, run.history if run.history.is_file() else None, report)
    return report


def _new_contract(run: FinishedRun, name: str, version: str, threshold: float | None) -> ModelContract:
    contract = replace(run.read_contract(), name=name, version=version)
    return contract if threshold is None else replace(contract, unknown_threshold=threshold)


def _verified_export(
    model: keras.Model,
    contract: ModelContract,
    windows: NDArray[np.uint8],
    ranges: NDArray[np.uint8] | None,
    *,
    tflite: bool,
) -> tuple[Export, Report]:
    """Return the export and its measurements on `windows`. Raises ExportError.

    `ranges`: windows that give the ranges of the 8-bit integers; None exports floats.
    """
    expected = np.asarray(model.predict(windows, batch_size=16, verbose=0))
    try:
        graphs, report = _verified_graphs(convert(model), expected, windows)
        export = plain = as_onnx(graphs, contract)
        if tflite:
            export = as_tflite(model, contract, ranges)
        elif ranges is not None:
            export = as_onnx(quantize_graphs(graphs, ranges), contract)
        if export is not plain:
            report |= compare_with_float(export, plain, expected, windows, is_float=ranges is None)
    except (OutputsDiffer, NotConvertible) as error:
        raise ExportError(str(error)) from error
    return export, report


def _verified_graphs(
    candidates: Candidates, expected: NDArray[np.float32], windows: NDArray[np.uint8]
) -> tuple[dict[str, onnx.ModelProto], Report]:
    differences = {"plain": largest_difference(expected, windows, candidates.plain)}
    files, report = {WHOLE: candidates.plain}, Report()
    if candidates.fused:
        differences["fused"] = largest_difference(expected, windows, candidates.fused)
        runners = [onnx_runner(graph) for graph in (candidates.fused, candidates.plain)]
        fused, plain = seconds_per_window(runners, windows)
        keeps_fused = is_as_fast(fused, plain)
        files[WHOLE] = candidates.fused if keeps_fused else candidates.plain
        report["graphs"] = {
            "nodes fused": _milliseconds(fused),
            "as tf2onnx makes it": _milliseconds(plain),
            "kept": "nodes fused" if keeps_fused else "as tf2onnx makes it",
        }
    if candidates.parts:
        differences["encoder and head"] = largest_difference(expected, windows, *candidates.parts)
        files |= {ENCODER: candidates.parts[0], HEAD: candidates.parts[1]}
    return files, {"largest_difference": differences, **report}


def is_as_fast(fused: float, plain: float) -> bool:
    """Whether the fused graph is as fast, in seconds per window. Then it is kept, because it loads faster."""
    return fused < plain * (1 + NOISE)


def write_model(out: Path, contents: dict[str, bytes], history: Path | None, report: Report) -> None:
    """Write all files aside, then move them together, so that either all or none are written. Raises ExportError.

    `contents`: the content of each file by its name. `report` goes into export.json.
    """
    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        for file, content in contents.items():
            (part / file).write_bytes(content)
        (part / "export.json").write_text(json.dumps(report, indent=2) + "\n")
        if history is not None:
            shutil.copyfile(history, part / HISTORY)
        out.mkdir(parents=True, exist_ok=True)
        earlier = {WHOLE, ENCODER, HEAD, LITE, HISTORY} | {file.name for file in out.glob(PART.format("*"))}
        for stale in earlier - {file.name for file in part.iterdir()}:
            (out / stale).unlink(missing_ok=True)
        for written in part.iterdir():
            written.replace(out / written.name)
    except OSError as error:
        raise ExportError(f"cannot write the model: {error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms a window"
