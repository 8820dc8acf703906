"""config.yaml changes while the service runs, and SIGHUP reloads it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import Eventually

pytestmark = pytest.mark.mosquitto

Start = Callable[..., Any]
HALL = {"name": "hall", "source": "scene?seed=8"}
YARD = {"name": "yard", "source": "scene?seed=9"}
ATTIC = {"name": "attic", "source": "scene?seed=10", "area": "Attic"}


def base_config(mosquitto: Any) -> dict[str, Any]:
    """Returns the values that are the same in every configuration."""
    return {"mqtt": {"broker": mosquitto.url, "embedded_port": 1883}, "web": {"enabled": False, "port": 8080}}


def test_cameras_are_added_and_removed_and_another_is_not_affected(
    start: Start, configure: Callable[..., None], light_model: Path, mosquitto: Any, subscribe: Any,
    eventually: Eventually,
) -> None:  # fmt: skip
    subscriber = subscribe(mosquitto.port)
    rest: dict[str, Any] = {"model": str(light_model), **base_config(mosquitto)}
    configure(cameras=[HALL, YARD], **rest)
    running = start("run")

    def payloads(what: str) -> list[str]:
        return [message.payload for message in subscriber.of(what)]

    eventually(lambda: payloads("hall/availability") and payloads("yard/availability"), "both cameras", 40)
    configure(cameras=[HALL, ATTIC], **rest)
    running.signal(signal.SIGHUP)
    eventually(lambda: "config reloaded: attic is new, yard is removed" in running.output, "the change")
    eventually(lambda: payloads("attic/availability") == ["online"], "the new camera")
    eventually(lambda: payloads("yard/availability") == ["online", "offline"], "the end of the removed camera")
    eventually(lambda: any(m.json["area"] == "Attic" for m in subscriber.of("attic/activity")), "its room")
    assert payloads("hall/availability") == ["online"]
    observed = [message.json["seq"] for message in subscriber.of("hall/observation")]
    eventually(lambda: len(subscriber.of("hall/observation")) > len(observed) + 5, "the other camera to continue")
    assert all(message.json["valid"] for message in subscriber.of("hall/observation"))
    running.signal(signal.SIGINT)
    assert running.wait(10) == 0
    assert running.complaints == []


def test_another_model_is_announced(
    start: Start, configure: Callable[..., None], light_model: Path, mosquitto: Any, subscribe: Any,
    eventually: Eventually,
) -> None:  # fmt: skip
    subscriber = subscribe(mosquitto.port)
    rest: dict[str, Any] = {"cameras": [HALL], **base_config(mosquitto)}
    configure(model=str(light_model), **rest)
    running = start("run")
    eventually(lambda: subscriber.of("/info"), "the first model", 40)
    first = subscriber.of("/info")[-1].json["model"]["name"]
    configure(model="lrcn", **rest)
    running.signal(signal.SIGHUP)
    eventually(lambda: subscriber.of("/info")[-1].json["model"]["name"] == "lrcn", "the other model", 40)
    assert first != "lrcn"
    eventually(lambda: subscriber.of("/status")[-1].payload == "online", "the node again")
    eventually(lambda: len(subscriber.of("/labels")[-1].json["labels"]) == 13, "its labels")
    running.signal(signal.SIGINT)
    assert running.wait(10) == 0


def test_a_missing_config_is_a_mistake_and_does_not_give_the_defaults(
    start: Start, configure: Callable[..., None], light_model: Path, mosquitto: Any, tmp_path: Path, subscribe: Any,
    eventually: Eventually,
) -> None:  # fmt: skip
    subscriber = subscribe(mosquitto.port)
    configure(cameras=[HALL], model=str(light_model), **base_config(mosquitto))
    running = start("run")
    eventually(lambda: subscriber.of("hall/observation"), "the camera", 40)
    (tmp_path / "config.yaml").unlink()
    running.signal(signal.SIGHUP)
    refused = "the service continues with the old one: cannot read the configuration"
    eventually(lambda: refused in running.output, "no file")
    running.signal(signal.SIGINT)
    assert running.wait(10) == 0


@pytest.mark.parametrize(
    ("mistake", "expected"),
    [
        ({"cameras": [HALL, HALL]}, "each camera needs a unique name, got 'hall' again"),
        ({"cameras": [HALL, {"name": "film", "source": "there-is-none.mp4"}]}, "there is no such file"),
        ({"model": "no-such-model"}, "no-such-model"),
        ({"activities": {"overrides": {"Yodel": {"start_above": 0.9, "end_below": 0.5}}}}, "Yodel"),
    ],
)
def test_a_mistake_is_reported_and_nothing_changes(
    mistake: dict[str, Any], expected: str, start: Start, configure: Callable[..., None], light_model: Path,
    mosquitto: Any,
    subscribe: Any, eventually: Eventually,
) -> None:  # fmt: skip
    subscriber = subscribe(mosquitto.port)
    right: dict[str, Any] = {"cameras": [HALL], "model": str(light_model), **base_config(mosquitto)}
    configure(**right)
    running = start("run")
    eventually(lambda: subscriber.of("hall/observation"), "the camera", 40)
    configure(**(right | mistake))
    running.signal(signal.SIGHUP)
    eventually(
        lambda: "configuration is not used, the service continues" in running.output, "the mistake to be reported"
    )
    (line,) = (line for line in running.stderr if "configuration is not used" in line)
    assert expected in line
    seen = len(subscriber.of("hall/observation"))
    eventually(lambda: len(subscriber.of("hall/observation")) > seen + 5, "the camera to continue")
    assert subscriber.of("hall/availability")[-1].payload == "online"
    assert len(subscriber.of("/info")) == 1
    running.signal(signal.SIGINT)
    assert running.wait(10) == 0
