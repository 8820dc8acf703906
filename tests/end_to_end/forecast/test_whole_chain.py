"""Service, broker, forecaster, page and Home Assistant together say the same about what is expected next."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from harstream.forecast.client.background import Workers
from harstream.forecast.client.diary import FILE, Diary
from harstream.forecast.client.evidence import Recognizer
from harstream.forecast.client.forecaster import Forecaster
from harstream.forecast.client.learned import ForecasterSettings, Scope, learn
from harstream.models.contract import ModelContract
from harstream.scene.script import ACTIVITIES, routine
from harstream.wire.context import Context
from harstream.wire.messages.event import EventMessage
from harstream.wire.messages.node import LabelsMessage
from harstream.wire.values import Confidence, EndReason, Event, EventType
from tests.forecast.client.household import AtOnce
from tests.support.broker import Mosquitto, Received, Subscribe, Subscriber
from tests.support.command import Configure, Start
from tests.support.home_assistant import HomeAssistant
from tests.support.waiting import Eventually

pytestmark = [pytest.mark.homeassistant, pytest.mark.mosquitto, pytest.mark.browser]

NODE, CAMERA, SEED = "chain", "gym", 8
LIVED = 480.0
"""Seconds of the routine before the test. They hold more than the 30 changes of activity that a forecast needs."""
SENSOR = f"sensor.{CAMERA}_next_activity"
CONTEXT = Context(NODE, {}, ModelContract("scene", "1.0.0", (*ACTIVITIES, "Background"), ("Background",)), "ab", "1")


def routine_events(began: float) -> Iterator[EventMessage]:
    """Yield the events of the routine, in the order of time."""
    for segment in routine(SEED, LIVED):
        if segment.activity is None:
            continue
        start, end = began + segment.start, began + segment.end
        label = ACTIVITIES.index(segment.activity)
        for seq, kind in enumerate((EventType.START, EventType.END), 1):
            is_end = kind is EventType.END
            yield EventMessage.of(
                Event(
                    kind, f"{start:.2f}", seq, CAMERA, segment.activity, label, Confidence(0.9, 0.9, 0.9), (), start,
                    end if is_end else start, start, ended_at=end if is_end else None,
                    end_reason=EndReason.LOW_CONFIDENCE if is_end else None,
                ),
                CONTEXT,
            )  # fmt: skip


def follow_routine(diary: Diary) -> None:
    """Let a forecaster follow the last minutes of the routine, and measure its forecasts."""
    now = time.time()
    recognizer = Recognizer(LabelsMessage.of(CONTEXT), None)
    settings = ForecasterSettings(NODE, Scope.CAMERA, "mix", UTC)
    learned = learn(diary, recognizer.states, settings, now - LIVED)
    forecaster = Forecaster(recognizer, diary, Workers(AtOnce(), AtOnce(), AtOnce()), learned, settings)
    for event in routine_events(now - LIVED):
        forecaster.follow(event, event.updated_at)
        forecaster.tick(event.updated_at)


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    page = chromium.new_page()
    yield page
    page.close()


def next_of(forecasts: Sequence[Received]) -> str | None:
    """Return the next activity that the last forecast names."""
    following = forecasts[-1].json["next"] if forecasts and forecasts[-1].payload else None
    return following and following["activity"]


def has_come_true(subscriber: Subscriber) -> bool:
    """Return whether an activity began that the last forecast had named as the next one, before it showed it."""
    forecasts: list[tuple[str, str | None]] = []
    for each in list(subscriber.received):
        if each.topic.endswith(f"{CAMERA}/forecast") and each.payload:
            forecasts.append((each.json["activity"], next_of([each])))
        elif each.topic.endswith(f"{CAMERA}/event") and each.json["event_type"] == "start":
            began = each.json["activity"]
            expected = [following for activity, following in forecasts if activity != began]
            if expected and expected[-1] == began:
                return True
    return False


@pytest.mark.timeout(240)
def test_wire_page_and_home_assistant_name_the_same_next_activity_until_the_forecaster_is_killed(
    home_assistant: HomeAssistant, module_mosquitto: Mosquitto, page: Any, configure: Configure, start: Start,
    subscribe: Subscribe, eventually: Eventually, new_port: Callable[[], int], tmp_path: Path,
) -> None:  # fmt: skip
    subscriber, port = subscribe(module_mosquitto.port), new_port()
    configure(
        node=NODE, mqtt={"broker": module_mosquitto.url}, web={"enabled": True, "port": port},
        cameras=[{"name": CAMERA, "source": f"scene?seed={SEED}&routine=1"}],
    )  # fmt: skip
    folder = tmp_path / "harstream-state" / "forecast"
    folder.mkdir(parents=True)
    diary = Diary(folder / FILE)
    diary.start()
    follow_routine(diary)
    diary.close()
    service, forecaster = start("run"), start("forecast", "run", "--wait", "--zone", "UTC")
    eventually(lambda: any("live view" in line for line in service.stdout), "the live view's address", 40)
    page.goto(f"http://127.0.0.1:{port}")
    expected = page.locator(".camera .expected")

    def shown() -> tuple[str | None, str | None, str | None]:
        """Return the next activity on the wire, on the page and in Home Assistant."""
        text = re.match(r"(?:.* · )?Next: (.+) \d+%, ", expected.inner_text() if expected.count() else "")
        on_page = text and re.sub(r" (\w)", lambda found: found[1].upper(), text[1])  # "Jump rope" is JumpRope
        return next_of(subscriber.of(f"{CAMERA}/forecast")), on_page, home_assistant.state(SENSOR)

    def agree() -> bool:
        first, *others = shown()
        return first is not None and others == [first, first]

    eventually(agree, "wire, page and Home Assistant to name the same activity", 60)
    eventually(lambda: has_come_true(subscriber), "an activity that was expected", 60)
    assert [each.payload for each in subscriber.of("forecaster/status")] == ["online"]

    forecaster.signal(signal.SIGKILL)

    eventually(lambda: subscriber.of("forecaster/status")[-1].payload == "offline", "the last will")
    eventually(lambda: home_assistant.state(SENSOR) == "unavailable", "Home Assistant to say so")
    eventually(lambda: expected.inner_text() == "No forecast: the forecaster is offline", "the page to say why")
    assert home_assistant.state(f"sensor.{CAMERA}_activity") not in (None, "unavailable")
    assert page.locator(".camera[data-badge=live]").count() == 1
    assert not service.complaints
