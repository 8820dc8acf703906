from __future__ import annotations

from pathlib import Path

import pytest

from harstream.stream.config.yaml_positions import Place, YamlPositions


def test_each_value_and_key_has_its_place() -> None:
    tree = YamlPositions("web:\n  port: 80\nnode: a\n", Path())
    assert tree.values == {"web": {"port": 80}, "node": "a"}
    assert tree.place(("web", "port")) == Place(2, 9)
    assert tree.keys[("node",)] == Place(3, 1)
    assert tree.place(("web", "host")) == tree.place(("web",))
    assert tree.mistakes == []


def test_variables_and_files_are_filled_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "s3cret")
    (tmp_path / "url").write_text("mqtt://host\n")
    tree = YamlPositions("a: x-${PASSWORD}\nb: !file url\nc: $${PASSWORD}\n", tmp_path)
    assert tree.values == {"a": "x-s3cret", "b": "mqtt://host", "c": "${PASSWORD}"}
    assert ("a",) not in tree.shown
    assert ("b",) not in tree.shown


def test_all_mistakes_are_found_and_not_only_the_first(tmp_path: Path) -> None:
    tree = YamlPositions("a: ${NOT_SET_1}\na: 1\nb: !file none\nc: !odd x\n", tmp_path)
    assert [mistake.place.line for mistake in tree.mistakes] == [1, 2, 3, 4]
    assert tree.invalid == {("a",), ("b",), ("c",)}
