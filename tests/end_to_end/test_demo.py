"""The shipped model recognizes the activities of the demo's scene, whose script is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import pytest

from harstream.models.catalogue import shipped
from harstream.scene.film import frames
from harstream.scene.script import Segment, script
from tests.support.waiting import Eventually

SEED, LENGTH = 8, 75.0
LONG = 8.0
"""An activity counts if it lasts this many seconds. The end of the film cuts off a shorter one."""


@dataclass(frozen=True)
class Seen:
    activity: str
    start: float
    end: float

    def share_in(self, segment: Segment) -> float:
        """Returns the share of the segment that it covers, or 0 for another activity."""
        overlap = min(self.end, segment.end) - max(self.start, segment.start)
        return max(0.0, overlap) / (segment.end - segment.start) if self.activity == segment.activity else 0.0


def seen_in(events: list[dict[str, Any]], began: float) -> list[Seen]:
    """Returns the recognized activities in seconds since the scene began. Every start must have exactly one end."""
    starts = [event["id"] for event in events if event["event_type"] == "start"]
    ends = [event for event in events if event["event_type"] == "end"]
    assert sorted(starts) == sorted(event["id"] for event in ends)
    times = [[datetime.fromisoformat(event[key]).timestamp() - began for key in ("started_at", "ended_at")]
             for event in ends]  # fmt: skip
    return [Seen(event["activity"], *span) for event, span in zip(ends, times, strict=True)]


def wrong(seen: list[Seen], segments: list[Segment]) -> list[Seen]:
    """Returns the recognized activities that the scene does not show for most of their time."""

    def drawn(one: Seen) -> float:
        return sum(one.share_in(segment) * (segment.end - segment.start) for segment in segments)

    return [one for one in seen if drawn(one) < 0.5 * (one.end - one.start)]


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("footage") / "scene.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25, (320, 240))
    for _, picture in frames(script(SEED, LENGTH), SEED):
        writer.write(picture)
    writer.release()
    return path


@pytest.mark.parametrize("model", ["flow_tcn", "lrcn", "convlstm"])
def test_each_drawn_activity_is_recognized_once_and_nothing_else(
    harstream: Callable[..., Any], footage: Path, tmp_path: Path, model: str
) -> None:
    if model not in shipped():
        pytest.skip(f"no {model} is shipped")
    assert harstream("predict", footage, "--model", model, "--events", "events.jsonl")[0] == 0
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    seen, segments = seen_in(events, began=0.0), list(script(SEED, LENGTH))
    long = [segment for segment in segments if segment.activity and segment.end - segment.start >= LONG]
    assert [segment.activity for segment in long] == ["PullUps", "Punch", "PushUps", "JumpingJack"]
    assert wrong(seen, segments) == []
    for segment in long:
        found = [one for one in seen if one.share_in(segment) > 0]
        assert [one.activity for one in found] == [segment.activity], f"{segment}: {seen}"
        assert found[0].share_in(segment) > 0.5, f"{segment}: {seen}"


@dataclass(frozen=True)
class Demo:
    """The output of 25 s of the demo in real time."""

    code: int
    complaints: list[str]
    received: list[Any]
    picture_sizes: list[list[int]]
    badge: str
    row: str
    """The text of the page's list of events. It is empty if there is no event."""

    def of(self, ending: str) -> list[Any]:
        return [one for one in self.received if one.topic.endswith(ending)]

    def events(self) -> list[dict[str, Any]]:
        return [one.json for one in self.of("/event")]


@pytest.fixture(scope="module")
def demo(
    tmp_path_factory: pytest.TempPathFactory, module_mosquitto: Any, module_subscribe: Callable[[int], Any],
    chromium: Any, run_in: Callable[..., Any], new_port: Callable[[], int], eventually: Eventually,
) -> Demo:  # fmt: skip
    port, subscriber = new_port(), module_subscribe(module_mosquitto.port)
    folder = tmp_path_factory.mktemp("demo")
    options = ("--broker", module_mosquitto.url, "--port", str(port))
    running = run_in(folder, "run", "--source", f"scene?seed={SEED}&seconds=25", *options)
    page = chromium.new_page(viewport={"width": 1000, "height": 700})
    try:
        eventually(lambda: any("live view" in line for line in running.stdout), "the live view's address", 40)
        page.goto(f"http://127.0.0.1:{port}")
        page.wait_for_selector(".camera[data-badge=live][data-pictured]", timeout=20_000)
        sizes = page.eval_on_selector_all(".picture", "all => all.map(one => [one.width, one.height])")
        badge = page.inner_text(".badge")
        eventually(lambda: running.is_over() or page.locator(".event").count(), "an event on the page, or the end", 40)
        row = page.inner_text(".event .what") if page.locator(".event").count() else ""
        code = running.wait(40)
    finally:
        page.close()
        running.end()
    eventually(lambda: [one.payload for one in subscriber.of("/status")][-1:] == ["offline"], "the farewell")
    return Demo(code, running.complaints, list(subscriber.received), sizes, badge, row)


@pytest.mark.mosquitto
@pytest.mark.browser
class TestDemo:
    def test_the_run_ends_with_the_scene(self, demo: Demo) -> None:
        assert (demo.code, demo.complaints) == (0, [])

    def test_the_node_describes_itself_retained(self, demo: Demo) -> None:
        assert [one.payload for one in demo.of("home/status")] == ["online", "offline"]
        (info,), (labels,) = demo.of("home/info"), demo.of("home/labels")
        assert info.json["schema"] == "harstream.info/1"
        assert len(info.json["model"]["sha256"]) == 64
        assert info.json["labels_sha"] == labels.json["labels_sha"]
        assert set(labels.json["background"]) < set(labels.json["labels"])
        assert [one.qos for one in (info, labels)] == [1, 1]

    def test_the_camera_goes_online_and_offline(self, demo: Demo) -> None:
        assert [one.payload for one in demo.of("camera/scene/availability")] == ["online", "offline"]
        activities = [one.json["activity"] for one in demo.of("camera/scene/activity")]
        assert activities[0] == activities[-1] == "unknown"

    def test_each_recognition_is_an_observation(self, demo: Demo) -> None:
        observations = [one.json for one in demo.of("camera/scene/observation")]
        *valid, last = observations
        # The demo lasts 25 s at 8 Hz. The first window takes 2.4 s, and a busy machine may lose some.
        assert 155 <= len(valid) <= 185
        (labels,) = demo.of("home/labels")
        assert all(len(one["p"]) == len(labels.json["labels"]) and abs(sum(one["p"]) - 1) < 0.01 for one in valid)
        assert [one["seq"] for one in observations] == list(range(1, len(observations) + 1))
        assert (last["valid"], last["p"], last["reason"]) == (False, None, "camera_offline")

    def test_the_page_shows_the_cameras_picture(self, demo: Demo) -> None:
        assert demo.picture_sizes == [[320, 240]]
        assert demo.badge == "LIVE"

    def test_pull_ups_start_and_end_when_they_are_drawn(self, demo: Demo) -> None:
        events = demo.events()
        assert {event["schema"] for event in events} == {"harstream.event/1"}
        (began, *_) = (one.json["t"] for one in demo.of("camera/scene/observation"))
        (info,) = demo.of("home/info")
        # The first observation follows the first full window.
        seen = seen_in(events, datetime.fromisoformat(began).timestamp() - info.json["window"]["span_s"])
        segments = list(script(SEED, 25.0))
        assert wrong(seen, segments) == []
        (pull_ups,) = (segment for segment in segments if segment.activity == "PullUps")
        found = [one for one in seen if one.activity == "PullUps"]
        assert len(found) == 1
        assert found[0].share_in(pull_ups) > 0.5

    def test_events_are_numbered_without_a_gap(self, demo: Demo) -> None:
        events = demo.events()
        assert events
        for name in {event["id"] for event in events}:
            own = [event for event in events if event["id"] == name]
            assert [event["seq"] for event in own] == list(range(1, len(own) + 1))
            assert [event["event_type"] for event in (own[0], own[-1])] == ["start", "end"]
            assert all(event["latency_ms"]["frame_to_publish"] < 5000 for event in own if "ended_at" not in event)

    def test_the_page_lists_the_event(self, demo: Demo) -> None:
        assert demo.row == "Pull ups"
