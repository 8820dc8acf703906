"""The history is served over HTTP and on the page. Server, file, client and Chromium are real."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from harstream.models.contract import ModelContract
from harstream.stream.history.sink import HistorySink
from harstream.wire.context import Context
from harstream.wire.values import EventType
from tests.support.live_view import LiveView
from tests.support.values import MakeEvent, MakeNotice
from tests.support.waiting import Eventually

CONTRACT = ModelContract(name="lrcn", version="1.2.3", labels=("Idle", "JumpingJack"))
NOON = 1_700_000_000.0

Ask = Callable[..., httpx.Response]


@pytest.fixture
def sink(tmp_path: Path, context: Context) -> Iterator[HistorySink]:
    sink = HistorySink(tmp_path / "history.sqlite", context, days=36_500)
    sink.start()
    yield sink
    sink.close()


@pytest.fixture
def serve(tmp_path: Path, sink: HistorySink) -> Iterator[Callable[..., str]]:
    """`serve()` starts the live view with the events that the sink has kept so far, and returns its URL."""
    views: list[LiveView] = []

    def start(history: Path | None = tmp_path / "history.sqlite", labels: tuple[str, ...] = CONTRACT.labels) -> str:
        contract = replace(CONTRACT, labels=labels)
        view = LiveView(contract, history=history)
        view.start()
        views.append(view)
        return view.url

    yield start
    for view in views:
        view.close()


@pytest.fixture
def keep(sink: HistorySink, make_event: MakeEvent, make_notice: MakeNotice) -> Callable[..., None]:
    """`keep("A", camera="hall")` writes an ended activity of that id to the history."""

    def put(name: str, kind: EventType = EventType.END, **changes: Any) -> None:
        sink.handle(make_notice(make_event(kind, id=name, **changes)))

    return put


@pytest.fixture
def ask(serve: Callable[..., str]) -> Ask:
    url = serve()
    return lambda **query: httpx.get(f"{url}api/events", params=query)


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [event["id"] for event in answer.json()]


def test_events_come_newest_first_with_the_keys_of_the_wire(ask: Ask, keep: Callable[..., None]) -> None:
    keep("A")
    keep("B", EventType.START, started_at=NOON + 60, updated_at=NOON + 61)
    newest, oldest = ask().json()
    assert (newest["id"], newest["event_type"], newest["ended_at"]) == ("B", "start", None)
    assert (oldest["id"], oldest["ended_at"], oldest["area"]) == ("A", "2023-11-14T22:13:29.520Z", "Hallway")
    assert oldest["confidence"] == {"mean": 0.8123, "peak": 0.93, "last": 0.37}


def test_events_are_queried_by_camera_activity_time_and_number(ask: Ask, keep: Callable[..., None]) -> None:
    keep("A", started_at=NOON)
    keep("B", started_at=NOON + 60, camera="yard")
    keep("C", started_at=NOON + 120, activity="Lunges")
    assert ids(ask()) == ["C", "B", "A"]
    assert ids(ask(limit=2)) == ["C", "B"]
    assert ids(ask(camera="yard")) == ["B"]
    assert ids(ask(activity="Lunges")) == ["C"]
    assert ids(ask(since="2023-11-14T22:14:20Z")) == ["C", "B"]
    assert ids(ask(until="2023-11-14T22:14:20Z")) == ["A"]
    assert ids(ask(since="1h")) == []
    assert ids(ask(camera="' OR 1=1 --")) == []


@pytest.mark.parametrize(
    ("query", "parts"),
    [
        ({"limit": 0}, ["limit: ", "greater than or equal to 1"]),
        ({"limit": "many"}, ["limit: ", "valid integer"]),
        ({"limit": 10_001}, ["limit: ", "less than or equal to 10000"]),
        ({"since": "tomorrow"}, ["since: expected 2h", "2026-11-20 14:00", "2026-11-20T13:00:00Z", "got 'tomorrow'"]),
        ({"cam": "hall"}, ["camera, activity, since, until, limit", "got 'cam'"]),
    ],
)  # fmt: skip
def test_invalid_query_is_refused_in_one_sentence(ask: Ask, query: dict[str, object], parts: list[str]) -> None:
    answer = ask(**query)
    assert (answer.status_code, list(answer.json())) == (422, ["detail"])
    assert all(part in answer.json()["detail"] for part in parts), answer.text


def test_events_are_guarded_like_the_page(serve: Callable[..., str]) -> None:
    url = f"{serve()}api/events"
    assert httpx.get(url, headers={"Host": "evil.example"}).status_code == 400
    answer = httpx.get(url)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers
    assert httpx.post(url).status_code == 405


def test_the_answer_without_a_history_says_why(serve: Callable[..., str]) -> None:
    answer = httpx.get(f"{serve(None)}api/events")
    assert (answer.status_code, answer.json()) == (
        404,
        {"detail": "no history is kept: history.enabled is false in config.yaml"},
    )


def test_a_missing_history_is_reported_in_one_sentence(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "history.sqlite").rename(tmp_path / "elsewhere")
    answer = ask()
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("there is no history in ")


@pytest.mark.browser
def test_the_page_begins_with_the_events_of_earlier_runs(
    serve: Callable[..., str], keep: Callable[..., None], chromium: Any
) -> None:
    today = NOON + 2 * 86_400  # 22:13:20 UTC
    keep("old", started_at=NOON, camera="attic")
    keep("left open", EventType.START, activity="Lunges", started_at=today - 5, updated_at=today - 2)
    context = chromium.new_context(timezone_id="UTC", locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.clock.set_fixed_time(today)
    page.goto(serve())
    page.wait_for_selector(".event >> nth=1")
    assert page.locator(".event .what").all_inner_texts() == ["Lunges", "Jumping jack"]
    assert page.locator(".event.ongoing").count() == 0
    assert page.locator(".event .where").all_inner_texts() == [
        "hall · 22:13:15 – 22:13:18",
        "attic · 14 Nov, 22:13:20 – 22:13:29",
    ]
    assert page.inner_text("#count") == "2 activities"
    context.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(timezone_id="UTC", locale="en-GB", viewport={"width": 1200, "height": 800})
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.clock.set_fixed_time(NOON)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


@pytest.mark.browser
def test_the_timeline_shows_the_last_hours_of_each_camera(
    serve: Callable[..., str], keep: Callable[..., None], page: Any
) -> None:
    hour, minute = 3600.0, 60.0
    keep("A", started_at=NOON - 45 * minute, updated_at=NOON - 30 * minute, ended_at=NOON - 30 * minute)
    keep("B", started_at=NOON - 5 * hour, updated_at=NOON - 4 * hour, ended_at=NOON - 4 * hour)
    keep("C", camera="gone", started_at=NOON - minute, updated_at=NOON, ended_at=NOON)
    page.goto(serve())
    bars = page.locator(".track .bar-of:visible")
    bars.first.wait_for()
    assert bars.count() == 1
    track, bar = page.locator(".track").bounding_box(), bars.bounding_box()
    assert bar["x"] - track["x"] == pytest.approx(track["width"] / 4, abs=2)
    assert bar["width"] == pytest.approx(track["width"] / 4, abs=2)
    assert bars.get_attribute("title") == "Jumping jack\n21:28:20 – 21:43:20, 15:00"
    assert page.locator(".rows li").get_attribute("aria-label") == "hall: 1 activity"
    assert page.locator(".axis span").all_inner_texts() == ["21:20", "21:30", "21:40", "21:50", "22:00", "22:10"]
    page.select_option("#range", "21600")
    assert bars.count() == 2
    assert page.locator(".rows li").get_attribute("aria-label") == "hall: 2 activities"


@pytest.mark.browser
def test_the_list_shows_all_matching_events_of_the_history(
    serve: Callable[..., str], keep: Callable[..., None], page: Any, eventually: Eventually
) -> None:
    for number in range(250):
        keep(
            f"new{number:03}",
            started_at=NOON - 900 + number,
            updated_at=NOON - 890 + number,
            ended_at=NOON - 890 + number,
        )
    keep("old", camera="hall", activity="Lunges", started_at=NOON - 5000, updated_at=NOON - 4990, ended_at=NOON - 4990)
    keep("else", camera="attic", activity="Lunges", started_at=NOON - 4000)
    page.goto(serve(labels=("Idle", "JumpingJack", "Lunges")))
    page.wait_for_selector(".event")
    assert page.inner_text("#count") == "200 activities"
    page.select_option("#of-activity", "Lunges")
    eventually(lambda: page.locator(".event").count() == 2, "what was looked for")
    page.select_option("#of-camera", "hall")
    eventually(lambda: page.locator(".event").count() == 1, "what was looked for")
    assert page.inner_text(".event .what") == "Lunges"
    assert page.inner_text("#count") == "1 activity"
    page.select_option("#of-activity", "JumpingJack")
    eventually(lambda: page.locator(".event").count() == 200, "what was looked for")
    page.select_option("#of-camera", "")
    page.select_option("#of-activity", "")
    eventually(lambda: page.locator(".event").count() == 200, "what was looked for")
    newest = page.locator(".event .where").first.inner_text()
    assert newest == "hall · 22:02:29 – 22:02:39"


@pytest.mark.browser
def test_a_late_answer_does_not_replace_that_of_a_newer_query(
    serve: Callable[..., str], keep: Callable[..., None], page: Any, eventually: Eventually
) -> None:
    keep("old", camera="attic", started_at=NOON - 5000, updated_at=NOON - 4990, ended_at=NOON - 4990)
    keep("new", camera="hall")
    held: list[Any] = []
    page.route(re.compile("camera=hall"), lambda route: held.append(route))
    url = serve()
    page.goto(url)
    page.wait_for_selector(".event")
    page.select_option("#of-camera", "hall")
    eventually(lambda: page.locator(".event").count() == 1 and held, "the first search")
    page.select_option("#of-camera", "")
    eventually(lambda: page.locator(".event").count() == 2, "everything")
    (stale,) = httpx.get(f"{url}api/events", params={"camera": "hall"}).json()
    with page.expect_response(re.compile("camera=hall")):
        held[0].fulfill(json=[stale | {"id": "stale"}])
    page.evaluate("() => new Promise((done) => setTimeout(done, 100))")
    assert page.locator(".event").count() == 2
