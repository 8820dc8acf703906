"""The default model learns an activity from drawn clips, with the footage that it brings and no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import harstream
from harstream.scene.cli import app as draw
from harstream.teaching.app.commands import teach


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """Clips of the scene: three of each activity, and six of somebody who does none of them."""
    assert CliRunner().invoke(draw, ["--out", str(tmp_path / "drawn"), "--clips", "3", "--seconds", "4"]).exit_code == 0
    return tmp_path / "drawn"


def test_the_default_model_learns_a_drawn_activity(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    *examples, unseen = sorted((drawn / "background").iterdir())
    added = CliRunner().invoke(teach, ["add", "--activity", "Pacing", *map(str, examples)])
    assert added.exit_code == 0, added.output
    fitted = CliRunner().invoke(teach, ["fit"])
    assert fitted.exit_code == 0, fitted.output
    events = [*harstream.recognize(unseen, model="harstream-state/taught", start_above=0.5)]
    assert {event.activity for event in events} == {"Pacing"}
    known = next((drawn / "JumpRope").iterdir())
    events = [*harstream.recognize(known, model="harstream-state/taught", start_above=0.5)]
    assert {event.activity for event in events} == {"JumpRope"}
