"""Cameras whose stamps, bursts, damaged pictures or names are odd are recognized like any other."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from pathlib import Path

import av
import numpy as np
import pytest
import yaml

from tests.support.broker import Mosquitto, Subscribe
from tests.support.cameras.stamped_camera import Habits, StampedCamera
from tests.support.command import Start
from tests.support.waiting import Eventually, new_free_port

pytestmark = pytest.mark.mosquitto

CAMERAS = {
    "good": Habits(),
    "slow": Habits(lambda seconds: 0.84 * seconds, fps=21),
    "night": Habits(lambda seconds: 0.5 * seconds, fps=12.5),
    "still": Habits(lambda seconds: 0.0),
    "jumps": Habits(lambda seconds: seconds + 3600 * (seconds // 5)),
    "resets": Habits(lambda seconds: seconds % 5 + 10),
    "wraps": Habits(lambda seconds: 2**32 / 90_000 - 4 + seconds),
    "bursts": Habits(burst=25),
    "damaged": Habits(damaged=25),
    "latin": Habits(session_name=b"K\xfcche \xff"),
}


@pytest.fixture
def h264(tmp_path: Path) -> Path:
    """Two seconds of grey noise without pictures that depend on later ones."""
    noise, file = np.random.default_rng(1), tmp_path / "grey.mp4"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "0", "g": "25", "tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for _ in range(50):
            pixels = noise.integers(190, 210, (120, 160, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return file


def test_odd_cameras_are_recognized_without_interruption(
    start: Start, light_model: Path, mosquitto: Mosquitto, subscribe: Subscribe, h264: Path, tmp_path: Path,
    eventually: Eventually,
) -> None:  # fmt: skip
    subscriber = subscribe(mosquitto.port)
    with ExitStack() as stack:
        cameras = {name: stack.enter_context(StampedCamera(h264, habits)) for name, habits in CAMERAS.items()}
        config = {
            "cameras": [{"name": name, "source": camera.url} for name, camera in cameras.items()],
            "mqtt": {"broker": mosquitto.url, "observations": False},
            "web": {"enabled": False, "port": new_free_port()},
        }
        (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
        running = start("run", "--model", light_model)

        def states(camera: str) -> list[str]:
            return [one.json["state"] for one in subscriber.of(f"/camera/{camera}/health") if one.payload != ""]

        eventually(lambda: all("live" in states(camera) for camera in CAMERAS), "all cameras to be live", 60)
        heard = {camera: len(states(camera)) for camera in CAMERAS}
        watched_until = time.monotonic() + 12
        eventually(lambda: time.monotonic() > watched_until, "some more time", 20)
        later = {camera: states(camera)[heard[camera] :] for camera in CAMERAS}
        running.signal(signal.SIGINT)
        assert running.wait(15) == 0
    assert {camera: set(seen) - {"live"} for camera, seen in later.items()} == {camera: set() for camera in CAMERAS}
    assert "offline" not in running.output
    assert sum("cannot be decoded and is skipped" in line for line in running.stderr) == 1
