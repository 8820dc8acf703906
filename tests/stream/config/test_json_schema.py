from __future__ import annotations

from harstream.stream.config.json_schema import choices, key_paths, schema_at


def test_a_part_is_found_through_references_lists_and_mappings() -> None:
    assert schema_at(("web", "port"))["default"] == 8080
    assert schema_at(("cameras", 0, "source"))["description"].startswith("a webcam's index")
    assert "hold" in schema_at(("activities", "overrides", "PushUps"))["properties"]
    assert schema_at(("web", "prot")) == {}


def test_paths_name_every_fixed_key_outside_of_lists() -> None:
    found = set(key_paths())
    assert {("node",), ("web", "port"), ("activities", "hold")} <= found
    assert not any("source" in path for path in found)


def test_choices_are_the_words_that_a_key_accepts() -> None:
    assert choices(("device",)) == ["auto", "cpu", "cuda"]
    assert choices(("node",)) == []
