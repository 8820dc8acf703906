"""The learning process shows its steps, and its end, whatever it is, is one line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from harstream.stream.config.camera import CameraConfig
from harstream.stream.config.file import load_config
from harstream.stream.config.model import Config
from harstream.stream.teaching.learning_process import LearningProcess, learning_config
from harstream.wire.errors import ControlError
from tests.support.waiting import Eventually

Program = Callable[[str], LearningProcess]


@pytest.fixture
def program() -> Iterator[Program]:
    """`program("print(1)")` gives a process that runs these lines of Python."""
    made: list[LearningProcess] = []

    def make(lines: str) -> LearningProcess:
        made.append(LearningProcess((sys.executable, "-c", lines)))
        return made[-1]

    yield make
    for process in made:
        process.close()


def test_a_result_is_passed_on_once_it_is_complete(program: Program, tmp_path: Path, eventually: Eventually) -> None:
    learned: list[bool] = []
    lines = "import sys, pathlib; pathlib.Path(sys.argv[sys.argv.index('--out') + 1]).mkdir(); print(sys.argv[-1])"
    process, out = program(lines), tmp_path / "taught"
    process.start(Config(), "hall", out, lambda: learned.append(out.is_dir()))
    eventually(lambda: process.step is None, "the end")
    assert (learned, process.failure) == ([True], "")


def test_the_present_step_is_shown_and_a_second_process_is_refused(
    program: Program, tmp_path: Path, eventually: Eventually
) -> None:
    process = program("import time; print('reading video 1 of 5', flush=True); time.sleep(60)")
    process.start(Config(), None, tmp_path / "taught", lambda: None)
    eventually(lambda: process.step == "reading video 1 of 5", "its step")
    with pytest.raises(ControlError, match="learns already"):
        process.start(Config(), None, tmp_path / "taught", lambda: None)
    process.stop()
    eventually(lambda: process.step is None, "the end")
    assert process.failure == ""


@pytest.mark.parametrize(
    ("lines", "failure"),
    [
        ("import sys; print('harstream: too few examples', file=sys.stderr); sys.exit(3)", "too few examples"),
        ("import os; os.kill(os.getpid(), 9)", "the learning process was killed by SIGKILL"),
        ("raise RuntimeError('x')", "the learning process failed with code 1"),
    ],
)
def test_a_failure_is_one_line(
    program: Program, tmp_path: Path, eventually: Eventually, lines: str, failure: str
) -> None:
    learned: list[None] = []
    process = program(lines)
    process.start(Config(), None, tmp_path / "taught", lambda: learned.append(None))
    eventually(lambda: process.step is None, "the end")
    assert process.failure.startswith(failure)
    assert "\n" not in process.failure
    assert learned == []


def test_a_program_that_is_not_there_is_one_line(tmp_path: Path, eventually: Eventually) -> None:
    process = LearningProcess((str(tmp_path / "nothing"),))
    process.start(Config(), None, tmp_path / "taught", lambda: None)
    eventually(lambda: process.step is None, "the end")
    assert process.failure.startswith("the learning process cannot run: ")
    process.close()


def test_a_process_that_ignores_ctrl_c_is_killed_at_the_end(
    program: Program, tmp_path: Path, eventually: Eventually
) -> None:
    lines = (
        "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    process = program(lines)
    process.start(Config(), None, tmp_path / "taught", lambda: None)
    eventually(lambda: process.step == "deaf", "its start")
    process.close()
    assert process.step is None


def test_the_process_learns_what_the_camera_sees_and_gets_no_address(tmp_path: Path, secret: str) -> None:
    crop = (0.0, 0.2, 0.5, 1.0)
    camera = CameraConfig(name="hall", source=f"rtsp://me:{secret}@camera/1", transport="udp", crop=crop)
    text = learning_config(Config(model="lrcn", view="picture", state=tmp_path, cameras=(camera,)))
    assert secret not in text
    assert set(yaml.safe_load(text)) == {"activities", "cameras", "device", "model", "state", "view"}
    (tmp_path / "config.yaml").write_text(text)
    read = load_config(tmp_path / "config.yaml")
    assert (read.model, read.view, read.state) == ("lrcn", "picture", tmp_path)
    assert [(each.name, each.crop) for each in read.cameras] == [("hall", crop)]
