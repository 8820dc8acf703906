"""Whatever other clients publish, the service recognizes, and `harstream listen` prints clean lines."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.soak.films import write_h264
from tests.support.broker import Mosquitto
from tests.support.cameras.stamped_camera import Habits, StampedCamera
from tests.support.command import Running, Start
from tests.support.damage import DAMAGES
from tests.support.hostile_messages import Message, hostile_settings, levels, messages, payloads
from tests.support.light_model import QUICK
from tests.support.waiting import Eventually, new_free_port

pytestmark = [pytest.mark.mosquitto, pytest.mark.timeout(max(300, 3 * DAMAGES))]

PATIENCE = 30.0
"""Seconds after which an answer counts as missing."""
BATCH = 20
"""Messages of one input, at most."""
TIME = "2026-11-29T03:00:00.000Z"
MODEL = {"name": "light", "version": "1.0.0", "sha256": "ab12"}
OWNER = {
    "schema": "harstream.owner/1", "node": "home", "installation": "har1", "run": "ff", "host": "nuc2",
    "started_at": TIME, "epoch": 0.5,
}  # fmt: skip
FORECAST = {
    "schema": "harstream.forecast/1", "node": "home", "camera": "hall", "area": None, "made_at": TIME,
    "activity": "Light", "dwell_s": 12.5, "horizons": [{"horizon_s": 60, "p": {"Light": 0.7, "unknown": 0.3}}],
    "next": {"activity": "unknown", "p": 0.8, "expected_at": TIME}, "labels_sha": "c0ffee",
    "predictor": {"name": "hmm", "version": "1.0.0", "trained_until": None},
}  # fmt: skip
EVENT = {
    "schema": "harstream.event/1", "node": "other", "camera": "hall", "area": None, "id": "01JD", "seq": 2,
    "event_type": "end", "activity": "Light", "confidence": {"mean": 0.8, "peak": 0.9, "last": 0.4},
    "started_at": TIME, "updated_at": TIME, "ended_at": TIME, "duration_s": 8.4, "end_reason": "low_confidence",
    "label_id": 1, "topk": [["Light", 0.4]], "detected_at": TIME,
    "latency_ms": {"decision": 1100, "frame_to_publish": 20}, "previous": {"activity": "unknown", "dwell_s": 3.0},
    "window": {"frames": 5, "span_s": 0.4, "gaps": 0}, "model": MODEL, "historical": False,
}  # fmt: skip
OBSERVATION = {
    "schema": "harstream.observation/1", "node": "other", "camera": "hall", "area": None, "seq": 1, "t": TIME,
    "dt": 0.1, "symbol": "Light", "p": [0.2, 0.8], "labels_sha": "c0ffee", "valid": True, "reason": None,
    "dwell_s": 1.0, "stride_s": 0.1, "span_s": 0.4, "model": MODEL,
}  # fmt: skip
LINE = re.compile(r"har/|\d\d:\d\d:\d\d  ")
"""How each line of `listen` begins."""

command_words = st.sampled_from(
    (b"ON", b"OFF", b"on ", b"default", b"0.5", b"-1", b"nan", b"1e999", b"0x1", b"", b"\xff")
)
to_the_service: SearchStrategy[Message] = st.one_of(
    messages(st.builds("har/home/camera/{}/{}/set".format, levels, levels), command_words | payloads({"on": True})),
    messages(st.builds("har/home/camera/{}/forecast".format, levels), payloads(FORECAST)),
    # A higher epoch rightly ends the service.
    messages(st.just("har/home/owner"), payloads(OWNER, keep=("epoch",))),
    messages(st.just("homeassistant/status"), st.sampled_from((b"online", b"offline")) | payloads({"state": "online"})),
)
to_the_listener: SearchStrategy[Message] = st.one_of(
    messages(st.builds("har/other/camera/{}/event".format, levels), payloads(EVENT)),
    messages(st.builds("har/other/camera/{}/observation".format, levels), payloads(OBSERVATION)),
    messages(st.builds("har/{}/status".format, levels), payloads({"status": "online"})),
    messages(st.builds("har/other/camera/{}/availability".format, levels), payloads({"status": "online"})),
)


@pytest.fixture
def publish(mosquitto: Mosquitto) -> Iterator[Callable[[list[Message]], None]]:
    """Publishes messages with MQTT 5, and waits until the broker has them."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()
    sent = list[Message]()

    def send(batch: list[Message]) -> None:
        for one in batch:
            info = client.publish(one.topic, one.payload, one.qos, one.retain, one.properties)
            info.wait_for_publish(PATIENCE)
            assert info.is_published()
        sent.extend(batch)

    yield send
    print(f"{len(sent)} messages, {sum(len(one.payload) for one in sent) / 1e6:.1f} MB, of them "
          f"{sum(one.retain for one in sent)} retained")  # fmt: skip
    client.disconnect()
    client.loop_stop()


@contextmanager
def camera(folder: Path) -> Iterator[str]:
    """A camera whose pictures are dark and light in turn, so that an event starts every three seconds."""
    with StampedCamera(write_h264(folder / "film.mp4", [(1.5, 0), (1.5, 200)]), Habits()) as served:
        yield served.url


def test_no_message_stops_the_service(
    start: Start, mosquitto: Mosquitto, publish: Callable[[list[Message]], None], light_model: Path, tmp_path: Path,
    eventually: Eventually,
) -> None:  # fmt: skip
    with camera(tmp_path) as url:
        write_config(tmp_path, mosquitto, url)
        running = start("run", "--model", light_model)
        eventually(lambda: events(tmp_path), "the first event", PATIENCE)

        @hostile_settings
        @given(st.lists(to_the_service, min_size=1, max_size=BATCH))
        def attack(batch: list[Message]) -> None:
            publish(batch)
            assert not running.is_over(), running.output

        attack()
        restore(publish)
        recognizes(tmp_path, eventually)
        ends_well(running)
        # The broker now retains hostile messages, which the next run finds at its start.
        again = start("run", "--model", light_model)
        eventually(lambda: any("is live" in line for line in again.stderr), "the camera", PATIENCE)
        restore(publish)
        recognizes(tmp_path, eventually)
        ends_well(again)


def test_no_message_stops_listen_or_breaks_its_lines(
    start: Start, mosquitto: Mosquitto, publish: Callable[[list[Message]], None], eventually: Eventually
) -> None:
    publish([Message("har/probe/status", b"ready", qos=1, retain=True)])
    publish([Message("har/probe/camera/hall/event", json.dumps(EVENT | {"node": "probe"}).encode(), 1, retain=True)])
    readable = start("listen", "--broker", mosquitto.url, "--observations")
    raw = start("listen", "--broker", mosquitto.url, "--raw", "--observations")
    for one in (readable, raw):
        eventually(lambda one=one: one.stdout, "the listener to be ready", PATIENCE)  # type: ignore[misc]

    @hostile_settings
    @given(st.lists(to_the_listener, min_size=1, max_size=BATCH))
    def attack(batch: list[Message]) -> None:
        publish(batch)
        assert not readable.is_over(), readable.output
        assert not raw.is_over(), raw.output

    attack()
    last = EVENT | {"activity": "Last"}
    publish([Message("har/other/camera/hall/event", json.dumps(last).encode(), qos=1)])
    for one in (readable, raw):
        eventually(lambda one=one: "Last" in one.output, "the last event", PATIENCE)  # type: ignore[misc]
        one.signal(signal.SIGINT)
        assert one.wait(10) == 0
        assert one.complaints == []
        assert [line for line in one.stdout if not line.isprintable()] == []
    assert [line for line in readable.stdout if not LINE.match(line)] == []


def write_config(folder: Path, mosquitto: Mosquitto, url: str) -> None:
    config: dict[str, Any] = {
        "node": "home",
        "cameras": [{"name": "hall", "source": url}],
        "mqtt": {"broker": mosquitto.url},
        "web": {"port": new_free_port()},
        "events": "events.jsonl",
        "activities": QUICK,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def events(folder: Path) -> list[str]:
    file = folder / "events.jsonl"
    return file.read_text().splitlines() if file.exists() else []


def restore(publish: Callable[[list[Message]], None]) -> None:
    """Set the camera as config.yaml says."""
    publish([Message("har/home/camera/hall/enabled/set", b"ON", qos=1)])
    publish([Message("har/home/camera/hall/threshold/set", b"default", qos=1)])


def recognizes(folder: Path, eventually: Eventually) -> None:
    before = len(events(folder))
    eventually(lambda: len(events(folder)) > before + 3, "more events", PATIENCE)


def ends_well(running: Running) -> None:
    running.signal(signal.SIGTERM)
    assert running.wait(15) == 0, running.output
    assert running.complaints == []
