"""The benchmarks run. People judge their figures, on an idle machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import batches, gpu_usage, interleaved, tables
from harstream.models.catalogue import find_model
from harstream.stream.recognition.onnx_runtime import OnnxRecognizer, RunMode

NAMES = (
    "windows",
    "frames",
    "batches",
    "pictures",
    "views",
    "files",
    "cameras",
    "latency",
    "startup",
    "forecast",
    "ticks",
    "training",
)


@pytest.mark.training
@pytest.mark.timeout(620)
def test_every_benchmark_runs_and_is_in_the_written_page(tmp_path: Path) -> None:
    out = tmp_path / "performance.md"
    command = [sys.executable, "-m", "benchmarks", "--short", "--out", str(out)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stdout + result.stderr
    text = out.read_text()
    for name in NAMES:
        assert f"python -m benchmarks --only {name}\n" in text
    assert "| lrcn |" in text
    assert "| convlstm |" in text
    assert (tmp_path / "cameras.svg").stat().st_size > 1000


def test_an_unknown_benchmark_is_named() -> None:
    command = [sys.executable, "-m", "benchmarks", "--only", "coffee"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 2
    assert "coffee" in result.stderr


def test_the_gpu_columns_are_filled_on_a_machine_with_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU computes in the ways of a GPU, and the driver reports that the GPU is 37 % busy."""
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho 37\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    files = find_model("lrcn")
    engines = {name: OnnxRecognizer(files, "cpu") for name in (batches.ONE_THREAD, batches.TWO_THREADS)}
    bound = {name: OnnxRecognizer(files, "cpu", mode=RunMode.BOUND) for name in batches.ON_GPU}
    monkeypatch.setattr(gpu_usage, "SECONDS", 0.2)
    for row in batches.rows("lrcn", engines | bound, short=True):
        *_, busy, cameras, _ = row
        assert "–" not in row
        assert busy == "37%"
        assert int(cameras) == pytest.approx(max(map(int, row[4:7])) / 10, rel=0.02)  # lrcn's rate, hertz


def test_ways_take_turns_and_the_first_three_rounds_do_not_count() -> None:
    order: list[str] = []
    numbers = iter([100.0, 100.0, 100.0, 1.0, 5.0, 3.0])

    def slow() -> float:
        order.append("slow")
        return next(numbers)

    def fast() -> float:
        order.append("fast")
        return 0.0

    assert interleaved.medians_in_turns({"slow": slow, "fast": fast}, rounds=3) == {"slow": 3.0, "fast": 0.0}
    assert order == ["slow", "fast"] * 6


def test_each_timed_call_follows_an_untimed_one_and_what_runs_between() -> None:
    calls: list[str] = []
    ways = {"way": lambda: calls.append("way")}
    interleaved.seconds_in_turns(ways, 1, between=lambda: calls.append("between"))
    assert calls == ["between", "way"] * 2 * 4  # three rounds that do not count, and one that does


def test_figures_have_as_many_digits_as_they_mean() -> None:
    assert [tables.milliseconds(seconds) for seconds in (0.1234, 0.01234, 0.001234, None)] == [
        "123",
        "12.3",
        "1.23",
        "–",
    ]
    assert [tables.ratio(share) for share in (61.08, 0.368, 0.0337)] == ["61.1", "0.37", "0.034"]
