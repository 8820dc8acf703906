"""A wrong value of an option says what was expected and what came, in harstream's own words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command import Harstream
from tests.support.films import WriteFilm

LIBRARIES = ("Input should", "Value error", "Errno", "pydantic", "codec can't")
"""What pydantic, typer and Python would say."""


@pytest.mark.parametrize(
    ("arguments", "code", "parts"),
    [
        ("run --port 99999 --source scene", 3, ["--port", "65535 or less", "99999"]),
        ("run --port abc", 2, ["--port", "a whole number", "'abc'"]),
        ("run --port=abc", 2, ["--port", "a whole number", "'abc'"]),
        ("run --log xml", 2, ["--log", "'text', 'json'", "'xml'"]),
        ("run --device tpu --source scene", 3, ["--device", "'cuda'", "'tpu'"]),
        ("run --model flow_tnc --source scene", 5, ["'flow_tnc'", "did you mean flow_tcn?"]),
        ("predict yard.mp4 --device tpu", 3, ["--device", "'cuda'", "'tpu'"]),
        ("predict yard.mp4 .", 3, ["the folder .", "./*.mp4"]),
        ("draw --out drawn --seconds z", 2, ["--seconds", "a number", "'z'"]),
        ("train --epochs 0 --out run", 2, ["--epochs", "1 or more", "'0'"]),
        ("run --config nosuch.yaml", 3, ["nosuch.yaml", "there is no such file", "config init"]),
        ("run --config .", 3, ["it is a folder"]),
        ("evaluate --model lrcn --data . --json /nosuch/r.json", 2, ["--json", "there is no folder /nosuch"]),
        ("evaluate --model lrcn --data . --html .", 2, ["--html", "it is a folder"]),
    ],
)
def test_a_wrong_value_is_one_line_with_what_was_expected_and_what_came(
    harstream: Harstream, film: WriteFilm, arguments: str, code: int, parts: list[str]
) -> None:
    film("yard.mp4", (1, 0))
    ended, running = harstream(*arguments.split())
    (line,) = running.complaints
    assert (ended, [part for part in parts if part not in line]) == (code, []), line
    assert not any(words in line for words in LIBRARIES)


@pytest.mark.parametrize(("name", "part"), [("nosuch.mp4", "there is no such file"), (".", "name the files in it")])
def test_cameras_says_why_a_file_is_none(harstream: Harstream, name: str, part: str) -> None:
    code, running = harstream("cameras", name)
    assert code == 4
    assert part in running.stdout[0]


def test_doctor_gives_no_advice_for_what_is_fine(harstream: Harstream, tmp_path: Path) -> None:
    _, running = harstream("doctor", "--json")
    findings = json.loads("\n".join(running.stdout))
    assert {finding["advice"] for finding in findings if finding["is_fine"]} == {""}
