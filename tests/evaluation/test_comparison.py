"""Figures of reports and of models are compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harstream.evaluation.compare_cli import app
from harstream.evaluation.comparison import ComparedModel, write_comparison


def report(path: Path, top1: float) -> str:
    metrics = {"top1": top1, "clips": {"accuracy": 0.75}, "windows": {"f1_macro": None}, "calibration_error": 0.04}
    path.write_text(json.dumps({"metrics": metrics}))
    return str(path)


def test_figures_are_listed_together_with_mean_and_deviation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    files = [report(tmp_path / "1.json", 0.6), report(tmp_path / "2.json", 0.8)]
    result = CliRunner().invoke(app, files)
    assert result.exit_code == 0
    rows = {
        line.split("│")[1].strip(): [cell.strip().replace("\xa0", " ") for cell in line.split("│")[2:-1]]
        for line in lines(result.stdout)
    }
    assert rows[files[1]] == ["80.0 %", "75.0 %", "–", "–", "–", "4.0 %"]
    assert rows["mean"][:2] == ["70.0 %", "75.0 %"]
    assert rows["standard deviation"][:2] == ["14.1 %", "0.0 %"]  # sqrt(2) * 0.1


@pytest.mark.parametrize("text", ["{}", "[]", "not json", '{"metrics": {"f1_10": 0.4}}'])
def test_file_that_is_no_clip_report_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    result = CliRunner().invoke(app, [str(tmp_path / "x.json")])
    assert result.exit_code == 2
    assert "expected reports of `harstream evaluate --json`" in result.stderr
    assert result.stderr.count("\n") == 1


def test_models_are_written_with_their_cost_and_null_for_undefined_figures(tmp_path: Path) -> None:
    metrics = {"top1": 0.61239, "clips": {"accuracy": 0.75}, "windows": {"f1_macro": None}}
    model = ComparedModel("lrcn", "ab", "cpu", 1000, 1.23456, "motion", metrics)
    write_comparison(tmp_path / "c.json", [model], {"date": "now"})
    assert json.loads((tmp_path / "c.json").read_text()) == {
        "schema": "harstream.comparison/1",
        "provenance": {"date": "now"},
        "models": [
            {
                "model": "lrcn", "sha256": "ab", "runs_on": "cpu", "bytes": 1000, "view": "motion",
                "milliseconds_a_window": 1.2346, "windows_right": 0.6124, "clips_right": 0.75, "f1_macro": None,
            }
        ],
    }  # fmt: skip


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("│")]
