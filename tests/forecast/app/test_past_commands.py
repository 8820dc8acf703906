"""`harstream forecast evaluate` and `train` on the record of a household."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from harstream.forecast.app.commands import forecast
from harstream.forecast.client.diary import FILE, Diary
from tests.forecast.client.household import DAY, MONDAY

RUNNER = CliRunner()


def write_record(file: Path, days: int = 5) -> None:
    """Write a household that lives by the clock, a few minutes late or early each time."""
    random = np.random.default_rng(1)
    lines = []
    for day in range(days):
        for name, start, end in DAY:
            late = random.normal(0, 0.02)
            for hour, what in ((start, "begin"), (end, "end")):
                moment = datetime.fromtimestamp(MONDAY + 86400 * day + 3600 * (hour + late), UTC)
                lines.append(f"{moment:%Y-%m-%d %H:%M:%S.%f} hall {'ON' if what == 'begin' else 'OFF'} {name} {what}")
    file.write_text("\n".join(sorted(lines)))


@pytest.mark.parametrize("by", ["day", "prequential"])
def test_an_evaluation_gives_table_json_and_page(tmp_path: Path, by: str) -> None:
    write_record(tmp_path / "house <1>")
    files = {name: tmp_path / f"report.{name}" for name in ("json", "html")}
    options = ["--by", by, "--zone", "UTC", "--json", str(files["json"]), "--html", str(files["html"])]
    result = RUNNER.invoke(forecast, ["evaluate", str(tmp_path / "house <1>"), *options])
    assert result.exit_code == 0, result.output
    assert "house <1>" in result.output
    assert "…" not in result.output
    report = json.loads(files["json"].read_text())
    [home] = report["homes"]
    assert report["folding"] == by
    assert (home["days"], home["changes"]) == ((6, 19) if by == "day" else (3, 10))
    mix = home["predictors"]["mix"]["next"]
    assert mix["top_1"] > 0.9  # the order never changes
    assert mix["log_loss"] < home["predictors"]["baseline"]["next"]["log_loss"] + 0.1
    page = files["html"].read_text()
    assert "house &lt;1&gt;" in page
    assert page.count("<svg") == 4
    assert not re.search(r'(src|href)="(?!data:|#)', page)


def test_training_twice_adds_nothing(tmp_path: Path) -> None:
    write_record(tmp_path / "record")
    command = ["train", str(tmp_path / "record"), "--zone", "UTC", "--state", str(tmp_path / "state")]
    outputs = [RUNNER.invoke(forecast, command) for _ in range(2)]
    assert "20 of 20" in outputs[0].output
    assert " 0 of 20" in outputs[1].output
    diary = Diary(tmp_path / "state" / FILE)
    diary.start()
    try:
        first = diary.episodes("hall")[1]
        assert (first.activity, first.end - first.start) == ("Shower", pytest.approx(0.2 * 3600, abs=1e-3))
    finally:
        diary.close()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [(["evaluate", "nowhere"], "nowhere"), (["evaluate", "nowhere", "--format", "tea"], "tea"),
     (["train", "nowhere", "--zone", "Mars"], "Mars")],
)  # fmt: skip
def test_a_mistake_is_one_line(arguments: list[str], expected: str) -> None:
    result = RUNNER.invoke(forecast, arguments)
    assert result.exit_code == 3
    assert expected in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_too_few_days_are_named(tmp_path: Path) -> None:
    write_record(tmp_path / "record", 2)
    result = RUNNER.invoke(forecast, ["evaluate", str(tmp_path / "record"), "--by", "prequential", "--zone", "UTC"])
    assert result.exit_code == 3
    assert "too few" in result.output
