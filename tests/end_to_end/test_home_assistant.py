"""A real Home Assistant shows harstream, read over its own API. `make home-assistant` installs it and runs the tests.

One Home Assistant and one broker serve the whole file. Each test has a node of its own.
"""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from harstream.wire.home_assistant_forecasts import forecast_announcements
from tests.support.home_assistant import HomeAssistant
from tests.support.waiting import Eventually

RECOGNIZED = 90.0
"""The longest wait, in seconds."""

pytestmark = [pytest.mark.homeassistant, pytest.mark.mosquitto]

Start = Callable[..., Any]


def automation(name: str, blueprint: str, template: str, **inputs: Any) -> dict[str, Any]:
    """Returns an automation that writes values of its blueprint into the text helper of its name."""
    action = {
        "action": "input_text.set_value",
        "target": {"entity_id": f"input_text.{name}"},
        "data": {"value": template},
    }
    return {
        "alias": name,
        "use_blueprint": {"path": f"harstream/{blueprint}", "input": inputs | {"actions": [action]}},
    }


STARTS = ["event.gym_event", "event.kitchen_event"]
UNKNOWN_FOR = 5.0
"""Seconds without an activity, after which the automation `nobody` runs."""
AUTOMATIONS = [
    automation("started", "activity_starts.yaml", "{{ activity }} in {{ area }} ({{ camera }}), {{ confidence > 50 }}",
               events=STARTS, activities=["Heavy", "Light"], minimum_confidence=50),
    automation("another", "activity_starts.yaml", "it started", events=STARTS, activities=["Heavy"]),
    automation("nobody", "nobody_active.yaml", "nobody",
               sensors=["sensor.gym_activity"], duration={"seconds": UNKNOWN_FOR}),
    automation("prepared", "prepare_for_activity.yaml", "{{ probability }}", sensor="sensor.spa_shower_within_15_min",
               only_if=[{"condition": "state", "entity_id": "sensor.spa_next_activity", "state": "Shower"}]),
    automation("lit", "light_the_path.yaml", "{{ activity }}", next_activity="sensor.spa_next_activity",
               next_probability="sensor.spa_next_activity_probability", activities=["Shower"],
               after="00:00:00", before="23:59:59"),
    automation("told", "something_unusual.yaml", "{{ activity }} {{ since }}", sensors=["binary_sensor.spa_unusual"]),
]  # fmt: skip


@pytest.fixture
def write(configure: Start, module_mosquitto: Any, light_model: Path) -> Start:
    """`write("nuc1", hall="yard.mp4")` configures a node with cameras. Their areas are their names in capitals."""

    def write(
        node: str, model: Path | str = light_model, *, snapshots: bool = False, view: str = "picture", **cameras: str
    ) -> None:
        configure(
            node=node,
            model=str(model),
            # The ports are the same each time: another port restarts a running service.
            mqtt={"broker": module_mosquitto.url, "embedded_port": 1883, "snapshots": snapshots},
            web={"enabled": False, "port": 8080},
            cameras=[
                {"name": name, "source": source, "area": name.upper(), "view": view} for name, source in cameras.items()
            ],
        )

    return write


@pytest.fixture
def run(start: Start, write: Start) -> Start:
    """`run(...)` writes the configuration as `write` does and runs the node."""

    def run(*arguments: Any, **options: Any) -> Any:
        write(*arguments, **options)
        return start("run")

    return run


def test_a_camera_appears_in_its_area_with_its_entities(
    home_assistant: HomeAssistant, run: Start, eventually: Eventually
) -> None:
    run("nuc1", hall="scene?seed=8")
    eventually(lambda: home_assistant.state("sensor.hall_activity") is not None, "the camera", RECOGNIZED)
    node, hall = home_assistant.device("har/nuc1"), home_assistant.device("har/nuc1/hall")
    rooms = {each["area_id"]: each["name"] for each in home_assistant.registry("area")}
    assert (hall["name"], hall["manufacturer"], rooms[hall["area_id"]]) == ("Hall", "harstream", "HALL")
    assert hall["via_device_id"] == node["id"]
    entities = {
        each["entity_id"]: (each["disabled_by"], each["entity_category"])
        for each in home_assistant.registry("entity")
        if each["device_id"] in (node["id"], hall["id"])
    }
    shown, hidden, diagnostic = (None, None), ("integration", "diagnostic"), (None, "diagnostic")
    assert entities == {
        "sensor.hall_activity": shown, "event.hall_event": shown, "sensor.hall_confidence": shown,
        "binary_sensor.hall_connectivity": diagnostic, "binary_sensor.hall_problem": diagnostic,
        "sensor.hall_frame_rate": hidden, "sensor.hall_frame_age": hidden, "sensor.hall_reconnects": hidden,
        "sensor.hall_dropped_frames": hidden, "switch.hall_enabled": shown, "number.hall_threshold": (None, "config"),
        "binary_sensor.harstream_nuc1_connectivity": diagnostic, "sensor.harstream_nuc1_version": diagnostic,
        "sensor.harstream_nuc1_model": diagnostic,
    }  # fmt: skip
    assert home_assistant.attribute("sensor.hall_activity", "options") == ["Light", "unknown"]


def test_entities_change_with_the_recognized_activity(
    home_assistant: HomeAssistant, run: Start, eventually: Eventually, module_subscribe: Callable[[int], Any],
    module_mosquitto: Any,
) -> None:  # fmt: skip
    subscriber = module_subscribe(module_mosquitto.port)
    run("nuc2", "flow_tcn", studio="scene?seed=8")
    sensor, event = "sensor.studio_activity", "event.studio_event"
    eventually(lambda: home_assistant.state(sensor) == "unknown", "the state unknown", RECOGNIZED)
    # The state is published before its event.
    eventually(lambda: home_assistant.attribute(event, "event_type") == "start", "an event", RECOGNIZED)
    eventually(lambda: subscriber.of("studio/event"), "the event message")
    start, received = home_assistant.entity(event)["attributes"], subscriber.of("studio/event")[0].json
    assert home_assistant.state(sensor) == start["activity"] == received["activity"]
    assert (start["event_type"], start["area"]) == ("start", "STUDIO")
    assert (start["id"], start["confidence"]) == (received["id"], received["confidence"])
    assert 0 < float(home_assistant.state("sensor.studio_confidence") or 0) <= 100
    assert home_assistant.state("binary_sensor.studio_connectivity") == "on"
    assert home_assistant.state("binary_sensor.studio_problem") == "off"
    eventually(lambda: home_assistant.attribute(event, "event_type") == "end", "the end of it", RECOGNIZED)
    assert home_assistant.attribute(event, "id") == start["id"]


def test_a_camera_is_switched_off_and_on_from_home_assistant(
    home_assistant: HomeAssistant, run: Start, eventually: Eventually
) -> None:
    run("nuc9", den="scene?seed=8", nook="scene?seed=9")
    sensor, switch = "sensor.den_activity", "switch.den_enabled"
    eventually(lambda: home_assistant.state(sensor) == "unknown", "the camera", RECOGNIZED)
    eventually(lambda: home_assistant.state(switch) == "on", "its switch")
    home_assistant.post("/api/services/switch/turn_off", {"entity_id": switch})
    eventually(lambda: home_assistant.state(switch) == "off", "the camera to be switched off")
    eventually(lambda: home_assistant.state(sensor) == "unavailable", "the activity to be unavailable")
    assert home_assistant.state("binary_sensor.den_connectivity") == "off"
    eventually(lambda: home_assistant.state("binary_sensor.den_problem") == "off", "the problem to be off")
    assert home_assistant.state("sensor.nook_activity") != "unavailable"
    home_assistant.post("/api/services/switch/turn_on", {"entity_id": switch})
    eventually(lambda: home_assistant.state(sensor) == "unknown", "the camera again")
    home_assistant.post("/api/services/number/set_value", {"entity_id": "number.den_threshold", "value": 0.66})
    eventually(lambda: home_assistant.state("number.den_threshold") == "0.66", "another threshold")


def test_a_node_that_is_killed_leaves_its_entities_unavailable(
    home_assistant: HomeAssistant, run: Start, eventually: Eventually
) -> None:
    running = run("nuc3", porch="scene?seed=8")
    node = "binary_sensor.harstream_nuc3_connectivity"
    eventually(lambda: home_assistant.state("sensor.porch_activity") == "Light", "the activity", RECOGNIZED)
    assert home_assistant.state(node) == "on"
    running.signal(signal.SIGKILL)
    entities = ["sensor.porch_activity", "event.porch_event", "binary_sensor.porch_connectivity"]
    eventually(lambda: [home_assistant.state(each) for each in entities] == ["unavailable"] * 3, "the last will")
    assert home_assistant.state(node) == "off"


def test_an_offline_camera_is_disconnected_and_its_activity_unavailable(
    home_assistant: HomeAssistant, run: Start, eventually: Eventually, film: Callable[..., Path]
) -> None:
    film("short.mp4", (3, 200))
    run("nuc4", shed="short.mp4", barn="scene?seed=8")
    eventually(lambda: home_assistant.state("binary_sensor.shed_connectivity") == "off", "its end", RECOGNIZED)
    eventually(lambda: home_assistant.state("sensor.shed_activity") == "unavailable", "its activity to go")
    eventually(lambda: home_assistant.state("binary_sensor.shed_problem") == "on", "the problem")
    problem = home_assistant.entity("binary_sensor.shed_problem")["attributes"]
    assert (problem["health"], problem["reason"]) == ("offline", "its recording has ended")
    assert home_assistant.state("sensor.barn_activity") == "Light"


def test_cameras_are_removed_and_added_with_the_config(
    home_assistant: HomeAssistant, write: Start, run: Start, eventually: Eventually
) -> None:
    running = run("nuc5", cellar="scene?seed=8", roof="scene?seed=9")
    sensors = ["sensor.cellar_activity", "sensor.roof_activity"]
    eventually(lambda: [home_assistant.state(each) for each in sensors] == ["Light"] * 2, "both", RECOGNIZED)
    assert home_assistant.device("har/nuc5/roof") is not None
    write("nuc5", cellar="scene?seed=8", loft="scene?seed=9")
    running.signal(signal.SIGHUP)
    eventually(lambda: home_assistant.device("har/nuc5/roof") is None, "the camera to leave", RECOGNIZED)
    assert home_assistant.state("sensor.roof_activity") is None
    eventually(lambda: home_assistant.state("sensor.loft_activity") == "Light", "the new one", RECOGNIZED)
    loft = home_assistant.device("har/nuc5/loft")
    assert "LOFT" in [each["name"] for each in home_assistant.registry("area") if each["area_id"] == loft["area_id"]]
    assert home_assistant.state("sensor.cellar_activity") == "Light"


def test_people_are_counted_while_a_camera_follows_them(
    home_assistant: HomeAssistant, run: Start, write: Start, eventually: Eventually
) -> None:
    running = run("nuc13", view="person", dojo="scene?seed=2&people=2")
    eventually(lambda: home_assistant.state("sensor.dojo_people") == "2", "two people", RECOGNIZED)
    people = home_assistant.attribute("sensor.dojo_activity", "people")
    assert [each["person"] for each in people] == [1, 2]
    write("nuc13", dojo="scene?seed=2&people=2")
    running.signal(signal.SIGHUP)
    eventually(lambda: home_assistant.state("sensor.dojo_people") is None, "the removal", RECOGNIZED)
    assert home_assistant.state("sensor.dojo_activity") is not None


def test_the_picture_of_a_start_is_shown_while_snapshots_are_on(
    home_assistant: HomeAssistant, write: Start, run: Start, eventually: Eventually, film: Callable[..., Path],
    module_mosquitto: Any, module_subscribe: Callable[[int], Any],
) -> None:  # fmt: skip
    film("attic.mp4", (2, 0), (45, 200), size=(1280, 720))
    running = run("nuc10", snapshots=True, attic="attic.mp4")
    image = "image.attic_snapshot"
    eventually(lambda: home_assistant.image(image) is not None, "the picture", RECOGNIZED)
    shown = home_assistant.image(image)
    assert shown is not None
    assert (shown.shape, round(shown.mean() / 10)) == ((360, 640, 3), 20)
    write("nuc10", attic="attic.mp4")
    running.signal(signal.SIGHUP)
    eventually(lambda: home_assistant.state(image) is None, "it to leave", RECOGNIZED)
    assert module_subscribe(module_mosquitto.port).of("attic/snapshot") == []


def test_a_forecaster_adds_its_entities_to_the_cameras_device(
    home_assistant: HomeAssistant, run: Start, start: Start, eventually: Eventually
) -> None:
    running = run("nuc11", pool="scene?seed=8", sauna="scene?seed=9")
    eventually(lambda: home_assistant.state("sensor.pool_activity") == "Light", "the camera", RECOGNIZED)
    forecaster = start("forecast", "run")
    sensor = "sensor.pool_next_activity"
    eventually(lambda: home_assistant.state(sensor) == "unknown", "the forecast", RECOGNIZED)
    assert "of 30 changes" in home_assistant.attribute(sensor, "reason")
    pool = home_assistant.device("har/nuc11/pool")
    assert (pool["name"], pool["model"]) == ("Pool", "light 1.0.0")
    entities = {
        each["entity_id"]: (each["disabled_by"], each["entity_category"])
        for each in home_assistant.registry("entity")
        if each["device_id"] == pool["id"] and "nuc11/pool/" in each["unique_id"]
    }
    assert entities.items() >= {
        sensor: (None, None), "sensor.pool_next_activity_at": (None, None), "binary_sensor.pool_unusual": (None, None),
        "sensor.pool_next_activity_probability": (None, None),
        "sensor.pool_light_within_15_min": ("integration", None),
        "sensor.pool_forecast_skill": (None, "diagnostic"), "sensor.pool_surprise": (None, "diagnostic"),
    }.items()  # fmt: skip
    assert home_assistant.state("binary_sensor.pool_unusual") == "off"
    assert home_assistant.state("sensor.pool_next_activity_at") == "unknown"
    forecaster.signal(signal.SIGKILL)
    eventually(lambda: home_assistant.state(sensor) == "unavailable", "the last will")
    assert home_assistant.state("sensor.pool_activity") == "Light"
    again = start("forecast", "run")
    eventually(lambda: home_assistant.state(sensor) == "unknown", "the next forecaster", RECOGNIZED)
    again.signal(signal.SIGTERM)
    eventually(lambda: home_assistant.state(sensor) == "unavailable", "its farewell")
    assert not running.complaints


def test_automations_from_the_blueprints_work(
    home_assistant: HomeAssistant, run: Start, eventually: Eventually, film: Callable[..., Path]
) -> None:
    assert home_assistant.post("/api/config/core/check_config", {})["result"] == "valid"
    names = ("started", "another", "nobody")
    assert [home_assistant.state(f"automation.{name}") for name in names] == ["on"] * 3
    film("gym.mp4", (4, 200), (60, 0))
    run("nuc6", gym="gym.mp4")
    started = "input_text.started"
    eventually(lambda: home_assistant.state(started) == "Light in GYM (gym), True", "the start", RECOGNIZED)
    eventually(lambda: home_assistant.state("input_text.nobody") == "nobody", "nobody to be active", RECOGNIZED)
    assert home_assistant.state("sensor.gym_activity") == "unknown"
    since, then = (
        datetime.fromisoformat(home_assistant.entity(entity)["last_changed"])
        for entity in ("sensor.gym_activity", "input_text.nobody")
    )
    assert UNKNOWN_FOR <= (then - since).total_seconds() < UNKNOWN_FOR + 3
    assert home_assistant.state("input_text.another") == "unknown"


def test_automations_of_forecasts_work(
    home_assistant: HomeAssistant, module_mosquitto: Any, eventually: Eventually
) -> None:
    def retain(topic: str, message: str) -> None:
        command = ["mosquitto_pub", "-p", str(module_mosquitto.port), "-q", "1", "-r", "-t", topic, "-m", message]
        subprocess.run(command, check=True, timeout=20)

    def forecast(p: float, **more: Any) -> None:
        begins = [{"horizon_s": 900, "p": {"unknown": 1}, "begins": {"Shower": p}}]
        following = {"activity": "Shower", "p": p, "expected_at": "2026-11-20T07:19:40.000Z"}
        retain("har/nuc12/camera/spa/forecast", json.dumps({"next": following, "horizons": begins} | more))

    announced = forecast_announcements("homeassistant", "nuc12", ["spa"], ["Shower", "Sleep"], "0.2.0")
    for topic, payload in announced.items():
        retain(topic, payload.decode().replace('"enabled_by_default":false', '"enabled_by_default":true'))
    for topic in ("har/nuc12/status", "har/nuc12/forecaster/status"):
        retain(topic, "online")
    within = "sensor.spa_shower_within_15_min"
    eventually(lambda: home_assistant.state(within) == "unavailable", "the entities, which wait for a forecast")
    forecast(0.3)
    eventually(lambda: home_assistant.state(within) == "30", "the forecast")
    assert [home_assistant.state(f"input_text.{name}") for name in ("prepared", "lit", "told")] == ["unknown"] * 3
    forecast(0.8)
    eventually(lambda: home_assistant.state("input_text.prepared") == "80", "the preparation")
    eventually(lambda: home_assistant.state("input_text.lit") == "Shower", "the light")
    since = "2026-11-20T06:00:00.000Z"
    forecast(0.8, unusual={"kind": "lasts_long", "activity": "Sleep", "p": 0.001, "since": since})
    eventually(lambda: home_assistant.state("input_text.told") == f"Sleep {since}", "the message")


def test_home_assistant_knows_the_activity_after_its_restart(
    home_assistant: HomeAssistant, run: Start, eventually: Eventually
) -> None:
    def last_start() -> Any:
        return home_assistant.attribute("automation.started", "last_triggered")

    run("nuc7", kitchen="scene?seed=8")
    expected = "Light in KITCHEN (kitchen), True"
    eventually(lambda: home_assistant.state("input_text.started") == expected, "the activity", RECOGNIZED)
    before = last_start()
    home_assistant.stop()
    home_assistant.start()
    eventually(lambda: home_assistant.state("sensor.kitchen_activity") == "Light", "the activity after the restart")
    assert home_assistant.state("binary_sensor.kitchen_connectivity") == "on"
    assert last_start() == before, "an event from before the restart triggered the automation again"


def test_home_assistant_logged_no_warning_in_these_tests(home_assistant: HomeAssistant) -> None:
    its_own = ("Skipping pip", "zlib_ng", "No device components to cleanup")  # the last one follows each removal
    levels = (" WARNING ", " ERROR ")
    complaints = [line for line in home_assistant.output.splitlines() if any(level in line for level in levels)]
    assert [line for line in complaints if not any(known in line for known in its_own)] == []
