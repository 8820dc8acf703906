"""What may import what, and what `harstream run` can do without."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
DEADLINE = 120.0

WITHOUT_TRAINING = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("tensorflow", "keras", "onnx", "tf2onnx"):
            raise ModuleNotFoundError(f"No module named {name!r}: it is blocked by the test", name=name)

sys.meta_path.insert(0, Missing())
"""
"""Begins a program for which the libraries of the extra `training` are not installed."""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": "100", "NO_COLOR": "1"}
    return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=DEADLINE)


def run_without_training(program: str) -> subprocess.CompletedProcess[str]:
    """In an interpreter that has imported nothing yet."""
    return run(sys.executable, "-c", WITHOUT_TRAINING + program)


def test_packages_import_each_other_only_downwards() -> None:
    result = run(str(Path(sys.executable).with_name("lint-imports")), "--no-cache")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("module", ["tensorflow", "keras", "onnx", "tf2onnx", "harstream.models.architectures.lrcn"])
def test_block_of_the_training_libraries_blocks(module: str) -> None:
    result = run_without_training(f"import {module}")
    assert "blocked by the test" in result.stderr


@pytest.mark.parametrize(
    "module",
    [
        "harstream.stream.app.run",
        "harstream.stream.app.predict",
        "harstream.stream.app.commands",
        "harstream.stream.app.config",
        "harstream.stream.app.config_wizard",
        "harstream.stream.recognition.litert",
        "harstream.stream.web.live_view",
        "harstream.stream.sinks.display",
        "harstream.stream.sinks.recorder",
        "harstream.evaluation.compare_reports",
        "harstream.evaluation.side_by_side",
        "harstream.evaluation.clip_runner",
        "harstream.evaluation.report",
        "harstream.evaluation.streams.stream_runner",
        "harstream.evaluation.streams.stream_report",
        "harstream.evaluation.cli",
        "harstream.scene.film",
        "harstream.scene.cli",
        "harstream.__main__",
    ],
)
def test_runtime_needs_none_of_the_training_libraries(module: str) -> None:
    result = run_without_training(f"import {module}")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["predict", "--help"], ["history", "--help"], ["--version"]]
)
def test_help_needs_none_of_the_training_libraries(arguments: list[str]) -> None:
    result = run_without_training(
        f"from harstream.__main__ import main\nsys.argv = ['harstream', *{arguments}]\nmain()"
    )
    assert result.returncode == 0, result.stderr
    assert "harstream" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [["combine", "a", "b", "--out", "c"], ["export", "a", "--name", "a"], ["train", "--data", "CLIPS", "--out", "c"]],
)
def test_what_needs_the_training_libraries_says_how_to_get_them(arguments: list[str], tmp_path: Path) -> None:
    for label in ("Jump", "Walk"):
        (tmp_path / label).mkdir()
        for number in range(1, 6):
            (tmp_path / label / f"v_{label}_g0{number}_c01.avi").touch()
    typed = [str(tmp_path) if argument == "CLIPS" else argument for argument in arguments]
    result = run_without_training(f"from harstream.__main__ import main\nsys.argv = ['harstream', *{typed}]\nmain()")
    told = f"harstream {arguments[0]}: needs keras, which is not installed: pip install 'harstream[training]'\n"
    assert (result.returncode, result.stderr) == (2, told)


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"]])
def test_installed_command_says_what_it_can_do(arguments: list[str]) -> None:
    result = run(str(Path(sys.executable).with_name("harstream")), *arguments)
    assert result.returncode == 0, result.stderr
    assert "Watch cameras and publish what people do." in result.stdout


def test_help_imports_neither_opencv_nor_onnxruntime() -> None:
    program = "from harstream.__main__ import main\nsys.argv = ['harstream', '--help']\n"
    program += "try: main()\nexcept SystemExit: pass\n"
    result = run_without_training(program + "print(sorted({'cv2', 'onnxruntime', 'numpy'} & set(sys.modules)))")
    assert result.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "module",
    [
        "harstream.stream.recognition.onnx_runtime",
        "harstream.stream.recognition.cuda_graphs",
        "harstream.export.verify",
        "harstream.export.quantize",
    ],
)
def test_nothing_is_kept_to_be_sent_to_the_maker_of_onnx_runtime(module: str, tmp_path: Path) -> None:
    program = f"""
import {module}, onnxruntime
onnxruntime.InferenceSession("models/trained/lrcn/model.onnx", providers=["CPUExecutionProvider"])
"""
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, env=environment | {"HOME": str(tmp_path)}, check=True,
        timeout=DEADLINE,
    )  # fmt: skip
    assert not list(tmp_path.rglob("*onnxruntime*"))
