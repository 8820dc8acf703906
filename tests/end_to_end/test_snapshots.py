"""Pictures over MQTT: none unless asked for, and none left when no longer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytestmark = pytest.mark.mosquitto


def test_snapshots_come_when_asked_for_and_go_when_not(
    configure: Callable[..., None], harstream: Callable[..., Any], film: Callable[..., Path], light_model: Path,
    mosquitto: Any, subscribe: Callable[[int], Any],
) -> None:  # fmt: skip
    yard = film("yard.mp4", (1, 0), (3, 200), size=(1280, 720))

    def left_by_a_run(**mqtt: bool) -> list[Any]:
        cameras = [{"name": "yard", "source": str(yard)}]
        configure(model=str(light_model), cameras=cameras, mqtt={"broker": mosquitto.url} | mqtt)
        assert harstream("run")[0] == 0
        found: list[Any] = subscribe(mosquitto.port).of("/snapshot")
        return found

    assert left_by_a_run() == []
    (left,) = left_by_a_run(snapshots=True)
    picture = cv2.imdecode(np.frombuffer(left.content, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert (left.topic, picture.shape, round(picture.mean() / 10)) == (
        "har/home/camera/yard/snapshot", (360, 640, 3), 20,
    )  # fmt: skip
    assert left_by_a_run() == []
