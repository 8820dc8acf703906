"""A run folder to a folder of verified ONNX or TFLite files, or to nothing."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
from numpy.typing import NDArray

from export.edge import as_onnx, as_tflite, compared, in_integers
from export.onnx_files import Candidates, calibrated, convert
from export.tflite_file import NoTFLite
from export.verify import Differs, largest_difference, onnx_runner, seconds_per_window
from models.catalogue import ENCODER, HEAD, LITE, WHOLE
from models.contract import ContractError, ModelContract

VERIFIED_WINDOWS = 64
TRAINING_WINDOWS, HISTORY = "training_windows.npy", "history.csv"
Report = dict[str, Any]


class ExportError(Exception):
    """The run cannot be exported; nothing was written."""


@dataclass(frozen=True, eq=False)
class _Run:
    model: keras.Model
    contract: ModelContract
    windows: NDArray[np.uint8]
    """(N, T, H, W, 3): real windows of the validation clips."""
    training_windows: NDArray[np.uint8] | None
    """Of the training clips, to quantize with; None in runs of before that was done."""
    history: Path | None
    """Of its epochs; None of one that `combine` made."""
    provenance: dict[str, str]


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
    """Convert, verify and write the model of a run folder; return what was measured. Raises ExportError.

    `threshold` in place of the run's own unknown_threshold, `tflite` in place of ONNX, `int8` in place of float; what
    is not float ONNX is measured beside it.
    """
    run = _read(folder)
    if int8 and run.training_windows is None:
        raise ExportError(
            f"{folder} keeps no {TRAINING_WINDOWS}, which decide the ranges of 8-bit integers: train it again"
        )
    contract = replace(run.contract, name=name, version=version)
    if threshold is not None:
        contract = replace(contract, unknown_threshold=threshold)
    model = calibrated(run.model, contract.temperature)
    expected = np.asarray(model.predict(run.windows, batch_size=16, verbose=0))
    try:
        graphs, report = _chosen(convert(model), expected, run.windows)
        export = plain = as_onnx(graphs, contract)
        ranges = run.training_windows if int8 else None
        if tflite:
            export = as_tflite(model, contract, ranges)
        elif ranges is not None:
            export = as_onnx(in_integers(graphs, ranges), contract)
        if export is not plain:
            report |= compared(export, plain, expected, run.windows, is_float=ranges is None)
    except (Differs, NoTFLite) as error:
        raise ExportError(str(error)) from error
    report = {
        "model": name,
        "version": version,
        "exported": datetime.now(UTC).isoformat(timespec="seconds"),
        "parameters": model.count_params(),
        "format": "TFLite" if tflite else "ONNX",
        "numbers": "int8" if int8 else "float",
        "windows_verified": len(run.windows),
        "training": run.provenance,
        **report,
    }
    _write(out, export.contents, run.history, report)
    return report


def _chosen(
    candidates: Candidates, expected: NDArray[np.float32], windows: NDArray[np.uint8]
) -> tuple[dict[str, onnx.ModelProto], Report]:
    differences = {"plain": largest_difference(expected, windows, candidates.plain)}
    files, report = {WHOLE: candidates.plain}, Report()
    if candidates.fused:
        differences["fused"] = largest_difference(expected, windows, candidates.fused)
        runners = [onnx_runner(graph) for graph in (candidates.fused, candidates.plain)]
        fused, plain = seconds_per_window(runners, windows)
        files[WHOLE] = candidates.fused if fused < plain else candidates.plain
        report["graphs"] = {
            "nodes fused": _milliseconds(fused),
            "as tf2onnx makes it": _milliseconds(plain),
            "kept": "nodes fused" if fused < plain else "as tf2onnx makes it",
        }
    if candidates.parts:
        differences["encoder and head"] = largest_difference(expected, windows, *candidates.parts)
        files |= {ENCODER: candidates.parts[0], HEAD: candidates.parts[1]}
    return files, {"largest_difference": differences, **report}


def _read(folder: Path) -> _Run:
    needed = {name: folder / name for name in ("model.keras", "contract.json", "windows.npy")}
    missing = [name for name, file in needed.items() if not file.is_file()]
    if missing:
        raise ExportError(f"expected a finished run of `harstream train` in {folder}, found no {', '.join(missing)}")
    kept, history = folder / TRAINING_WINDOWS, folder / HISTORY
    try:
        return _Run(
            # Without its optimizer, which is another class on each of Keras's backends.
            model=keras.models.load_model(needed["model.keras"], compile=False),
            contract=ModelContract.from_json(needed["contract.json"].read_text()),
            windows=np.load(needed["windows.npy"])[:VERIFIED_WINDOWS],
            training_windows=np.load(kept) if kept.is_file() else None,
            history=history if history.is_file() else None,
            provenance=json.loads((folder / "provenance.json").read_text()),
        )
    except (OSError, ValueError, ContractError) as error:
        raise ExportError(f"the run in {folder} cannot be read: {error}") from error


def _write(out: Path, contents: dict[str, bytes], history: Path | None, report: Report) -> None:
    """All files or, as far as a file system allows, none: they are written beside the folder and moved together."""
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
        for stale in {WHOLE, ENCODER, HEAD, LITE, HISTORY} - {file.name for file in part.iterdir()}:
            (out / stale).unlink(missing_ok=True)
        for written in part.iterdir():
            written.replace(out / written.name)
    except OSError as error:
        raise ExportError(f"the model cannot be written: {error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms a window"
