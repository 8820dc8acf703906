"""`harstream teach fit` as a running service uses it: recorded footage, steps for a program, and more examples."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import yaml

from tests.support.films import WriteFilm
from tests.support.teach_command import Command


def test_recorded_ordinary_footage_counts_without_an_option(
    command: Command, greys: list[Path], ordinary: Path
) -> None:
    command("add", "--activity", "Grey", *greys)
    footage = Path("harstream-state/ordinary")
    footage.mkdir()
    shutil.move(ordinary, footage)
    code, output = command("fit")
    assert code == 0, output
    assert "ordinary footage of 21 seconds" in output


def test_a_program_gets_steps_and_the_report_in_the_folder(command: Command, greys: list[Path], ordinary: Path) -> None:
    command("add", "--activity", "Grey", *greys)
    code, output = command("fit", "--ordinary", ordinary, "--steps")
    names = [*(path.name for path in greys), ordinary.name]
    reading = [f"reading video {number} of 6, {name}" for number, name in enumerate(names, 1)]
    assert (code, output) == (0, " ".join([*reading, "learning"]))
    report = json.loads(Path("harstream-state/taught/export.json").read_text())
    assert report["notes"][0].startswith("ordinary footage of 21 seconds: 0 false event(s)")
    assert report["warnings"] == []


def test_a_taught_activity_may_get_more_examples(
    command: Command, greys: list[Path], ordinary: Path, film: WriteFilm
) -> None:
    command("add", "--activity", "Grey", *greys)
    command("fit", "--ordinary", ordinary)
    Path("config.yaml").write_text(yaml.safe_dump({"model": "harstream-state/taught"}))
    assert command("add", "--activity", "Grey", film("more.mp4", (2, 122)))[0] == 0
