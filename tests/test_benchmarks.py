"""The benchmarks run; what they say is looked at by people, on an idle machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import batches, gpu
from harstream.models.catalogue import find_model
from harstream.stream.recognition.onnx_runtime import OnnxRecognizer, Way


@pytest.mark.training
def test_every_benchmark_runs_once_and_is_written_down(tmp_path: Path) -> None:
    out = tmp_path / "performance.md"
    command = [sys.executable, "-m", "benchmarks", "--short", "--out", str(out)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert result.returncode == 0, result.stdout + result.stderr
    text = out.read_text()
    for name in ("windows", "frames", "batches", "pictures", "files", "cameras", "latency", "startup", "training"):
        assert f"python -m benchmarks --only {name}\n" in text
    assert "| lrcn |" in text
    assert "| convlstm |" in text
    assert (tmp_path / "cameras.svg").stat().st_size > 1000


def test_an_unknown_benchmark_is_named() -> None:
    command = [sys.executable, "-m", "benchmarks", "--only", "coffee"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 2
    assert "coffee" in result.stderr


def test_the_columns_of_a_gpu_are_filled_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Computed by the CPU, in the ways of a GPU, and with a driver that says that it is 37 % busy."""
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho 37\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    files = find_model("lrcn")
    engines = {name: OnnxRecognizer(files, "cpu") for name in (batches.ONE_THREAD, batches.TWO_THREADS)}
    bound = {name: OnnxRecognizer(files, "cpu", way=Way.BOUND) for name in batches.ON_GPU}
    monkeypatch.setattr(gpu, "SECONDS", 0.2)
    for row in batches.rows("lrcn", engines | bound, short=True):
        *_, busy, cameras, _ = row
        assert "–" not in row
        assert busy == "37%"
        assert int(cameras) == pytest.approx(max(map(int, row[4:7])) / 10, rel=0.02)  # lrcn's rate, hertz
