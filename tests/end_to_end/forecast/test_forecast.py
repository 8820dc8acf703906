"""`harstream forecast` follows a running service, and whoever subscribes knows whether its forecasts still hold."""

from __future__ import annotations

import signal
import sqlite3
import stat
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from harstream.forecast.client.diary import FILE, Diary
from harstream.forecast.client.service import MOST_WAITING
from harstream.forecast.learning.episodes import Episode
from harstream.wire.health import HealthState
from harstream.wire.values import EventType
from tests.forecast.client.household import LABELS, event, health, labels_message, observation
from tests.support.broker import Mosquitto, Subscribe
from tests.support.command import Start
from tests.support.films import WriteFilm
from tests.support.light_model import QUICK
from tests.support.waiting import Eventually

pytestmark = pytest.mark.mosquitto

FORECAST, STATUS = "camera/hall/forecast", "forecaster/status"


@pytest.fixture
def config(tmp_path: Path, mosquitto: Mosquitto) -> Path:
    file = tmp_path / "home.yaml"
    values = {
        "cameras": [{"name": "hall", "source": "scene"}], "mqtt": {"broker": mosquitto.url}, "web": {"enabled": False},
        "state": str(tmp_path / "state"),
    }  # fmt: skip
    file.write_text(yaml.safe_dump(values))
    return file


def test_forecasts_are_retained_while_the_forecaster_runs(
    start: Start, light_model: Path, mosquitto: Mosquitto, subscribe: Subscribe, eventually: Eventually, config: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    subscriber = subscribe(mosquitto.port)
    forecaster = start("forecast", "run", "--config", config, "--zone", "Europe/Berlin")
    eventually(lambda: "har/home is silent: does harstream run there?" in forecaster.output, "a hint", 60)
    start("run", "--model", light_model, "--config", config)
    eventually(lambda: subscriber.of(FORECAST), "a forecast", 60)
    assert subscriber.of(STATUS)[-1].payload == "online"
    message = subscriber.of(FORECAST)[-1].json
    assert message["schema"] == "harstream.forecast/1"
    assert [horizon["horizon_s"] for horizon in message["horizons"]] == [60, 300, 900, 3600]
    assert "of 30 changes" in message["next_reason"]
    late = subscribe(mosquitto.port)
    eventually(lambda: late.of(FORECAST), "the retained forecast")
    assert late.of(FORECAST)[0].retained

    forecaster.signal(signal.SIGTERM)

    assert forecaster.wait(15) == 0
    assert not forecaster.complaints
    eventually(lambda: subscriber.of(STATUS)[-1].payload == "offline", "the forecaster to say goodbye")
    eventually(lambda: subscriber.of(FORECAST)[-1].payload == "", "its forecast to be cleared")


def test_a_killed_forecaster_is_offline_and_keeps_its_diary(
    start: Start, mosquitto: Mosquitto, subscribe: Subscribe, eventually: Eventually, config: Path, film: WriteFilm,
    light_model: Path, tmp_path: Path,
) -> None:  # fmt: skip
    subscriber = subscribe(mosquitto.port)
    config.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | {"activities": QUICK}))
    start("run", "--model", light_model, "--config", config, "--source", film("hall.mp4", *[(1, 200), (1, 0)] * 30))
    forecaster = start("forecast", "run", "--config", config)
    diary = tmp_path / "state" / "forecast" / FILE
    eventually(lambda: diary.exists() and episodes(diary), "an activity in the diary", 90)

    forecaster.signal(signal.SIGKILL)

    eventually(lambda: subscriber.of(STATUS)[-1].payload == "offline", "the broker to publish the will", 30)
    assert episodes(diary)
    assert stat.S_IMODE(diary.stat().st_mode) == 0o600
    again = start("forecast", "run", "--config", config)
    eventually(lambda: any("are in the diary" in line for line in again.stderr), "the next run to read it", 30)
    assert "0 of its activities" not in again.output


def test_what_the_broker_retains_is_known_from_the_first_moment(
    start: Start, mosquitto: Mosquitto, subscribe: Subscribe, eventually: Eventually, config: Path
) -> None:
    """A camera that is away sends nothing else for a minute."""
    subscriber = subscribe(mosquitto.port)
    away = health(HealthState.OFFLINE, time.time(), "yard")
    for topic, message in (("labels", labels_message()), ("camera/yard/health", away)):
        send = ["mosquitto_pub", "-p", str(mosquitto.port), "-r", "-q", "1", "-t", f"har/home/{topic}"]
        subprocess.run([*send, "-m", message.encode().decode()], check=True)

    start("forecast", "run", "--config", config)

    eventually(lambda: subscriber.of("camera/yard/forecast"), "a forecast of the camera that is away", 30)


def fill(folder: Path, number: int) -> Path:
    """Fills a diary that takes long to learn. Returns its file."""
    folder.mkdir(parents=True)
    diary = Diary(folder / FILE)
    diary.start()
    lived = [Episode(LABELS[each % 4], 1e9 + 60 * each, 1e9 + 60 * each + 50) for each in range(number)]
    diary.add("hall", [(str(each), episode) for each, episode in enumerate(lived)])
    diary.close()
    return diary.path


def publish(mosquitto: Mosquitto, topic: str, message: bytes, *more: str) -> None:
    send = ["mosquitto_pub", "-p", str(mosquitto.port), "-q", "1", "-t", f"har/home/{topic}", *more]
    subprocess.run([*send, "-m", message.decode()], check=True)


def test_a_stop_does_not_wait_until_a_long_diary_is_learned(
    start: Start, mosquitto: Mosquitto, eventually: Eventually, config: Path, tmp_path: Path
) -> None:
    """Learning it takes more than ten seconds."""
    fill(tmp_path / "state" / "forecast", 60_000)
    publish(mosquitto, "labels", labels_message().encode(), "-r")
    publish(mosquitto, "camera/hall/health", health(HealthState.LIVE, time.time()).encode(), "-r")
    forecaster = start("forecast", "run", "--config", config)
    eventually(lambda: any("60000 of its activities" in line for line in forecaster.stderr), "the diary", 30)

    forecaster.signal(signal.SIGTERM)

    assert forecaster.wait(8) == 0
    assert not forecaster.complaints


def test_events_find_a_place_beside_the_observations_that_come_while_it_learns(
    start: Start, mosquitto: Mosquitto, subscribe: Subscribe, eventually: Eventually, config: Path, tmp_path: Path
) -> None:
    subscriber = subscribe(mosquitto.port)
    diary = fill(tmp_path / "state" / "forecast", 60_000)
    publish(mosquitto, "labels", labels_message().encode(), "-r")
    publish(mosquitto, "camera/hall/health", health(HealthState.LIVE, time.time()).encode(), "-r")
    forecaster = start("forecast", "run", "--config", config)
    eventually(lambda: any("60000 of its activities" in line for line in forecaster.stderr), "the diary", 30)
    now = time.time()
    many = ["mosquitto_pub", "-p", str(mosquitto.port), "-t", "har/home/camera/hall/observation", "-l"]
    for first in range(0, MOST_WAITING + 1000, 1000):  # mosquitto drops some, and events, too, if all come at once
        lines = (observation(now + each / 1000, "Work").encode() + b"\n" for each in range(first, first + 1000))
        subprocess.run(many, input=b"".join(lines), check=True)
        time.sleep(0.2)
    assert not subscriber.of(FORECAST), "it has learned too fast for this test"

    publish(mosquitto, "camera/hall/event", event(EventType.END, "Work", now - 60, now).encode())

    eventually(lambda: subscriber.of(FORECAST), "the first forecast", 120)
    eventually(lambda: episodes(diary) == 60_001, "the activity in the diary", 30)
    assert not forecaster.complaints


def episodes(diary: Path) -> int:
    with sqlite3.connect(f"file:{diary}?mode=ro", uri=True) as database:
        try:
            return int(database.execute("SELECT COUNT(*) FROM episodes").fetchone()[0])
        except sqlite3.OperationalError:  # its table is not there yet
            return 0
