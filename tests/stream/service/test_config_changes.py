from __future__ import annotations

from collections.abc import Mapping

import pytest

from harstream.stream.config.model import Config
from harstream.stream.service.config_changes import ConfigChanges

HALL, YARD = {"name": "hall", "source": "0"}, {"name": "yard", "source": "1"}


def changes(before: Mapping[str, object], after: Mapping[str, object]) -> ConfigChanges:
    return ConfigChanges(Config.model_validate(before), Config.model_validate(after))


@pytest.mark.parametrize(
    ("after", "needed"),
    [
        ({"cameras": [YARD]}, False),
        ({"cameras": [HALL], "activities": {"hold": 9}}, False),
        ({"cameras": [HALL], "view": "motion"}, False),
        ({"cameras": [HALL], "activities": {"smoothing": 9}}, True),
        ({"cameras": [HALL], "node": "nuc1"}, True),
        ({"cameras": [HALL], "mqtt": {"observations": False}}, True),
    ],
)
def test_a_restart_is_needed_for_all_but_cameras_activities_and_view(after: dict[str, object], needed: bool) -> None:
    assert changes({"cameras": [HALL]}, after).needs_restart is needed


def test_a_camera_is_opened_if_it_is_new_or_its_source_or_area_changed() -> None:
    before = {"cameras": [HALL, YARD, {"name": "attic", "source": "2"}]}
    after = {"cameras": [HALL | {"activities": {"hold": 9}}, YARD | {"area": "Yard"}, {"name": "door", "source": "3"}]}
    found = changes(before, after)
    assert [camera.name for camera in found.to_open] == ["yard", "door"]
    assert found.removed == ["attic"]
    yard, door, attic, hall = str(found).split(", ")
    assert (yard, door) == ("yard changed", "door is new")
    assert attic.startswith("attic")
    assert "activities of hall" in hall


def test_a_new_title_opens_no_camera() -> None:
    found = changes({"cameras": [HALL]}, {"cameras": [HALL | {"title": "Flur"}]})
    assert found.to_open == []
    assert not found.needs_restart
    assert str(found) == "title of hall changed"
