from __future__ import annotations

import re
from pathlib import Path

import pytest

from harstream.mqtt.broker.client_id import load_or_create_client_id
from harstream.wire.errors import SinkError


def test_client_id_is_the_same_for_every_run(tmp_path: Path) -> None:
    first = load_or_create_client_id(tmp_path / "id")
    assert re.fullmatch("har[0-9a-f]{16}", first)
    assert load_or_create_client_id(tmp_path / "id") == first


@pytest.mark.parametrize("text", ["", "a b", "x" * 24, "hall/1"])
def test_text_that_brokers_may_refuse_is_replaced(text: str, tmp_path: Path) -> None:
    (tmp_path / "id").write_text(text)
    assert re.fullmatch("har[0-9a-f]{16}", load_or_create_client_id(tmp_path / "id"))


def test_folder_that_is_missing_gives_a_one_line_error(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="expected to keep the MQTT client id in"):
        load_or_create_client_id(tmp_path / "missing" / "id")
