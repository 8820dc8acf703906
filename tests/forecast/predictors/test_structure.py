"""The structure of `dbn` is read from YAML, and each mistake in it is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harstream.forecast.predictors.structure import read_structure
from harstream.wire.errors import ConfigError


def test_the_shipped_structure_has_the_parents_of_both_tables() -> None:
    structure = read_structure()

    assert {"now", "previous", "hour", "weekend", "room", "recency", "now x hour"} <= set(structure.next)
    assert {"now", "now x age", "hour"} <= set(structure.later)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("next: {now: 2}\nlater: {previos: 1}", ["later: ", "recency", "'previos'", "did you mean previous?"]),
        ("next: {now: 2, age: 1}\nlater: {}", ["next: ", "'age'"]),
        ("next: {now: 2}\nlater: {now x tea: 1}", ["later: ", "tea"]),
        ("next: {now: 0}\nlater: {}", ["next: now: expected a number above 0, got 0"]),
        ("next: {now: much}\nlater: {}", ["next: now: expected a number above 0, got 'much'"]),
        ("next: {now: .inf}\nlater: {}", ["next: now: expected a number above 0"]),
        ("next: {}", ["later: this key is needed"]),
        ("next: {}\nlater: {}\nsoon: {}", ["soon: there is no such key; expected next, later"]),
        ("next: [now]\nlater: {}", ["next: expected keys and values"]),
        ("tea", ["expected keys and values, got 'tea'"]),
        ("", ["expected keys and values"]),
        ("next: {now", ["expected YAML"]),
    ],
)
def test_a_mistake_is_one_line(text: str, expected: list[str], tmp_path: Path) -> None:
    file = tmp_path / "structure.yaml"
    file.write_text(text)

    with pytest.raises(ConfigError) as raised:
        read_structure(file)

    assert len(str(raised.value).splitlines()) == 1
    for part in (str(file), *expected):
        assert part in str(raised.value)


def test_two_mistakes_are_two_lines(tmp_path: Path) -> None:
    file = tmp_path / "structure.yaml"
    file.write_text("next: {tea: 1, now: -1}\nlater: {}")

    with pytest.raises(ConfigError) as raised:
        read_structure(file)

    assert len(str(raised.value).splitlines()) == 2


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read it"):
        read_structure(tmp_path / "none.yaml")
