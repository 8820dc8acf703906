"""The command `harstream teach`, with examples and ordinary footage for it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from harstream.teaching.app.commands import teach
from tests.support.films import WriteFilm
from tests.support.teach_command import GREYS, Command


@pytest.fixture
def command(tmp_path: Path, row_model: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`command("list")` runs `harstream teach list` in a folder whose configuration has the small model.

    Returns the exit code and the output, stdout and stderr together, with single spaces.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"model": str(row_model)}))

    def run(*arguments: object) -> tuple[int, str]:
        result = CliRunner().invoke(teach, [str(argument) for argument in arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, " ".join(result.output.split())

    return run


@pytest.fixture
def greys(film: WriteFilm) -> list[Path]:
    """Five examples of the activity Grey."""
    return [film(f"grey{level}.mp4", (2, level)) for level in GREYS]


@pytest.fixture
def ordinary(film: WriteFilm) -> Path:
    """Dark footage, in which the shipped activity Light goes on twice."""
    return film("ordinary.mp4", (5, 30), (3, 250), (5, 30), (3, 250), (5, 30))
