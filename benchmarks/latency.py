"""Measures the time from a frame to the message at a subscriber, for `harstream run` on one live camera."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.drawn_video import RATE, drawn_video
from benchmarks.servers import broker, free_port, network_camera, wait_for
from benchmarks.tables import Table, milliseconds

MODELS = ("lrcn", "flow_tcn", "convlstm")
WARM_UP = 5.0
"""Seconds before the first message that counts."""
START_LIMIT = 60.0
"""Longest wait for the first message, in seconds."""
MOMENT_OF = {"observation": "t", "event": "updated_at"}
"""The field of each kind of message with the time of its newest frame."""


def measure(folder: Path, *, short: bool) -> Table:
    file = drawn_video(folder, 320, 240, seconds=4 if short else 20)
    with network_camera(file) as camera, broker() as port:
        rows = [
            _row(model, camera or str(file.resolve()), port, seconds=1 if short else 40)
            for model in (MODELS[:1] if short else MODELS)
        ]
    source = "over RTSP" if camera else "a file at its own pace (no GStreamer here, so no RTSP camera)"
    through = "mosquitto" if port else "the embedded broker (mosquitto is not installed)"
    return Table(
        "latency",
        "Latency of a message",
        ("model", "recognitions", "p50, ms", "p95, ms", "events", "p50, ms", "p95, ms"),
        rows,
        f"`harstream run` on one camera of 320x240 and {RATE} frames per second, {source}; messages through {through} "
        "to a subscriber in another process. The time runs from the newest frame of a window (over RTSP, from the "
        "earliest time at which it could be decoded here) to the arrival of the message about this window. Events go "
        "through the outbox on disk. They are this frequent because `activities.update` is 0. Each model sees all of "
        "the picture.",
    )


def _row(model: str, source: str, port: int | None, seconds: float) -> list[str]:
    delays = _delays(model, source, port, seconds)
    row = [model]
    for kind in MOMENT_OF:
        found = delays[kind]
        p50, p95 = np.percentile(found, (50, 95)) if found else (None, None)
        row += [str(len(found)), milliseconds(p50), milliseconds(p95)]
    return row


def _delays(model: str, source: str, port: int | None, seconds: float) -> dict[str, list[float]]:
    """Return the seconds from frame to arrival for each kind of message."""
    subscriber = _Subscriber()
    with TemporaryDirectory() as name:
        folder, listening = Path(name), port or free_port()
        config, log = folder / "config.yaml", folder / "log"
        broker = {"broker": f"mqtt://127.0.0.1:{port}"} if port else {"embedded_port": listening}
        config.write_text(json.dumps(_settings(model, source, broker, folder / "state")))
        command = [str(Path(sys.executable).with_name("harstream")), "run", "--config", str(config)]
        with log.open("w") as said, subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said) as service:
            try:
                wait_for(listening)
                subscriber.listen(listening, seconds, service)
            finally:
                service.send_signal(signal.SIGINT)
        if service.returncode:
            raise RuntimeError(f"harstream run with {model}: {log.read_text()}")
    return subscriber.delays


def _settings(model: str, source: str, broker: Mapping[str, object], state: Path) -> dict[str, object]:
    """Return the content of config.yaml for one camera."""
    return {
        "model": model,
        "view": "picture",
        "cameras": [{"name": "camera", "source": source}],
        "mqtt": broker,
        "web": {"enabled": False},
        "activities": {"update": 0},
        "state": str(state),
    }


class _Subscriber:
    """Collects the delays of messages, but for those of the first seconds."""

    def __init__(self) -> None:
        self.delays: dict[str, list[float]] = defaultdict(list)
        self._first_at: float | None = None

    def listen(self, port: int, seconds: float, service: subprocess.Popen[bytes]) -> None:
        """Listen for the warm-up and `seconds` after the first message, until the service ends or a time limit."""
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.on_message = self._count
        client.connect("127.0.0.1", port)
        client.subscribe([(f"har/+/camera/+/{kind}", 0) for kind in MOMENT_OF])
        client.loop_start()
        deadline = time.monotonic() + START_LIMIT + seconds
        while not self._has_listened(WARM_UP + seconds) and service.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        client.loop_stop()

    def _has_listened(self, seconds: float) -> bool:
        return self._first_at is not None and time.time() - self._first_at > seconds

    def _count(self, _: paho.Client, __: object, message: paho.MQTTMessage) -> None:
        now = time.time()
        if self._first_at is None:
            self._first_at = now
        if now - self._first_at >= WARM_UP:
            kind = message.topic.rpartition("/")[2]
            moment = datetime.fromisoformat(json.loads(message.payload)[MOMENT_OF[kind]])
            self.delays[kind].append(now - moment.timestamp())
