"""The real command leads from a folder of clips to a stream: train, resume, export, evaluate, predict."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harstream.stream.recognition.onnx_runtime import load_engine
from tests.support.command import harstream_here

pytestmark = pytest.mark.training

Trained = tuple[Path, subprocess.CompletedProcess[str]]
"""The folder in which the command ran, and its result."""
Exported = tuple[Path, dict[str, Any]]
"""A folder and the report that `export` printed."""
Command = Callable[..., subprocess.CompletedProcess[str]]
RECIPE = ["--arch", "lrcn", "--batch", "4", "--windows-per-clip", "1"]


def harstream(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own. What TensorFlow says on stderr belongs to the result."""
    command = [sys.executable, "-c", "from harstream.__main__ import main; main()", *map(str, arguments)]
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    environment |= {"COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=240)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draws clips of two activities and of background in six looks, and unusable clips."""
    folder = tmp_path_factory.mktemp("clips")
    result = harstream("draw", "--out", folder / "all", "--clips", 6, "--seconds", 3, "--seed", 3, cwd=folder)
    assert result.returncode == 0, result.stderr
    for label in ("Lunges", "JumpRope", "PullUps", "Punch"):
        shutil.rmtree(folder / "all" / label)
    (folder / "all" / "PushUps" / "v_PushUps_g03_c09.mp4").write_bytes(b"")
    (folder / "all" / "PushUps" / "v_PushUps_g03_c08.mp4").write_bytes(b"this is no video")
    with (folder / "all" / "SPLIT.tsv").open("a") as split:
        split.write("PushUps/v_PushUps_g03_c09.mp4\tPushUps\tg03\tg03\ttrain\n")
        split.write("PushUps/v_PushUps_g03_c08.mp4\tPushUps\tg03\tg03\ttrain\n")
    return folder / "all"


def train(
    drawn: Path, out: str, cwd: Path, *more: object, command: Command = harstream_here
) -> subprocess.CompletedProcess[str]:
    split = drawn / "SPLIT.tsv"
    return command("train", "--data", drawn, "--split", split, "--out", out, *RECIPE, *more, cwd=cwd)


@pytest.fixture(scope="module")
def trained(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("train")
    result = train(drawn, "runs/x", folder, "--epochs", 2, command=harstream)
    assert result.returncode == 0, result.stderr
    return folder, result


@pytest.fixture(scope="module")
def exported(trained: Trained) -> Exported:
    folder, _ = trained
    result = harstream("export", "runs/x", "--name", "x", "--out", "x", cwd=folder)
    assert result.returncode == 0, result.stderr
    return folder / "x", json.loads(result.stdout)


def test_training_names_and_counts_unusable_clips(trained: Trained) -> None:
    _, result = trained
    assert "v_PushUps_g03_c09.mp4: expected a video, found nothing that can be decoded" in result.stderr
    assert "2 of 26 clips left out" in result.stderr


def test_views_train_a_model_of_the_same_labels_that_can_be_exported(drawn: Path, trained: Trained) -> None:
    folder, _ = trained
    result = train(drawn, "runs/views", folder, "--augmentation", "views", "--epochs", 1)
    assert result.returncode == 0, result.stderr
    assert "no validation clip is left for still" not in result.stderr  # still pictures are made, not filmed
    contracts = [json.loads((folder / "runs" / run / "contract.json").read_text()) for run in ("views", "x")]
    labels = [each["labels"] for each in contracts]
    assert [each["view"] for each in contracts] == ["motion", "picture"]
    assert labels[0] == labels[1]
    assert np.load(folder / "runs" / "views" / "windows.npy").shape[1:] == (20, 64, 64, 3)
    assert harstream_here("export", "runs/views", "--name", "views", "--out", "views", cwd=folder).returncode == 0
    assert load_engine(str(folder / "views"), "cpu").contract.view == "motion"


def test_a_run_folder_holds_everything_needed_to_repeat_the_run(trained: Trained) -> None:
    folder, _ = trained
    run = folder / "runs" / "x"
    assert json.loads((run / "recipe.json").read_text())["arch"] == "lrcn"
    with (run / "split.tsv").open() as lines:
        parts = {row["split"] for row in csv.DictReader(lines, delimiter="\t")}
    assert parts == {"train", "val"}
    assert json.loads((run / "provenance.json").read_text())["command"].startswith("harstream train --data")
    assert list((run / "tensorboard").rglob("events.out.*"))


def test_a_finished_run_is_not_overwritten(drawn: Path, trained: Trained) -> None:
    folder, _ = trained
    result = train(drawn, "runs/x", folder, "--epochs", 2)
    assert result.returncode == 2
    assert "harstream train: runs/x holds a finished run: choose another --out" in result.stderr.replace("\n", " ")


def test_a_killed_run_resumes_after_its_last_epoch(drawn: Path, trained: Trained) -> None:
    folder, _ = trained
    command = [
        sys.executable, "-c", "from harstream.__main__ import main; main()", "train", "--data", str(drawn), "--split",
        str(drawn / "SPLIT.tsv"), "--out", "runs/killed", *RECIPE, "--epochs", "4",
    ]  # fmt: skip
    history = folder / "runs" / "killed" / "history.csv"
    killed = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (history.exists() and len(history.read_text().splitlines()) >= 2):
        assert time.monotonic() < deadline
        assert killed.poll() is None
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    before = history.read_text().splitlines()
    result = train(drawn, "runs/killed", folder, "--epochs", 4)
    assert result.returncode == 0, result.stderr
    with history.open() as lines:
        epochs = [int(row["epoch"]) for row in csv.DictReader(lines)]
    assert epochs == [0, 1, 2, 3]
    assert history.read_text().splitlines()[: len(before)] == before


def test_resuming_with_another_recipe_is_refused(drawn: Path, trained: Trained) -> None:
    folder, _ = trained
    shutil.copytree(folder / "runs" / "x", folder / "runs" / "other")
    (folder / "runs" / "other" / "model.keras").unlink()
    result = train(drawn, "runs/other", folder, "--epochs", 3)
    assert result.returncode == 2
    assert "holds a run with another recipe.json" in result.stderr.replace("\n", " ")


def test_an_exported_model_equals_keras_and_carries_its_contract(exported: Exported) -> None:
    folder, report = exported
    assert {"model.onnx", "encoder.onnx", "head.onnx", "export.json", "history.csv"} <= {
        file.name for file in folder.iterdir()
    }
    assert report["windows_verified"] >= 8
    assert max(report["largest_difference"].values()) <= 1e-4


def test_an_exported_model_is_evaluated_and_reported(drawn: Path, exported: Exported) -> None:
    folder, _ = exported
    result = harstream(
        "evaluate", "--model", folder, "--data", drawn, "--split", drawn / "SPLIT.tsv", "--part", "val",
        "--json", "figures.json", "--html", "report.html", cwd=folder,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    figures = json.loads((folder / "figures.json").read_text())
    assert figures["schema"] == "harstream.evaluation/1"
    assert "<html" in (folder / "report.html").read_text()


def test_an_exported_model_runs_on_a_video(drawn: Path, exported: Exported) -> None:
    folder, _ = exported
    video = next((drawn / "JumpingJack").glob("*.mp4"))
    result = harstream("predict", video, "--model", folder, cwd=folder)
    assert result.returncode == 0, result.stderr
    assert video.name in result.stdout


def test_a_model_trained_evenly_over_clips_is_refused_by_a_stream_with_the_reason(
    drawn: Path, trained: Trained
) -> None:
    folder, _ = trained
    result = train(drawn, "runs/even", folder, "--epochs", 1, "--preset", "rana")
    assert result.returncode == 0, result.stderr
    assert harstream_here("export", "runs/even", "--name", "even", "--out", "even", cwd=folder).returncode == 0
    refused = harstream_here("predict", next(drawn.glob("*/*.mp4")), "--model", "even", cwd=folder)
    assert refused.returncode == 5
    assert "spread evenly over each clip" in refused.stderr
    split = drawn / "SPLIT.tsv"
    judged = harstream_here(
        "evaluate", "--model", "even", "--data", drawn, "--split", split, "--part", "val", cwd=folder
    )
    assert judged.returncode == 0, judged.stderr


def test_a_run_keeps_windows_of_its_training_clips_and_none_of_validation(trained: Trained) -> None:
    folder, _ = trained
    kept, validated = (np.load(folder / "runs" / "x" / name) for name in ("training_windows.npy", "windows.npy"))
    with (folder / "runs" / "x" / "split.tsv").open() as lines:
        learned = sum(row["split"] == "train" for row in csv.DictReader(lines, delimiter="\t"))
    assert kept.shape == (learned - 2, 20, 64, 64, 3)  # two clips are unusable
    assert not {window.tobytes() for window in kept} & {window.tobytes() for window in validated}


@pytest.fixture(scope="module")
def edge(trained: Trained) -> Exported:
    """Exports the run for small devices. Returns the report of `export` for each folder name."""
    folder, _ = trained
    ways = {"int8": ["--quantize", "int8"], "lite": ["--format", "tflite"]}
    ways["lite8"] = [*ways["lite"], *ways["int8"]]
    reports = {}
    for out, options in ways.items():
        result = harstream_here("export", "runs/x", "--name", "x", "--out", out, *options, cwd=folder)
        assert result.returncode == 0, result.stderr
        reports[out] = json.loads(result.stdout)
    return folder, reports


@pytest.mark.parametrize(
    ("out", "files"),
    [("int8", {"model.onnx", "encoder.onnx", "head.onnx"}), ("lite", {"model.tflite"}), ("lite8", {"model.tflite"})],
)
def test_an_edge_model_reports_its_cost_beside_float_onnx(
    exported: Exported, edge: Exported, out: str, files: set[str]
) -> None:
    plain, _ = exported
    folder, reports = edge
    assert {file.name for file in (folder / out).iterdir()} == files | {"export.json", "history.csv"}
    sizes = reports[out]["bytes"]
    assert sizes["this"] == sum((folder / out / file).stat().st_size for file in files - {"model.onnx"})
    float_size = sum((plain / file).stat().st_size for file in ("encoder.onnx", "head.onnx"))
    assert sizes["float ONNX"] == pytest.approx(float_size, rel=1e-3)  # names in the graphs differ by some letters
    assert min(reports[out]["milliseconds_a_window"].values()) > 0


def test_quantized_edge_models_are_half_as_large_and_the_float_one_equals_keras(edge: Exported) -> None:
    _, reports = edge
    sizes = {out: report["bytes"] for out, report in reports.items()}
    assert sizes["int8"]["this"] < sizes["int8"]["float ONNX"] / 2
    assert sizes["lite8"]["this"] < sizes["lite"]["this"] / 2
    assert reports["lite"]["difference_to_keras"] <= 1e-4


def test_models_are_compared_on_the_same_clips_by_their_own_files(
    drawn: Path, exported: Exported, edge: Exported
) -> None:
    folder, reports = edge
    result = harstream_here(
        "evaluate", "--model", "x", "--model", "int8", "--model", "lite", "--data", drawn, "--split",
        drawn / "SPLIT.tsv", "--part", "val", "--json", "beside.json", cwd=folder,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    plain, int8, lite = json.loads((folder / "beside.json").read_text())["models"]
    assert [each["model"] for each in (plain, int8, lite)] == ["x", "int8", "lite"]
    assert int8["bytes"] == reports["int8"]["bytes"]["this"] < plain["bytes"]
    assert (plain["runs_on"], lite["runs_on"]) == ("CPU", "CPU, LiteRT")
    figures = ("windows_right", "clips_right", "f1_macro")
    assert [lite[figure] for figure in figures] == [plain[figure] for figure in figures]
    assert "ms per window" in result.stdout


def test_a_tflite_model_runs_on_a_video_like_the_onnx_model(drawn: Path, exported: Exported, edge: Exported) -> None:
    folder, _ = edge
    video = next((drawn / "JumpingJack").glob("*.mp4"))
    plain, lite = (
        harstream_here("predict", video, "--model", model, "--events", f"{model}.jsonl", cwd=folder)
        for model in ("x", "lite")
    )
    assert lite.returncode == 0, lite.stderr
    assert lite.stdout == plain.stdout


def test_a_run_without_training_windows_is_not_quantized(trained: Trained) -> None:
    folder, _ = trained
    shutil.copytree(folder / "runs" / "x", folder / "runs" / "old")
    (folder / "runs" / "old" / "training_windows.npy").unlink()
    result = harstream("export", "runs/old", "--name", "x", "--out", "old8", "--quantize", "int8", cwd=folder)
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("harstream export: expected a finished run of `harstream train` in runs/old")
    assert "found no training_windows.npy" in line
    assert not (folder / "old8").exists()


def test_several_models_are_compared_only_on_clips(drawn: Path, tmp_path: Path) -> None:
    models = ("--model", "lrcn", "--model", "convlstm")
    result = harstream_here("evaluate", *models, "--data", drawn, "--stream", cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith("harstream evaluate: several models are compared")


def test_an_unknown_architecture_gives_a_one_line_error(drawn: Path, tmp_path: Path) -> None:
    result = harstream_here(
        "train", "--data", drawn, "--split", drawn / "SPLIT.tsv", "--out", "x", "--arch", "lstm", cwd=tmp_path
    )
    assert result.returncode == 2
    assert result.stderr.startswith("harstream train: no architecture 'lstm'; there are cnn_tcn, convlstm,")
    assert "Traceback" not in result.stderr


def test_a_class_without_training_clips_is_named(drawn: Path, tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    shutil.copytree(drawn / "JumpingJack", tmp_path / "all" / "JumpingJack")
    shutil.copytree(drawn / "background", tmp_path / "all" / "Standing")
    lonely = tmp_path / "all" / "Alone"
    lonely.mkdir()
    shutil.copy(next(drawn.glob("PushUps/*g05*.mp4")), lonely)
    result = harstream_here("train", "--data", "all", "--out", "y", cwd=tmp_path)
    assert result.returncode == 2
    assert "class Alone has 1 group(s) of clips" in result.stderr.replace("\n", " ")


def test_a_misspelt_background_class_is_named(drawn: Path, tmp_path: Path) -> None:
    result = train(drawn, "runs/nobody", tmp_path, "--background-class", "noFigth")
    assert result.returncode == 2
    assert "no class folder for --background-class noFigth" in result.stderr


def test_classes_of_the_background_are_learned_separately_and_scored_as_one(drawn: Path, tmp_path: Path) -> None:
    for label, to in (
        ("PushUps", "data/PushUps"), ("background", "data/background"), ("JumpingJack", "none/JumpingJack"),
        ("background", "none/Standing"),
    ):  # fmt: skip
        shutil.copytree(drawn / label, tmp_path / to)
    result = harstream_here(
        "train", "--data", "data", "--background", "none", "--fine-background", "--split", "group",
        "--out", "runs/x", *RECIPE, "--epochs", 1, cwd=tmp_path,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    result = harstream_here("export", "runs/x", "--name", "x", "--out", "x", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    result = harstream_here(
        "evaluate", "--model", "x", "--data", "data", "--background", "none", "--json", "report.json", cwd=tmp_path
    )
    assert result.returncode == 0, result.stderr
    metrics = json.loads((tmp_path / "report.json").read_text())["metrics"]
    assert metrics["labels"] == ["PushUps", "background"]
    import keras

    from harstream.models.layers.sum_of_classes import SumOfClasses

    model = keras.models.load_model(tmp_path / "runs" / "x" / "model.keras", compile=False)
    last = model.get_layer("head").layers[-1]
    assert isinstance(last, SumOfClasses)
    assert tuple(last.label_of) == (0, 1, 1, 1)  # PushUps; JumpingJack, Standing, background


def test_weights_that_cannot_be_downloaded_are_one_clear_line_and_leave_no_run(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    result = train(drawn, "runs/x", tmp_path, "--arch", "mobilenet_gru", "--weights", "imagenet", command=harstream)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    (line,) = result.stderr.splitlines()
    assert line.startswith("harstream train: expected the ImageNet weights of MobileNetV3Small")
    assert line.endswith("and give it with --weights FILE")
    assert not (tmp_path / "runs").exists()


def test_a_run_starts_with_the_layers_of_another_and_reports_it(drawn: Path, trained: Trained) -> None:
    folder, _ = trained
    result = train(
        drawn, "runs/next", folder, "--epochs", 1, "--start-from", "runs/x", "--classes", "JumpingJack,PushUps"
    )
    assert result.returncode == 0, result.stderr
    assert "5 of 6 layers taken from runs/x/model.keras; new: head/scores" in result.stderr
    assert json.loads((folder / "runs" / "next" / "recipe.json").read_text())["start_from"] == "runs/x"
    provenance = json.loads((folder / "runs" / "next" / "provenance.json").read_text())
    assert provenance["start_from"].startswith("runs/x (sha256 ")


def test_a_run_starts_from_a_shipped_model_and_reports_it(drawn: Path, trained: Trained) -> None:
    folder, _ = trained
    result = train(drawn, "runs/shipped", folder, "--epochs", 1, "--arch", "flow_tcn", "--start-from", "flow_tcn")
    assert result.returncode == 0, result.stderr
    assert "14 of 15 layers taken from" in result.stderr
    provenance = json.loads((folder / "runs" / "shipped" / "provenance.json").read_text())
    assert provenance["start_from"].startswith("flow_tcn (sha256 ")


def test_a_recipe_is_refitted_with_the_validation_clips_and_reported(drawn: Path, trained: Trained) -> None:
    folder, _ = trained
    refused = train(drawn, "runs/all", folder, "--epochs", 1, "--refit", "runs/x")
    assert refused.returncode == 2
    assert refused.stderr.startswith(
        "harstream train: --refit needs a run of the same recipe: runs/x has another epochs"
    )
    result = train(drawn, "runs/all", folder, "--epochs", 2, "--refit", "runs/x")
    assert result.returncode == 0, result.stderr
    assert "last epoch 2, training loss " in result.stderr
    assert "\tval\n" not in (folder / "runs" / "all" / "split.tsv").read_text()
    result = harstream_here("export", "runs/all", "--name", "all", "--out", "all", cwd=folder)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["training"]["refit"].startswith("runs/x (sha256 ")
    result = harstream_here(
        "evaluate",
        "--model",
        "all",
        "--data",
        drawn,
        "--split",
        drawn / "SPLIT.tsv",
        "--part",
        "train",
        "--html",
        "all.html",
        cwd=folder,
    )
    assert result.returncode == 0, result.stderr
    assert "training</" in (folder / "all.html").read_text()


def test_runs_are_combined_to_one_that_is_exported_and_evaluated(drawn: Path, trained: Trained) -> None:
    folder, _ = trained
    assert train(drawn, "runs/second", folder, "--epochs", 1, "--seed", 5).returncode == 0
    result = harstream_here("combine", "runs/x", "runs/second", "--out", "runs/both", cwd=folder)
    assert result.returncode == 0, result.stderr
    assert "2 runs, threshold 0." in result.stderr
    result = harstream_here("export", "runs/both", "--name", "both", "--out", "both", cwd=folder)
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["training"]["command"] == "harstream combine runs/x runs/second --out runs/both"
    assert report["training"]["member 2"].startswith("harstream train ")
    assert not (folder / "both" / "history.csv").exists()
    result = harstream_here(
        "evaluate", "--model", "both", "--data", drawn, "--split", drawn / "SPLIT.tsv", "--part", "val",
        "--html", "both.html", cwd=folder,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert (folder / "both.html").is_file()


def test_combining_runs_that_do_not_fit_gives_a_one_line_error(trained: Trained) -> None:
    folder, _ = trained
    result = harstream_here("combine", "runs/x", "runs/none", "--out", "runs/never", cwd=folder)
    assert result.returncode == 2
    assert result.stderr.startswith("harstream combine: expected a finished run of `harstream train`")
    assert not (folder / "runs" / "never").exists()


def test_a_class_without_validation_clips_is_named(drawn: Path, tmp_path: Path) -> None:
    rows = (drawn / "SPLIT.tsv").read_text().splitlines(keepends=True)
    split = tmp_path / "split.tsv"
    split.write_text("".join(row for row in rows if not (row.startswith("PushUps") and row.endswith("val\n"))))
    result = harstream_here(
        "train", "--data", drawn, "--split", split, "--out", "x", *RECIPE, "--epochs", 1, cwd=tmp_path
    )
    assert result.returncode == 0, result.stderr
    assert "no validation clip is left for PushUps" in result.stderr
