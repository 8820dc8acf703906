"""Training runs on another backend of Keras. TensorFlow exports the result."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tensorflow")

pytestmark = pytest.mark.training


def harstream(*arguments: str, cwd: Path, backend: str) -> str:
    command = [sys.executable, "-c", "from harstream.__main__ import main; main()", *arguments]
    environment = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    result = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=240)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
def test_run_trained_with_pytorch_is_exported_by_tensorflow(tmp_path: Path) -> None:
    harstream("draw", "--out", "clips", "--clips", "3", "--seconds", "3", cwd=tmp_path, backend="tensorflow")
    options = ["--data", "clips", "--split", "random", "--batch", "8", "--epochs", "1"]
    harstream("train", *options, "--out", "run", cwd=tmp_path, backend="torch")
    assert ", torch " in json.loads((tmp_path / "run" / "provenance.json").read_text())["versions"]
    report = json.loads(harstream("export", "run", "--name", "x", "--out", "x", cwd=tmp_path, backend="tensorflow"))
    assert max(report["largest_difference"].values()) <= 1e-4
