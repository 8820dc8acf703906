"""The command counts pictures in which somebody is found, by group."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from harstream.evaluation.people.__main__ import app
from harstream.scene.cli import app as draw


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn") / "clips"
    result = CliRunner().invoke(draw, ["--out", str(folder), "--clips", "1", "--seconds", "1"])
    assert result.exit_code == 0, result.output
    return folder


def rows(*arguments: str | Path) -> dict[str, list[str]]:
    """Returns the words of each row of the table by its first word."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "120"})
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines() if line.strip()]
    return {line[0]: line[1:] for line in lines}


def test_each_group_counts_one_picture_a_second(drawn: Path) -> None:
    table = rows("--data", drawn, "--group", "(Punch|Lunges)/", "--interval", "0.5")
    assert table["Lunges"] == ["2", "100.0", "%", "0.0", "%", "1.00"]  # at 0 s and after 0.5 s
    assert table["all"][0] == "4"
    assert "JumpRope" not in table


def test_few_people_are_found_in_drawn_places_without_anybody() -> None:
    number, share = rows("--places", "20")["all"][:2]
    assert number == "20"
    assert float(share) <= 20.0  # chance is not 0: the card has the share of 300 places


def test_a_missing_folder_is_said_in_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["--data", str(tmp_path / "none")])
    assert result.exit_code == 2
    assert "found no folder" in result.output
