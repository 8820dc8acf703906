"""The benchmarks run; what they say is looked at by people, on an idle machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.training
def test_every_benchmark_runs_once_and_is_written_down(tmp_path: Path) -> None:
    out = tmp_path / "performance.md"
    command = [sys.executable, "-m", "benchmarks", "--short", "--out", str(out)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert result.returncode == 0, result.stdout + result.stderr
    text = out.read_text()
    for name in ("windows", "batches", "pictures", "files", "cameras", "latency", "startup", "training"):
        assert f"python -m benchmarks --only {name}\n" in text
    assert "| lrcn |" in text
    assert (tmp_path / "cameras.svg").stat().st_size > 1000


def test_an_unknown_benchmark_is_named() -> None:
    command = [sys.executable, "-m", "benchmarks", "--only", "coffee"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 2
    assert "coffee" in result.stderr
