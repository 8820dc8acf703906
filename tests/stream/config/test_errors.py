from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from harstream.stream.config.errors import describe_all, dotted, root_mistakes
from harstream.stream.config.model import Config


def error_text(values: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(values)
    return describe_all(root_mistakes(caught.value), {})


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ({"nod": "a"}, ["nod", "no such key", "node"]),
        ({"port": 8080}, ["no such key", "web.port"]),
        ({"device": "gpu"}, ["device", "auto", "cpu", "cuda"]),
        ({"stride": 0}, ["stride", "1 or more"]),
        ({"cameras": [{"source": "0"}]}, ["cameras.0.name", "needed"]),
        ({"cameras": []}, ["cameras", "one entry at least"]),
    ],
)
def test_a_mistake_names_the_key_what_is_expected_and_what_may_be_meant(
    values: dict[str, Any], parts: list[str]
) -> None:
    text = error_text(values)
    assert all(part in text for part in parts), text


def test_a_list_with_a_wrong_item_is_one_mistake() -> None:
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({"cameras": [{"name": "a b", "source": "0"}]})
    assert [mistake["loc"] for mistake in root_mistakes(caught.value)] == [("cameras", 0, "name")]


def test_a_password_in_a_key_is_not_shown() -> None:
    assert "geheim" not in dotted(("mqtt", "mqtt://ada:geheim@host"))
