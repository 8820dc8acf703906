"""From clips to a model that sees joints beside movement: record rows, train on them, join, and recognize."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from harstream.models.catalogue import TRAINED
from harstream.models.contract import RowPart
from harstream.models.keras_import import LEVEL
from harstream.stream.recognition.model import load
from harstream.stream.recognition.onnx_runtime import load_engine

pytestmark = pytest.mark.timeout(400)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a module as in a shell, where nothing has asked for TensorFlow's own lines."""
    environment = {name: value for name, value in os.environ.items() if name != LEVEL}
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300,
        env=environment,
    )  # fmt: skip


def lines(result: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in result.stderr.splitlines() if line.strip()]


@dataclass(frozen=True)
class Made:
    rows: Path
    run: Path
    model: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("pose")
    clips, split = folder / "clips", folder / "clips" / "SPLIT.tsv"
    found = Made(folder / "rows.npz", folder / "run", folder / "flow_pose")
    steps = [
        ("harstream", "draw", "--out", clips, "--clips", 4, "--seconds", 3, "--seed", 1000),
        ("harstream.evaluation.rows", "--out", found.rows, "--model", "flow_tcn", "--data", clips, "--split", split),
        ("harstream.training.pose", "--rows", found.rows, "--model", "flow_tcn", "--out", found.run, "--epochs", 20),
        ("harstream.export.pose", "--run", found.run, "--base", "flow_tcn", "--name", "mine", "--threshold", 0.7,
         "--out", found.model),
    ]  # fmt: skip
    for step in steps:
        result = run(*step)
        assert result.returncode == 0, result.stderr
    assert "joints alone:" in run(*steps[2][:-1], 1).stdout
    return found


def test_the_model_has_the_labels_of_its_base_and_sees_joints(made: Made) -> None:
    contract = load_engine(str(made.model)).contract
    assert contract.labels == load_engine("flow_tcn").contract.labels
    assert (contract.name, contract.unknown_threshold) == ("mine", 0.7)
    assert contract.parts == (RowPart("pose", 144, 192, 2),)


def test_it_recognizes_windows(made: Made) -> None:
    model = load(made.model)
    window = np.random.default_rng(1).integers(0, 256, (model.contract.frames, 120, 160, 3), np.uint8)
    scores = model(window)
    assert sum(scores.values()) == pytest.approx(1.0, abs=1e-3)
    assert min(scores.values()) >= 0


def test_it_can_be_evaluated_as_any_other_model(made: Made) -> None:
    clips = made.rows.parent / "clips"
    result = run(
        "harstream", "evaluate", "--model", made.model, "--data", clips, "--split", clips / "SPLIT.tsv", "--part", "val"
    )
    assert result.returncode == 0, result.stderr
    assert "windows reach 0.7" in result.stdout
    assert "view: motion" in result.stdout


def test_the_export_says_how_it_was_made(made: Made) -> None:
    report = json.loads((made.model / "export.json").read_text())
    assert report["base"] == "flow_tcn"
    assert report["training"]["command"].startswith("python -m harstream.training.pose --rows")
    assert report["largest_difference"]["head"] < 1e-4


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (("harstream.export.pose", "--run", "{run}", "--base", "{other}"), "has others"),
        (("harstream.export.pose", "--run", "{run}", "--base", "convlstm"), "expected a model with encoder.onnx"),
        (("harstream.export.pose", "--run", "nowhere", "--base", "flow_tcn"), "expected a run of"),
        (("harstream.training.pose", "--rows", "{run}/pose.json", "--model", "flow_tcn"), "got another one"),
        (("harstream.training.pose", "--rows", "{rows}", "--model", "{other}"), "knows only"),
    ],
)
def test_bad_input_gives_one_line(
    made: Made, row_model: Path, tmp_path: Path, command: tuple[str, ...], problem: str
) -> None:
    asked = [part.format(run=made.run, rows=made.rows, other=row_model) for part in command]
    if "export" in command[0]:
        asked += ["--name", "mine", "--threshold", "0.7"]
    result = run(*asked, "--out", tmp_path / "out")
    assert result.returncode != 0
    assert len(lines(result)) == 1, result.stderr
    assert problem in result.stderr
    assert not list(tmp_path.glob("out/*.onnx"))


def test_the_shipped_models_are_left_alone(made: Made) -> None:
    assert not (TRAINED / "mine").exists()
