"""Packages import each other in one direction, and `harstream run` needs nothing optional."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harstream.__main__ import EXTRAS

REPOSITORY = Path(__file__).parents[1]
DEADLINE = 120.0

TRAINING = EXTRAS["training"]
OPTIONAL = (*EXTRAS["evaluation"], *TRAINING)

BLOCK = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked}:
            raise ModuleNotFoundError(f"No module named {{name!r}}: it is blocked by the test", name=name)

sys.meta_path.insert(0, Missing())
"""

IMPORTS = """
import importlib, json

failed = {{}}
for module in {modules}:
    try:
        importlib.import_module(module)
    except ImportError as error:
        failed[module] = str(error)
print(json.dumps(failed))
"""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": "100", "NO_COLOR": "1"}
    return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=DEADLINE)


def run_without(blocked: tuple[str, ...], program: str) -> subprocess.CompletedProcess[str]:
    """Runs a program in a new interpreter in which these modules are not installed."""
    return run(sys.executable, "-c", BLOCK.format(blocked=blocked) + program)


def failed_imports(blocked: tuple[str, ...], *modules: str) -> dict[str, str]:
    """Imports the modules in a new interpreter without the blocked ones. Returns the error of each that failed."""
    result = run_without(blocked, IMPORTS.format(modules=modules))
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_packages_import_each_other_only_downwards() -> None:
    result = run(str(Path(sys.executable).with_name("lint-imports")), "--no-cache")
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_blocked_module_cannot_be_imported() -> None:
    blocked = (*OPTIONAL, "harstream.models.architectures.lrcn")
    failed = failed_imports(OPTIONAL, *blocked)
    assert tuple(failed) == blocked
    assert all("blocked by the test" in error for error in failed.values())


def test_run_needs_no_optional_module() -> None:
    modules = (
        "harstream.stream.app.run",
        "harstream.stream.app.assembly.service",
        "harstream.stream.app.predict",
        "harstream.stream.app.predict_files",
        "harstream.stream.app.listen",
        "harstream.stream.app.cameras",
        "harstream.stream.app.history",
        "harstream.stream.app.doctor",
        "harstream.stream.app.config.commands",
        "harstream.stream.app.config.wizard",
        "harstream.stream.recognition.litert",
        "harstream.stream.recognition.views.person_detector",
        "harstream.stream.web.server",
        "harstream.stream.sinks.display",
        "harstream.stream.sinks.recorder",
        "harstream.evaluation.compare_cli",
        "harstream.evaluation.clip_runner",
        "harstream.evaluation.streams.stream_runner",
        "harstream.evaluation.cli",
        "harstream.scene.film",
        "harstream.scene.cli",
        "harstream.teaching.app.commands",
        "harstream.__main__",
    )
    assert failed_imports(OPTIONAL, *modules) == {}


def test_evaluation_needs_none_of_the_training_libraries() -> None:
    modules = (
        "harstream.evaluation.report",
        "harstream.evaluation.compute_metrics",
        "harstream.evaluation.comparison",
        "harstream.evaluation.streams.stream_report",
    )
    assert failed_imports(TRAINING, *modules) == {}


def test_teaching_needs_no_tensorflow() -> None:
    heavy = tuple(name for name in TRAINING if name != "onnx")
    assert failed_imports(heavy, "harstream.teaching.lesson", "harstream.teaching.app.report") == {}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["predict", "--help"], ["history", "--help"], ["--version"]]
)
def test_help_needs_nothing_optional(arguments: list[str]) -> None:
    result = run_without(
        OPTIONAL, f"from harstream.__main__ import main\nsys.argv = ['harstream', *{arguments}]\nmain()"
    )
    assert result.returncode == 0, result.stderr
    assert "harstream" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "missing", "extra"),
    [
        (["combine", "a", "b", "--out", "c"], "keras", "training"),
        (["export", "a", "--name", "a"], "keras", "training"),
        (["train", "--data", "CLIPS", "--out", "c"], "keras", "training"),
        (["evaluate", "--model", "lrcn", "--data", "CLIPS"], "sklearn", "evaluation"),
        (["evaluate", "--model", "lrcn", "--model", "convlstm", "--data", "CLIPS"], "sklearn", "evaluation"),
        (["reproduce", "--data", "CLIPS", "--split", "SPLIT.tsv"], "jinja2", "evaluation"),
    ],
)
def test_a_command_without_its_extra_names_the_extra(
    arguments: list[str], missing: str, extra: str, tmp_path: Path
) -> None:
    for label in ("Jump", "Walk"):
        (tmp_path / label).mkdir()
        for number in range(1, 6):
            (tmp_path / label / f"v_{label}_g0{number}_c01.avi").touch()
    typed = [str(tmp_path) if argument == "CLIPS" else argument for argument in arguments]
    result = run_without(OPTIONAL, f"from harstream.__main__ import main\nsys.argv = ['harstream', *{typed}]\nmain()")
    expected = f"harstream {arguments[0]}: needs {missing}, which is not installed: pip install 'harstream[{extra}]'\n"
    assert (result.returncode, result.stderr) == (2, expected)


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"]])
def test_installed_command_describes_itself(arguments: list[str]) -> None:
    result = run(str(Path(sys.executable).with_name("harstream")), *arguments)
    assert result.returncode == 0, result.stderr
    assert "Watch cameras and publish what people do." in result.stdout


def test_help_imports_neither_opencv_nor_onnxruntime() -> None:
    program = "from harstream.__main__ import main\nsys.argv = ['harstream', '--help']\n"
    program += "try: main()\nexcept SystemExit: pass\n"
    result = run_without(OPTIONAL, program + "print(sorted({'cv2', 'onnxruntime', 'numpy'} & set(sys.modules)))")
    assert result.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "module",
    [
        "harstream.stream.recognition.onnx_session",
        "harstream.stream.recognition.cuda_graphs",
        "harstream.export.verify",
        "harstream.export.quantize",
    ],
)
def test_onnx_runtime_stores_no_telemetry(module: str, tmp_path: Path) -> None:
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


def test_the_package_is_the_command_too() -> None:
    result = run(sys.executable, "-m", "harstream", "--version")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("harstream ")
