"""A run starts with a folder `state` in which no file can be read, and sets each aside with one line."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Configure, Harstream
from tests.support.films import WriteFilm
from tests.support.light_model import QUICK

FILES = (
    "history.sqlite", "outbox.sqlite", "outbox.sqlite.announced", "outbox.sqlite.snapshots", "outbox.sqlite.client-id",
    "controls.json",
)  # fmt: skip


@pytest.mark.mosquitto
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_run_starts_though_no_file_of_its_state_can_be_read(
    harstream: Harstream, configure: Configure, film: WriteFilm, light_model: Path, tmp_path: Path, mosquitto: Any,
    seed: int,
) -> None:  # fmt: skip
    film("yard.mp4", (1, 200))
    configure(
        cameras=[{"name": "yard", "source": "yard.mp4"}], model=str(light_model), state="state",
        activities=QUICK, mqtt={"broker": mosquitto.url, "snapshots": True},
    )  # fmt: skip
    assert harstream("run")[0] == 0
    assert {path.name for path in (tmp_path / "state").iterdir()} >= set(FILES) - {"controls.json"}
    chance = random.Random(seed)
    for name in FILES:
        (tmp_path / "state" / name).write_bytes(chance.randbytes(chance.randrange(1, 9000)))
    code, running = harstream("run")
    assert code == 0, running.output
    for name in FILES:
        (aside,) = (tmp_path / "state").glob(f"{name}.broken-*")
        assert sum(str(aside.name) in line for line in running.stderr) == 1, name
    code, listed = harstream("history", "--format", "json")
    assert code == 0
    assert [json.loads(line)["activity"] for line in listed.stdout] == ["Light"]
