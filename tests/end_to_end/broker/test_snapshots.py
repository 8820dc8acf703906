"""Snapshots over MQTT are published only if they are on, and cleared when they are off."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.support.light_model import QUICK
from tests.support.waiting import Eventually

pytestmark = pytest.mark.mosquitto


def test_snapshots_are_published_if_on_and_cleared_if_off(
    configure: Callable[..., None], harstream: Callable[..., Any], film: Callable[..., Path], light_model: Path,
    mosquitto: Any, subscribe: Callable[[int], Any],
) -> None:  # fmt: skip
    yard = film("yard.mp4", (0.5, 0), (1, 200), size=(1280, 720))

    def left_by_a_run(**mqtt: bool) -> list[Any]:
        cameras = [{"name": "yard", "source": str(yard)}]
        configure(model=str(light_model), activities=QUICK, cameras=cameras, mqtt={"broker": mosquitto.url} | mqtt)
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


def test_a_camera_that_is_switched_off_leaves_no_picture(
    configure: Callable[..., None], start: Callable[..., Any], light_model: Path, mosquitto: Any,
    subscribe: Callable[[int], Any], film: Callable[..., Path], eventually: Eventually,
) -> None:  # fmt: skip
    cameras = [
        {"name": "yard", "source": str(film("yard.mp4", (1, 0), (20, 200)))},
        {"name": "gate", "source": str(film("gate.mp4", (1, 0), (20, 200)))},
    ]
    configure(
        model=str(light_model), activities=QUICK, cameras=cameras, mqtt={"broker": mosquitto.url, "snapshots": True}
    )
    running, subscriber = start("run"), subscribe(mosquitto.port)
    eventually(lambda: len(subscriber.of("/snapshot")) == 2, "both pictures", 40)
    off = ["-t", "har/home/camera/yard/enabled/set", "-m", "OFF"]
    subprocess.run(["mosquitto_pub", "-p", str(mosquitto.port), *off], check=True)
    eventually(lambda: subscriber.of("yard/snapshot")[-1].content == b"", "the picture to be cleared")
    assert len(subscriber.of("gate/snapshot")) == 1
    running.signal(signal.SIGTERM)
    assert running.wait(10) == 0


def test_the_pictures_of_all_cameras_survive_a_restart(
    configure: Callable[..., None], harstream: Callable[..., Any], light_model: Path, mosquitto: Any,
    subscribe: Callable[[int], Any], film: Callable[..., Path],
) -> None:  # fmt: skip
    bright, dark = film("bright.mp4", (0.5, 0), (1, 200)), film("dark.mp4", (1, 0))
    for seen in (bright, dark):
        cameras = [{"name": name, "source": str(seen)} for name in ("gate", "hall", "yard")]
        configure(
            model=str(light_model), activities=QUICK, cameras=cameras, mqtt={"broker": mosquitto.url, "snapshots": True}
        )
        assert harstream("run")[0] == 0
    left = {message.topic.split("/")[3] for message in subscribe(mosquitto.port).of("/snapshot")}
    assert left == {"gate", "hall", "yard"}
