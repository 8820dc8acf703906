"""The live view as a viewer sees it: a real server, a real WebSocket client and a real Chromium."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from harstream.models.box import WHOLE
from harstream.models.contract import UNKNOWN, ModelContract
from harstream.models.transform import BgrPicture
from harstream.stream.web.cameras_api import HttpControl
from harstream.stream.web.viewers import OutputState, encode_jpeg
from harstream.wire.errors import ControlError
from harstream.wire.health import HealthState
from harstream.wire.values import (
    Activity,
    CameraChange,
    CameraControl,
    CameraState,
    Confidence,
    EndReason,
    Event,
    EventType,
    Forecast,
    Frame,
    LabelScore,
    NextActivity,
    Notice,
    SoonActivity,
    Step,
    UnusualActivity,
    Warming,
)
from tests.support.live_view import LiveView
from tests.support.values import LEFT, RIGHT, MakeHealth, subject

CONTRACT = ModelContract(name="lrcn", version="1.2.3", labels=("JumpRope", "PushUps", "Punch", "Swing"))
SOON = (
    SoonActivity("JumpRope", 0.4, 900.0), SoonActivity("Swing", 0.35, 900.0), SoonActivity("Punch", 0.31, 3600.0),
)  # fmt: skip


class CountingEncoder:
    """Encodes as in production, counts the calls and remembers their threads."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.threads: set[threading.Thread] = set()

    def __call__(self, frame: Frame) -> bytes:
        self.frames.append(frame)
        self.threads.add(threading.current_thread())
        return encode_jpeg(frame)


@pytest.fixture
def encoder() -> CountingEncoder:
    return CountingEncoder()


@pytest.fixture
def opened(encoder: CountingEncoder) -> Iterator[Callable[..., LiveView]]:
    views: list[LiveView] = []

    def open_view(*cameras: str, port: int = 0, **more: Any) -> LiveView:
        view = LiveView(CONTRACT, cameras, port=port, encode=encoder, **more)
        view.start()
        views.append(view)
        return view

    yield open_view
    for view in views:
        view.close()


def step(
    camera: str = "hall",
    time: float = 1_790_000_000.0,
    *,
    activity: str = UNKNOWN,
    confidence: float = 0.3,
    warming: tuple[int, int] = (20, 20),
    events: tuple[Event, ...] = (),
    width: int = 64,
    grey: int = 128,
) -> Step:
    picture = np.full((width * 3 // 4, width, 3), grey, np.uint8)
    smoothed = np.array([0.06, 0.9, 0.03, 0.01], np.float32)
    best = LabelScore("PushUps", 0.9), LabelScore("JumpRope", 0.06), LabelScore("Punch", 0.03)
    now = Activity(activity, time - 42, confidence)
    notice = Notice(camera, time, now, Warming(*warming), smoothed=smoothed, best=best, events=events)
    return Step(notice, Frame(camera, time, BgrPicture(picture)))


def change(camera: str, state: CameraState, reason: str = "", time: float = 1_790_000_000.0) -> Step:
    notice = Notice(
        camera, time, Activity(UNKNOWN, time, 0.0), Warming(0, 20), change=CameraChange(camera, time, state, reason)
    )
    return Step(notice, None)


def event(kind: EventType, seq: int, *, id: str = "01A", camera: str = "hall", ended_at: float | None = None) -> Event:
    return Event(
        kind,
        id,
        seq,
        camera,
        "PushUps",
        1,
        Confidence(0.91, 0.95, 0.9),
        (LabelScore("PushUps", 0.91),),
        started_at=1_790_000_000.0,
        updated_at=ended_at or 1_790_000_001.0,
        detected_at=1_790_000_001.0,
        ended_at=ended_at,
        end_reason=None if ended_at is None else EndReason.LOW_CONFIDENCE,
    )


def watch(view: LiveView, **options: object) -> Connection:
    host, port = view.address
    options.setdefault("max_queue", None)  # this client reads at once, unless a test wants a slow one
    return connect(f"ws://{host}:{port}/live", **options)  # type: ignore[arg-type]


def received(client: Connection, is_wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Returns the next wanted message. A picture becomes {"picture": jpeg, "camera": index, "time": seconds}."""
    deadline = time.monotonic() + 10
    while (left := deadline - time.monotonic()) > 0:
        message = client.recv(timeout=left)
        if isinstance(message, bytes):
            camera, at = struct.unpack(">Hd", message[:10])
            found: dict[str, Any] = {"type": "picture", "picture": message[10:], "camera": camera, "time": at}
        else:
            found = json.loads(message)
        if is_wanted(found):
            return found
    raise AssertionError("no such message within 10 s")


def decoded(jpeg: bytes) -> NDArray[Any]:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture


def is_camera_at(time: float, message: dict[str, Any]) -> bool:
    return bool(message["type"] == "camera" and message["time"] == time)


def of_type(kind: str) -> Callable[[dict[str, Any]], bool]:
    return lambda message: message["type"] == kind


def until(is_true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not is_true():
        assert time.monotonic() < deadline, "not within 10 s"
        time.sleep(0.02)


# The server -----------------------------------------------------------------------------------------------------------


def test_hello_contains_what_the_page_needs(opened: Callable[..., LiveView]) -> None:
    with watch(opened("hall", "garden")) as client:
        hello = received(client, of_type("hello"))
    assert hello["labels"] == list(CONTRACT.labels)
    assert hello["model"] == {"name": "lrcn", "version": "1.2.3"}
    assert (hello["version"], hello["provider"]) == ("0.1.0", "CPU")
    assert [(camera["name"], camera["state"]) for camera in hello["cameras"]] == [
        ("hall", "connecting"),
        ("garden", "connecting"),
    ]


def test_a_step_arrives_as_state_event_and_picture(opened: Callable[..., LiveView]) -> None:
    view = opened("hall", "garden")
    with watch(view) as client:
        received(client, of_type("hello"))
        started = event(EventType.START, 1, camera="garden")
        view.show(step("garden", 1_790_000_002.5, activity="PushUps", confidence=0.9, events=(started,), grey=200))
        messages: dict[str, dict[str, Any]] = {}
        while set(messages) != {"camera", "event", "picture"}:
            message = received(client, lambda message: message["type"] in ("camera", "event", "picture"))
            messages[message["type"]] = message
    camera = messages["camera"]
    assert (camera["index"], camera["state"], camera["activity"]) == (1, "live", "PushUps")
    assert (camera["since"], camera["confidence"], camera["warming"]) == (1_790_000_002.5 - 42, 0.9, [20, 20])
    assert camera["topk"] == [["PushUps", 0.9], ["JumpRope", 0.06], ["Punch", 0.03]]
    assert (messages["event"]["id"], messages["event"]["event"]) == ("01A", "start")
    assert (messages["picture"]["camera"], messages["picture"]["time"]) == (1, 1_790_000_002.5)
    picture = decoded(messages["picture"]["picture"])
    assert picture.shape == (48, 64, 3)
    assert abs(float(picture.mean()) - 200) < 3


def test_the_frame_rate_is_that_of_all_frames_which_arrive(
    opened: Callable[..., LiveView], make_health: MakeHealth
) -> None:
    view = opened("hall")
    view.show(step())
    view.report(make_health(fps=12.5))
    with watch(view) as client:
        assert received(client, of_type("hello"))["cameras"][0]["fps"] == 12.5


def test_dropped_frames_are_reported_while_the_machine_cannot_keep_up(
    opened: Callable[..., LiveView], make_health: MakeHealth
) -> None:
    view = opened("hall")
    view.show(step())
    with watch(view) as client:
        assert received(client, of_type("hello"))["cameras"][0]["dropping"] == 0
        view.report(make_health(dropping=0.0151))
        view.report(make_health(dropping=0.314159, overloaded=True))
        assert received(client, lambda message: message.get("dropping", 0) > 0)["dropping"] == 0.31
        view.report(make_health(dropping=0.0151))
        assert received(client, of_type("camera"))["dropping"] == 0


def test_nothing_is_encoded_while_nobody_watches(opened: Callable[..., LiveView], encoder: CountingEncoder) -> None:
    view = opened("hall")
    for number in range(20):
        view.show(step(time=number / 10))
    with watch(view) as client:
        received(client, of_type("picture"))
    # Only the last of the twenty is encoded: for the viewer, after all of them were shown.
    assert [frame.time for frame in encoder.frames] == [1.9]


def test_nothing_is_encoded_for_a_page_in_a_background_tab(
    opened: Callable[..., LiveView], encoder: CountingEncoder
) -> None:
    view = opened("hall")
    with watch(view) as client:
        client.send("rest")
        received(client, of_type("hello"))
        # Once the state of a second camera message has come, the server has surely read "rest".
        client.ping().wait(10)
        for number in range(3):
            view.show(step(time=number))
            received(client, partial(is_camera_at, number))
        assert encoder.frames == []
        client.send("watch")
        assert received(client, of_type("picture"))["time"] == 2


def test_a_picture_is_encoded_once_for_three_viewers_and_off_the_callers_thread(
    opened: Callable[..., LiveView], encoder: CountingEncoder
) -> None:
    view = opened("hall")
    with watch(view) as one, watch(view) as two, watch(view) as three:
        for client in (one, two, three):
            received(client, of_type("hello"))
        view.show(step(time=7))
        assert [received(client, of_type("picture"))["time"] for client in (one, two, three)] == [7, 7, 7]
    assert [frame.time for frame in encoder.frames] == [7]
    assert threading.current_thread() not in encoder.threads


def test_at_most_fifteen_pictures_a_second_are_sent(opened: Callable[..., LiveView], encoder: CountingEncoder) -> None:
    view = opened("hall")
    with watch(view) as client:
        received(client, of_type("hello"))
        began = time.monotonic()
        number = 0
        while len(encoder.frames) < 10:
            view.show(step(time=number / 200))
            number += 1
            time.sleep(0.005)
        # Ten pictures have nine pauses of 1/15 s between them, however fast the frames come.
        assert time.monotonic() - began >= 9 / 15 - 0.02


def test_a_slow_viewer_gets_the_newest_and_no_queue(opened: Callable[..., LiveView], encoder: CountingEncoder) -> None:
    view = opened("hall")
    noise = np.random.default_rng(0).integers(0, 256, (720, 960, 3), np.uint8)  # 460 kB as JPEG
    link = socket.socket()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    link.connect(view.address)
    with watch(view, sock=link, max_queue=1, close_timeout=0.5) as slow:
        shown = 0
        while len(encoder.frames) < 20:
            shown += 1
            view.show(Step(step(time=shown).notice, Frame("hall", shown, BgrPicture(noise))))
            time.sleep(0.02)
        until(lambda: encoder.frames[-1].time == shown)
        pictures = [received(slow, of_type("picture"))["time"]]
        while pictures[-1] != shown:
            pictures.append(received(slow, of_type("picture"))["time"])
    # Twenty pictures were encoded. The viewer gets those sent before the link was full, and then the newest.
    assert len(pictures) <= 5


def test_a_late_viewer_sees_the_last_picture_of_a_lost_camera(opened: Callable[..., LiveView]) -> None:
    view = opened("hall")
    view.show(step(time=5, grey=90))
    view.show(change("hall", CameraState.OFFLINE, "unplugged", time=6))
    with watch(view) as client:
        camera = received(client, of_type("hello"))["cameras"][0]
        assert (camera["state"], camera["reason"]) == ("offline", "unplugged")
        assert received(client, of_type("picture"))["time"] == 5


def test_hello_keeps_the_newest_event_of_each_of_the_last_200_activities(opened: Callable[..., LiveView]) -> None:
    view = opened("hall")
    for number in range(201):
        view.show(step(events=(event(EventType.START, 1, id=f"{number:03}"),)))
    view.show(step(events=(event(EventType.END, 2, id="200", ended_at=1_790_000_009.0),)))
    with watch(view) as client:
        events = received(client, of_type("hello"))["events"]
    assert [events[0]["id"], events[-1]["id"], len(events)] == ["001", "200", 200]
    assert (events[-1]["event"], events[-1]["ended_at"]) == ("end", 1_790_000_009.0)


def test_wide_pictures_are_scaled_to_960_pixels() -> None:
    jpeg = encode_jpeg(step(width=1920).frame)  # type: ignore[arg-type]
    assert decoded(jpeg).shape == (720, 960, 3)


def test_an_added_or_removed_camera_is_reported_to_the_viewers(opened: Callable[..., LiveView]) -> None:
    view = opened("hall")

    def names(viewer: Connection) -> list[str]:
        return [camera["name"] for camera in received(viewer, of_type("hello"))["cameras"]]

    with watch(view) as viewer:
        assert names(viewer) == ["hall"]
        view.show(step("attic"))
        assert names(viewer) == ["hall", "attic"]
        assert received(viewer, of_type("picture"))["camera"] == 1
        view.show(change("hall", CameraState.REMOVED))
        assert names(viewer) == ["attic"]
    with watch(view) as viewer:
        assert names(viewer) == ["attic"]


def test_the_last_picture_of_a_disabled_camera_is_shown_to_nobody(opened: Callable[..., LiveView]) -> None:
    view = opened("hall", "yard")
    view.show(step("hall"))
    view.show(change("hall", CameraState.DISABLED))
    with watch(view) as viewer:
        view.show(step("yard"))
        assert received(viewer, of_type("picture"))["camera"] == 1
        view.show(step("yard", grey=50))
        assert received(viewer, of_type("picture"))["camera"] == 1


# The page -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def page(chromium) -> Iterator:  # type: ignore[no-untyped-def,type-arg]
    context = chromium.new_context(viewport={"width": 1000, "height": 700})
    page = context.new_page()
    page.set_default_timeout(15_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if "Security Policy" in message.text else None)
    yield page
    context.close()
    assert complaints == []


@pytest.mark.browser
def test_page_shows_activity_and_event_end(opened: Callable[..., LiveView], page) -> None:  # type: ignore[no-untyped-def]
    view = opened("hall")
    page.goto(view.url)
    start = event(EventType.START, 1)
    view.show(step(time=1_790_000_002.0, activity="PushUps", confidence=0.9, events=(start,)))
    page.wait_for_selector(".camera[data-badge=live][data-pictured]")
    page.wait_for_selector(".event.ongoing")
    assert page.inner_text(".activity") == "Push ups"
    assert page.inner_text(".now .sure") == "90%"
    assert page.inner_text(".now .lasts").startswith("for 4")
    assert page.inner_text(".badge") == "LIVE"
    assert page.locator(".top li .label").all_inner_texts() == ["Push ups", "Jump rope", "Punch"]
    end = event(EventType.END, 2, ended_at=1_790_000_008.0)
    view.show(step(time=1_790_000_009.0, events=(end,)))
    page.wait_for_selector(".event[data-event=end]")
    until(lambda: page.inner_text(".activity") == "No activity")
    assert page.locator(".event").count() == 1
    assert page.inner_text(".event .what") == "Push ups"
    assert page.inner_text(".event .lasted") == "8 s"


@pytest.mark.browser
def test_each_person_has_a_box_and_a_line(opened: Callable[..., LiveView], page) -> None:  # type: ignore[no-untyped-def]
    """The picture has 64 x 48 pixels."""
    view = opened("hall")
    page.goto(view.url)
    seen = step(activity="PushUps", events=(replace(event(EventType.START, 1), person=2),))
    since = seen.notice.time - 5
    people = subject(2, "PushUps", since, 0.94, box=LEFT), subject(1, UNKNOWN, since, 0.1, box=RIGHT)
    view.show(Step(replace(seen.notice, person=2, subjects=people), seen.frame))
    page.wait_for_selector(".camera[data-pictured] .people li + li")

    until(lambda: page.locator(".boxes text").all_text_contents() == ["1", "2 Push ups"])
    sides = "rects => rects.map(rect => ['x', 'y', 'width', 'height'].map(side => Number(rect.getAttribute(side))))"
    until(lambda: page.locator(".boxes rect").evaluate_all(sides)
          == [pytest.approx([38.4, 9.6, 19.2, 28.8]), pytest.approx([6.4, 9.6, 19.2, 28.8])])  # fmt: skip
    lines = page.locator(".people li").all_inner_texts()
    assert lines[0].startswith("Person 1 No activity for ")
    assert lines[1].startswith("Person 2 Push ups 94% for ")
    assert page.inner_text(".event .where").startswith("hall · Person 2 · ")

    view.show(change("hall", CameraState.OFFLINE))
    until(lambda: page.locator(".boxes rect, .people li").count() == 0)


@pytest.mark.browser
def test_a_picture_that_is_seen_as_a_whole_has_no_box(opened: Callable[..., LiveView], page) -> None:  # type: ignore[no-untyped-def]
    view = opened("hall", "yard")
    page.goto(view.url)
    for camera, box in (("hall", WHOLE), ("yard", LEFT)):
        seen = step(camera)
        view.show(Step(replace(seen.notice, subjects=(subject(None, UNKNOWN, box=box),)), seen.frame))
    until(lambda: page.locator(".boxes rect").count() == 1)
    assert page.locator(".boxes text").all_text_contents() == [""]
    assert page.locator(".people li").count() == 0


@pytest.mark.browser
def test_activities_at_the_same_time_lie_above_each_other_in_the_timeline(  # type: ignore[no-untyped-def]
    opened: Callable[..., LiveView], page
) -> None:
    view = opened("hall")
    page.goto(view.url)
    now = time.time()
    both = [replace(event(EventType.START, 1, id=f"{n}"), person=n, started_at=now - 60 * n) for n in (1, 2)]
    alone = replace(event(EventType.END, 2, id="3", ended_at=now - 300), person=1, started_at=now - 600)
    view.show(step(events=(alone, *both)))
    tops = "bars => bars.map(bar => [bar.title.split(':')[0], bar.style.top, bar.style.bottom]).sort()"
    until(lambda: page.locator(".bar-of").evaluate_all(tops)
          == [["Person 1", "0%", "0%"], ["Person 1", "50%", "0%"], ["Person 2", "0%", "50%"]])  # fmt: skip


@pytest.mark.browser
def test_page_marks_the_score_from_which_an_activity_starts(opened: Callable[..., LiveView], page) -> None:  # type: ignore[no-untyped-def]
    view = opened("hall", "garden")
    page.goto(view.url)
    for camera, threshold in (("hall", 0.8), ("garden", 0.35)):
        seen = step(camera, activity="PushUps", confidence=0.9)
        activity = replace(seen.notice.activity, threshold=threshold)
        view.show(Step(replace(seen.notice, activity=activity), seen.frame))
    lines = page.locator(".now .meter")
    until(lambda: lines.evaluate_all("meters => meters.map((meter) => meter.style.getPropertyValue('--threshold'))")
          == ["80%", "35%"])  # fmt: skip


@pytest.mark.browser
def test_page_lists_the_events_it_received_if_no_history_is_kept(opened: Callable[..., LiveView], page) -> None:  # type: ignore[no-untyped-def]
    view = opened("hall", "garden")
    page.goto(view.url)
    for camera in ("hall", "garden"):
        view.show(step(camera, events=(event(EventType.START, 1, id=camera, camera=camera),)))
    until(lambda: page.locator(".event").count() == 2)
    page.select_option("#of-camera", "hall")
    until(lambda: page.locator(".event").count() == 1)
    view.show(step("garden", events=(event(EventType.END, 2, id="garden", camera="garden", ended_at=1_790_000_008.0),)))
    page.select_option("#of-camera", "garden")
    until(lambda: page.locator(".event[data-event=end]").count() == 1)
    page.select_option("#of-camera", "")
    until(lambda: page.locator(".event").count() == 2)


@pytest.mark.browser
def test_page_shows_the_forecast(opened: Callable[..., LiveView], page) -> None:  # type: ignore[no-untyped-def]
    forecasts: dict[str | None, Forecast] = {}
    view = opened("hall", "garden", forecast=forecasts.get)

    def publish(forecast: Forecast) -> None:
        forecasts["hall"] = forecast
        view.show(step("hall"))

    page.goto(view.url)
    now = time.time()
    view.show(step("hall"))
    view.show(step("garden"))
    page.wait_for_selector(".camera[data-badge=live]")
    line = page.locator(".expected").first
    forecast = Forecast(now, NextActivity("JumpRope", 0.62, now + 600.9), "", SOON, unusual=None)
    publish(forecast)
    until(lambda: re.fullmatch(r"Next: Jump rope 62%, in (10:00|9:5\d)", line.inner_text()))
    page.get_by_role("button", name="Enlarge hall").click()
    until(lambda: line.inner_text().endswith(" · within 15 min: Jump rope 40%, Swing 35% · within 60 min: Punch 31%"))
    page.keyboard.press("Escape")
    until(lambda: page.locator(".camera:visible").count() == 2)
    publish(replace(forecast, next=NextActivity("Punch", 0.5, now)))
    until(lambda: line.inner_text() == "Next: Punch 50%, now")
    publish(replace(forecast, next=None, next_reason="6 of 30 changes of activity seen", soon=()))
    until(lambda: line.inner_text() == "No forecast: 6 of 30 changes of activity seen")
    publish(replace(forecast, unusual=UnusualActivity("lasts_long", "Punch", now)))
    until(lambda: re.match(r"Punch lasts unusually long, since \d\d:\d\d:\d\d · Next: Jump", line.inner_text()))
    publish(replace(forecast, next=None, soon=()))
    until(lambda: line.inner_text() == "")


@pytest.mark.browser
def test_page_shows_the_forecast_of_the_home(opened: Callable[..., LiveView], page) -> None:  # type: ignore[no-untyped-def]
    forecasts: dict[str | None, Forecast] = {}
    view = opened("hall", forecast=forecasts.get)
    page.goto(view.url)
    view.show(step("hall"))
    page.wait_for_selector(".camera[data-badge=live]")
    assert not page.locator("#home").is_visible()
    now = time.time()
    forecast = Forecast(now, NextActivity("JumpRope", 0.62, now - 1), "", (), unusual=None, activity="Punch")
    forecasts[None] = forecast
    view.show(step("hall"))
    until(lambda: page.locator("#home").inner_text().split()[:4] == ["Home", "Punch", "Next:", "Jump"])
    forecasts[None] = replace(forecast, activity="unknown", next=None)
    view.show(step("hall"))
    until(lambda: page.locator("#home").inner_text().split() == ["Home", "No", "activity"])
    page.reload()
    until(lambda: page.locator("#home").is_visible())
    del forecasts[None]
    view.show(step("hall"))
    until(lambda: not page.locator("#home").is_visible())


@pytest.mark.browser
def test_page_warns_while_the_broker_is_away(opened: Callable[..., LiveView], page) -> None:  # type: ignore[no-untyped-def]
    is_there = [True]
    view = opened("hall", outputs=lambda: OutputState(is_there[0]))
    page.goto(view.url)
    view.show(step("hall"))
    page.wait_for_selector(".camera[data-badge=live]")
    assert not page.is_visible("#broker-offline")
    is_there[0] = False
    page.wait_for_selector("#broker-offline", state="visible")  # also while no camera sends a frame
    page.reload()
    page.wait_for_selector("#broker-offline", state="visible")
    assert page.inner_text("#broker-offline").startswith("The MQTT broker is unreachable")
    is_there[0] = True
    view.show(step("hall"))
    page.wait_for_selector("#broker-offline", state="hidden")


@pytest.mark.browser
def test_page_counts_the_frames_while_the_window_fills(opened: Callable[..., LiveView], page) -> None:  # type: ignore[no-untyped-def]
    view = opened("hall")
    view.show(step(warming=(7, 20)))
    page.goto(view.url)
    page.wait_for_selector(".camera[data-badge=warming]")
    assert page.inner_text(".badge") == "WARMING 7/20"


@pytest.mark.browser
def test_page_warns_that_the_machine_cannot_keep_up(  # type: ignore[no-untyped-def]
    opened: Callable[..., LiveView], make_health: MakeHealth, page
) -> None:
    view = opened("hall", "garden")
    page.goto(view.url)
    view.show(step("hall"))
    view.show(step("garden"))
    page.wait_for_selector(".camera[data-badge=live]")
    assert not page.is_visible("#overload")
    view.report(make_health(dropping=0.25, overloaded=True))
    page.wait_for_selector("#overload", state="visible")
    assert page.inner_text("#overload").startswith("This machine cannot keep up")
    until(lambda: page.locator(".fps").all_inner_texts() == ["25 fps, 25% dropped", "0 fps"])
    view.report(make_health(behind=24.3, overloaded=True))
    until(lambda: page.locator(".fps").all_inner_texts() == ["25 fps, 24 s behind", "0 fps"])
    view.report(make_health())
    page.wait_for_selector("#overload", state="hidden")
    until(lambda: page.locator(".fps").all_inner_texts() == ["25 fps", "0 fps"])


@pytest.mark.browser
def test_page_shows_why_a_window_does_not_fill(  # type: ignore[no-untyped-def]
    opened: Callable[..., LiveView], make_health: MakeHealth, page
) -> None:
    view = opened("hall")
    page.goto(view.url)
    view.show(step(warming=(1, 20)))
    until(lambda: page.inner_text(".lasts") == "Looking at the first frames")
    view.report(make_health(state=HealthState.WARMING, reason="4 frames a second are too few"))
    until(lambda: page.inner_text(".lasts") == "4 frames a second are too few")
    view.show(step(warming=(2, 20)))
    view.report(make_health())
    until(lambda: page.inner_text(".lasts") == "Looking at the first frames")


@pytest.mark.browser
def test_each_of_many_cameras_shows_its_name_and_its_activity(  # type: ignore[no-untyped-def]
    opened: Callable[..., LiveView], make_health: MakeHealth, page
) -> None:
    names = [f"room{number}" for number in range(40)]
    view = opened(*names)
    page.goto(view.url)
    for name in names:
        view.show(step(name, activity="JumpRope", confidence=0.9))
    view.show(step("room1", warming=(7, 20)))
    view.show(change("room2", CameraState.OFFLINE, "rtsp://192.168.100.200:554/Streaming/Channels/101 gave nothing"))
    view.report(make_health(camera="room3", dropping=0.4, overloaded=True))
    until(lambda: page.locator(".camera[data-pictured]").count() == 40)
    page.wait_for_selector(".camera[data-badge=offline]")
    page.wait_for_selector(".camera[data-overloaded]")
    for index in range(4):
        whole = page.locator(".camera").nth(index)
        card = whole.bounding_box()
        assert card["width"] >= 160
        name, enlarge, activity, detail = (
            whole.locator(part).bounding_box() for part in (".name", ".enlarge", ".activity", ".detail")
        )
        assert name["width"] >= 50
        for part in (name, enlarge, activity, detail):
            assert card["x"] <= part["x"] < part["x"] + part["width"] <= card["x"] + card["width"]
            assert card["y"] <= part["y"] < part["y"] + part["height"] <= card["y"] + card["height"]
        assert name["y"] + name["height"] <= activity["y"]


@pytest.mark.browser
def test_a_camera_without_frames_is_shown_as_stalled_at_any_size(  # type: ignore[no-untyped-def]
    opened: Callable[..., LiveView], make_health: MakeHealth, page
) -> None:
    names = [f"room{number}" for number in range(40)]
    view = opened(*names)
    page.goto(view.url)
    view.show(step("room0"))
    page.wait_for_selector(".camera[data-badge=live]")
    page.wait_for_selector(".camera[data-badge=stalled]")
    assert page.locator(".lasts").first.inner_text().startswith("no frame for ")
    view.report(make_health(camera="room0", dropping=0.4, overloaded=True))
    page.wait_for_selector(".camera[data-overloaded]")
    assert page.locator(".camera").first.get_attribute("data-badge") == "stalled"
    view.show(step("room0", time=1_790_000_009.0))
    page.wait_for_selector(".camera[data-badge=live]")


@pytest.mark.browser
@pytest.mark.parametrize(
    ("state", "headline"), [(HealthState.FROZEN, "The picture is frozen"), (HealthState.DARK, "Nothing to see")]
)
def test_a_dark_or_frozen_camera_is_shown_with_its_duration(  # type: ignore[no-untyped-def]
    state: HealthState, headline: str, opened: Callable[..., LiveView], make_health: MakeHealth, page
) -> None:
    view = opened("hall")
    page.goto(view.url)
    view.show(step("hall", time=1_790_000_000.0, activity="JumpRope", confidence=0.9))
    page.wait_for_selector(".camera[data-badge=live]")
    view.report(make_health(state=state, since=1_790_000_000.0 - 75, reason="look after it"))
    page.wait_for_selector(f".camera[data-badge={state}]")
    assert page.inner_text(".badge") == state.upper()
    assert page.inner_text(".activity") == headline
    assert page.inner_text(".lasts").startswith("for 1:1")
    assert page.inner_text(".lasts").endswith(": look after it")
    view.report(make_health())
    until(lambda: page.inner_text(".activity") == "Jump rope")


@pytest.mark.browser
def test_an_enlarged_camera_shows_all_probabilities(opened: Callable[..., LiveView], page) -> None:  # type: ignore[no-untyped-def]
    view = opened("hall", "yard")
    page.goto(view.url)
    view.show(step("hall"))
    page.wait_for_selector(".camera[data-badge=live]")
    shown = page.locator(".camera").first.locator(".top .label")
    assert shown.all_inner_texts() == ["Push ups", "Jump rope", "Punch"]
    page.get_by_role("button", name="Enlarge hall").click()
    assert shown.all_inner_texts() == ["Jump rope", "Push ups", "Punch", "Swing"]
    assert page.locator(".camera").first.locator(".top .score").all_inner_texts() == ["6%", "90%", "3%", "1%"]
    page.keyboard.press("Escape")
    assert shown.count() == 3


@pytest.mark.browser
def test_cameras_come_and_go_on_the_page(opened: Callable[..., LiveView], page) -> None:  # type: ignore[no-untyped-def]
    view = opened("hall", "yard")
    page.goto(view.url)
    view.show(step("hall"))
    page.wait_for_selector(".camera[data-badge=live][data-pictured]")
    view.show(change("yard", CameraState.REMOVED))
    view.show(step("attic", grey=200))
    until(lambda: page.locator(".name").all_inner_texts() == ["hall", "attic"])
    until(lambda: page.locator(".camera[data-badge=live][data-pictured]").count() == 2)
    attic = page.locator(".camera").nth(1).locator(".picture")
    assert abs(attic.evaluate("canvas => canvas.getContext('2d').getImageData(5, 5, 1, 1).data[0]") - 200) <= 3


class ReportingControls:
    """Controls of one camera, which report each change to the page as the service does."""

    def __init__(self) -> None:
        self.view: LiveView | None = None

    def cameras(self) -> list[CameraControl]:
        return [CameraControl("hall", threshold=0.8)]

    def switch(self, camera: str, *, on: bool) -> None:
        assert self.view is not None
        self.view.show(step(camera, activity="JumpRope") if on else change(camera, CameraState.DISABLED))

    def set_threshold(self, camera: str, threshold: float | None) -> None:
        raise ControlError("no")

    def reload(self) -> str:
        raise ControlError("no")


@pytest.mark.browser
def test_a_camera_is_switched_off_and_on_from_the_page(page, encoder: CountingEncoder) -> None:  # type: ignore[no-untyped-def]
    switch = ReportingControls()
    view = LiveView(CONTRACT, control=HttpControl(switch, switch.reload))
    switch.view = view
    view.start()
    try:
        page.goto(view.url)
        view.show(step(activity="JumpRope"))
        page.wait_for_selector(".camera[data-badge=live][data-pictured]")
        page.get_by_role("button", name="Switch hall off").click()
        page.wait_for_selector(".camera[data-badge=disabled]:not([data-pictured])")
        assert page.inner_text(".activity") == "Switched off"
        until(lambda: page.locator(".picture").evaluate("canvas => getComputedStyle(canvas).opacity") != "1")
        page.get_by_role("button", name="Switch hall on").click()
        page.wait_for_selector(".camera[data-badge=live][data-pictured]")
        assert page.inner_text(".activity") == "Jump rope"
    finally:
        view.close()


@pytest.mark.browser
def test_without_controls_there_is_no_switch(opened: Callable[..., LiveView], page) -> None:  # type: ignore[no-untyped-def]
    view = opened("hall")
    page.goto(view.url)
    page.wait_for_selector(".camera")
    assert page.locator(".power:visible").count() == 0


@pytest.mark.browser
def test_a_lost_camera_keeps_its_last_picture_greyed(opened: Callable[..., LiveView], page) -> None:  # type: ignore[no-untyped-def]
    view = opened("hall", "garden")
    page.goto(view.url)
    view.show(step("garden", grey=200))
    page.wait_for_selector(".camera[data-badge=live][data-pictured]")
    view.show(change("garden", CameraState.OFFLINE, "no frame for 5 s"))
    page.wait_for_selector(".camera[data-state=offline]")
    lost = page.locator(".camera[data-state=offline]")
    assert lost.locator(".badge").inner_text() == "OFFLINE"
    assert lost.locator(".lasts").inner_text() == "no frame for 5 s"
    canvas = lost.locator(".picture")
    until(lambda: "grayscale(1)" in canvas.evaluate("canvas => getComputedStyle(canvas).filter"))
    red = canvas.evaluate("canvas => canvas.getContext('2d').getImageData(5, 5, 1, 1).data[0]")
    assert abs(red - 200) <= 3


@pytest.mark.browser
def test_hostile_camera_name_is_shown_as_text(opened: Callable[..., LiveView], page) -> None:  # type: ignore[no-untyped-def]
    name = "<img src=x onerror=\"document.title='owned'\">"
    view = opened(name)
    view.show(step(name, activity="PushUps", events=(event(EventType.START, 1, camera=name),)))
    page.goto(view.url)
    page.wait_for_selector(".event")
    assert page.inner_text(".name") == name
    assert name in page.inner_text(".event .where")
    assert page.locator("main img").count() == 0
    assert page.title() == "harstream"


@pytest.mark.browser
def test_page_reconnects_by_itself_and_shows_it(opened: Callable[..., LiveView], page) -> None:  # type: ignore[no-untyped-def]
    view = opened("hall")
    page.goto(view.url)
    page.wait_for_selector("[data-link=open]")
    view.close()
    page.wait_for_selector("[data-link=lost]")
    assert "Connection lost" in page.inner_text("#link")
    assert not page.is_visible(".badge")
    opened("hall", port=view.address[1]).show(step(activity="Punch", confidence=0.9))
    page.wait_for_selector("[data-link=open]")
    until(lambda: page.inner_text(".activity") == "Punch")


@pytest.mark.browser
def test_a_camera_is_enlarged_and_reduced_by_keyboard(opened: Callable[..., LiveView], page) -> None:  # type: ignore[no-untyped-def]
    page.goto(opened("hall", "garden", "gate").url)
    page.wait_for_selector(".camera >> nth=2")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator(".camera:visible .name").all_inner_texts() == ["hall"]
    page.keyboard.press("Escape")
    assert page.locator(".camera:visible").count() == 3


@pytest.mark.browser
def test_a_camera_has_an_address_of_its_own(opened: Callable[..., LiveView], page) -> None:  # type: ignore[no-untyped-def]
    view = opened("hall", "garden", "gate")
    shown = page.locator(".camera:visible .name")
    page.goto(f"{view.url}#garden")
    until(lambda: shown.all_inner_texts() == ["garden"])
    page.get_by_role("button", name="Enlarge garden").click()
    assert (shown.count(), page.url) == (3, view.url)
    page.get_by_role("button", name="Enlarge gate").click()
    assert (shown.all_inner_texts(), page.url) == (["gate"], f"{view.url}#gate")
    page.go_back()
    until(lambda: shown.count() == 3)
    page.goto(f"{view.url}#gate")
    until(lambda: shown.count() == 1)
    page.goto(f"{view.url}#attic")
    until(lambda: shown.count() == 3)


@pytest.mark.browser
def test_a_phone_scrolls_only_vertically(opened: Callable[..., LiveView], page) -> None:  # type: ignore[no-untyped-def]
    page.set_viewport_size({"width": 390, "height": 844})
    view = opened("hall", "garden")
    view.show(step(activity="PushUps", events=(event(EventType.START, 1),)))
    page.goto(view.url)
    page.wait_for_selector(".camera[data-pictured]")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator(".camera >> nth=0").bounding_box()["width"] > 350
