"""`harstream doctor` examines this machine for a configuration."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harstream.stream.app.doctor_checks import Finding, run_checks
from harstream.stream.config.model import Config
from tests.support.accounts import TOKEN, USERS


def findings(folder: Path, **values: Any) -> dict[str, Finding]:
    cameras = [{"name": "scene", "source": "scene"}]
    config = Config.model_validate({"cameras": cameras, "state": folder / "state", "model": "lrcn"} | values)
    return {finding.what: finding for finding in run_checks(config)}


def test_ports_and_files_are_checked_and_nothing_is_created(tmp_path: Path, new_port: Callable[[], int]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        web = {"port": taken.getsockname()[1]}
        found = findings(
            tmp_path, web=web, mqtt={"embedded_port": new_port()}, events=tmp_path / "events.jsonl",
            record=tmp_path / "day.avi",
        )  # fmt: skip
    assert not found["live view"].is_fine
    assert "--port" in found["live view"].advice
    assert found["own broker"].is_fine
    assert found["events"].is_fine
    assert (found["record"].is_fine, found["record"].is_needed) == (False, True)
    assert found["state"].is_fine
    assert list(tmp_path.iterdir()) == []


def test_a_missing_model_and_a_missing_broker_are_errors(tmp_path: Path, free_port: int) -> None:
    found = findings(tmp_path, model="no-such-model", mqtt={"broker": f"mqtt://127.0.0.1:{free_port}"})
    for what in ("model", "broker"):
        assert (found[what].is_fine, found[what].is_needed) == (False, True)


def test_a_page_that_everybody_can_open_is_not_fine(tmp_path: Path, new_port: Callable[[], int]) -> None:
    web = {"host": "0.0.0.0", "port": new_port()}
    found = findings(tmp_path, web=web | {"auth": "none"})["login"]
    assert (found.is_fine, found.is_needed) == (False, False)
    assert "hash-password" in found.advice
    known = findings(tmp_path, web=web | {"users": USERS, "tokens": [{"name": "grafana", "token": TOKEN}]})["login"]
    assert (known.is_fine, known.found) == (True, "anna, ben, grafana (token)")
    assert findings(tmp_path, web={"port": new_port()})["login"].is_fine
