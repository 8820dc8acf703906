"""From clips to a model that sees joints, and the place: record rows, train on them, join, and recognize."""

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
from harstream.models.keras_import import LEVEL
from harstream.models.part_networks import LOOK, POSE
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
        ("harstream.training.parts", "--rows", found.rows, "--model", "flow_tcn", "--out", found.run, "--epochs", 20),
        ("harstream.export.parts", "--run", found.run, "--base", "flow_tcn", "--name", "mine", "--threshold", 0.7,
         "--out", found.model),
    ]  # fmt: skip
    for step in steps:
        result = run(*step)
        assert result.returncode == 0, result.stderr
    assert "pose: " in run(*steps[2][:-1], 1).stdout
    return found


@pytest.fixture(scope="module")
def looking(made: Made) -> Made:
    """Returns what is made in the same way of the pose model, with how the place looks as one more part."""
    folder, clips = made.rows.parent, made.rows.parent / "clips"
    found = Made(folder / "looks.npz", folder / "look_run", folder / "flow_pose_look")
    steps = [
        ("harstream.evaluation.rows", "--out", found.rows, "--model", made.model, "--part", "look", "--data", clips,
         "--split", clips / "SPLIT.tsv"),
        ("harstream.training.parts", "--rows", found.rows, "--model", made.model, "--out", found.run, "--epochs", 5),
        ("harstream.export.parts", "--run", found.run, "--base", made.model, "--name", "looking", "--threshold", 0.7,
         "--out", found.model),
    ]  # fmt: skip
    outputs = [run(*step) for step in steps]
    assert [output.returncode for output in outputs] == [0, 0, 0], "".join(output.stderr for output in outputs)
    assert "joined in another place: " in outputs[1].stdout
    return found


def test_the_model_has_the_labels_of_its_base_and_sees_joints(made: Made) -> None:
    contract = load_engine(str(made.model)).contract
    assert contract.labels == load_engine("flow_tcn").contract.labels
    assert (contract.name, contract.unknown_threshold) == ("mine", 0.7)
    assert contract.parts == (POSE.part,)


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


def test_a_part_can_be_joined_to_a_model_that_has_one(looking: Made) -> None:
    engine = load_engine(str(looking.model))
    assert engine.contract.parts == (POSE.part, LOOK.part)
    assert engine.contract.version == "1.0.0"


def test_the_place_never_makes_background_more_or_less_likely(made: Made, looking: Made) -> None:
    before, after = load_engine(str(made.model)), load_engine(str(looking.model))
    background = [before.contract.labels.index(label) for label in before.contract.background]
    rows = np.random.default_rng(2).random((20, 19, *after.row_shape), np.float32)
    expected = before.score(np.ascontiguousarray(rows[..., : before.row_shape[0]]))[:, background]
    assert after.score(rows)[:, background] == pytest.approx(expected, abs=1e-5)


def test_an_evaluation_says_what_another_place_changes(looking: Made) -> None:
    clips, report = looking.rows.parent / "clips", looking.rows.parent / "report.json"
    result = run(
        "harstream", "evaluate", "--model", looking.model, "--data", clips, "--split", clips / "SPLIT.tsv", "--part",
        "train", "--json", report,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "another place" in result.stdout
    clean, moved = json.loads(report.read_text())["places"]
    assert (clean["kind"], moved["kind"]) == ("clean", "another place")


def test_the_export_says_how_it_was_made(made: Made) -> None:
    report = json.loads((made.model / "export.json").read_text())
    assert report["base"] == "flow_tcn"
    assert report["training"]["command"].startswith("python -m harstream.training.parts --rows")
    assert report["largest_difference"]["head"] < 1e-4


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (("harstream.export.parts", "--run", "{run}", "--base", "{other}"), "has others"),
        (("harstream.export.parts", "--run", "{run}", "--base", "convlstm"), "expected a model with encoder.onnx"),
        (("harstream.export.parts", "--run", "nowhere", "--base", "flow_tcn"), "expected a run of"),
        (("harstream.training.parts", "--rows", "{run}/network.json", "--model", "flow_tcn"), "got another one"),
        (("harstream.training.parts", "--rows", "{rows}", "--model", "{other}"), "knows only"),
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
