"""The command as an operator types it, in a folder of its own, with films and models whose events are known."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper

from harstream.models.contract import CONTRACT_KEY, ModelContract

HARSTREAM = Path(sys.executable).with_name("harstream")
LOG_LINE = re.compile(r"\d\d:\d\d:\d\d (DEBUG|INFO|WARNING|ERROR)")
SECRET = "geheim"
"""Every password in these tests; it must never be printed."""

LIGHT = ModelContract(
    name="light", version="1.0.0", labels=("Dark", "Light"), background=("Dark",), frames=5, height=8, width=8,
    rate=10.0, unknown_threshold=0.6,
)  # fmt: skip


@pytest.fixture(scope="session")
def secret() -> str:
    return SECRET


@pytest.fixture(scope="session")
def light_contract() -> ModelContract:
    return LIGHT


@pytest.fixture(scope="session")
def make_model() -> Callable[..., Path]:
    """`make_model(file, contract, labels=2)` writes a model that sees one activity, Light, in pictures that are not
    dark; without a contract where that is None, with so many scores as `labels` says, that `last` makes."""

    def make(file: Path, contract: ModelContract | None = LIGHT, labels: int = 2, last: str = "Softmax") -> Path:
        shape = ["N", LIGHT.frames, LIGHT.height, LIGHT.width, 3]
        weights = np.zeros((1, labels), np.float32)
        weights[0, -1] = 60 / 255
        bias = np.zeros(labels, np.float32)
        bias[-1] = -9
        nodes = [
            helper.make_node("Cast", ["frames"], ["float"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", ["float"], ["mean"], axes=[1, 2, 3, 4], keepdims=0),
            helper.make_node("Unsqueeze", ["mean", "axis"], ["column"]),
            helper.make_node("MatMul", ["column", "weights"], ["product"]),
            helper.make_node("Add", ["product", "bias"], ["sum"]),
            helper.make_node(last, ["sum"], ["scores"], axis=1),
        ]
        constants = {"axis": np.array([1]), "weights": weights, "bias": bias}
        graph = helper.make_graph(
            nodes,
            "light",
            [helper.make_tensor_value_info("frames", TensorProto.UINT8, shape)],
            [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", labels])],
            [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
        if contract is not None:
            helper.set_model_props(model, {CONTRACT_KEY: contract.to_json()})
        onnx.save(model, str(file))
        return file

    return make


@pytest.fixture(scope="session")
def light_model(tmp_path_factory: pytest.TempPathFactory, make_model: Callable[..., Path]) -> Path:
    return make_model(tmp_path_factory.mktemp("model") / "light.onnx")


@pytest.fixture
def film(tmp_path: Path) -> Callable[..., Path]:
    """`film("a.mp4", (2, 200), (1, 0))` is 2 s of light grey and 1 s of black, at 25 pictures a second."""

    def write(name: str, *parts: tuple[float, int], size: tuple[int, int] = (160, 120), codec: str = "mp4v") -> Path:
        path = tmp_path / name
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 25, size)
        assert writer.isOpened()
        noise = np.random.default_rng(1)
        for seconds, grey in parts:
            for _ in range(round(seconds * 25)):
                grain = noise.integers(0, 8, (size[1], size[0], 3))
                writer.write((np.full_like(grain, grey) + grain).clip(0, 255).astype(np.uint8))
        writer.release()
        return path

    return write


@pytest.fixture
def configure(tmp_path: Path, new_port: Callable[[], int]) -> Callable[..., None]:
    """Writes the config.yaml of the folder in which the command runs: quiet, but for what is given."""

    def write(**values: Any) -> None:
        mqtt = {"embedded_port": new_port()} | values.pop("mqtt", {})
        web = {"enabled": False, "port": new_port()} | values.pop("web", {})
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(values | {"mqtt": mqtt, "web": web}))

    write()
    return write


class Running:
    """The command at work; `stdout` and `stderr` hold the lines it has written so far."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.stdout: list[str] = []
        self.stderr: list[str] = []
        self._process = subprocess.Popen(
            [str(HARSTREAM), *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONWARNINGS": "ignore"},
        )  # fmt: skip
        pipes = (self._process.stdout, self.stdout), (self._process.stderr, self.stderr)
        self._threads = [threading.Thread(target=_collect, args=pair) for pair in pipes]
        for thread in self._threads:
            thread.start()

    @property
    def said(self) -> str:
        return "\n".join([*self.stdout, *self.stderr])

    @property
    def complaints(self) -> list[str]:
        """What it wrote on stderr but for the log."""
        return [line for line in self.stderr if not LOG_LINE.match(line)]

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def is_over(self) -> bool:
        return self._process.poll() is not None

    def wait(self, seconds: float) -> int:
        """Its exit code; fails if it takes longer. What it said is complete then, and free of passwords."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.end()
            pytest.fail(f"still at work after {seconds} s:\n{self.said}")
        for thread in self._threads:
            thread.join()
        assert SECRET not in self.said
        assert "Traceback" not in self.said
        return code

    def end(self) -> None:
        if not self.is_over():
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join()


def _collect(pipe: Any, lines: list[str]) -> None:
    with pipe:
        lines.extend(line.rstrip("\n") for line in pipe)


@pytest.fixture
def start(tmp_path: Path, configure: Callable[..., None]) -> Iterator[Callable[..., Running]]:
    """`start("run", "--source", "scene")` starts the command in the test's folder; it is ended with the test."""
    started: list[Running] = []

    def begin(*arguments: object) -> Running:
        started.append(Running(tmp_path, *(str(argument) for argument in arguments)))
        return started[-1]

    yield begin
    for running in started:
        running.end()


@pytest.fixture
def harstream(start: Callable[..., Running]) -> Callable[..., tuple[int, Running]]:
    """`harstream("predict", "a.mp4")` runs the command to its end and gives exit code and what it said."""

    def run(*arguments: object, seconds: float = 40) -> tuple[int, Running]:
        running = start(*arguments)
        return running.wait(seconds), running

    return run


@pytest.fixture(scope="module")
def run_in() -> type[Running]:
    """`run_in(folder, "run", ...)`, for what lives longer than one test; whoever calls it calls `end`."""
    return Running
