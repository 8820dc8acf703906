"""Snapshots of starts against a real mosquitto: each start has a small one, and unwanted ones are cleared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from harstream.models.transform import BgrPicture
from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.broker.connection import Will
from harstream.mqtt.outbox import Outbox
from harstream.mqtt.publisher import Publisher
from harstream.stream.sinks.snapshots import Snapshots
from harstream.wire.errors import SinkError
from harstream.wire.topics import Topics
from harstream.wire.values import EventType, Frame, Step
from tests.support.values import MakeEvent, MakeNotice
from tests.support.waiting import Eventually

pytestmark = pytest.mark.mosquitto

HALL = "har/nuc1/camera/hall/snapshot"

Begin = Callable[..., Snapshots]
MakeStep = Callable[..., Step]


@pytest.fixture
def publishers() -> list[Publisher]:
    return []


@pytest.fixture
def end(publishers: list[Publisher]) -> Callable[[], None]:
    """`end()` ends the run that started last."""
    return lambda: publishers.pop().close(("har/nuc1/status", b"offline"))


@pytest.fixture
def begin(tmp_path: Path, publishers: list[Publisher], end: Callable[[], None]) -> Iterator[Begin]:
    """`begin(url, "hall", "yard")` starts a run that publishes snapshots of these cameras."""

    def begin(url: str, *cameras: str, must_connect: bool = True) -> Snapshots:
        publisher = Publisher(
            BrokerAddress.parse(url), Outbox(tmp_path / "outbox.db"), will=Will("har/nuc1/status", "off")
        )
        publisher.start(must_connect=must_connect)
        publishers.append(publisher)
        snapshots = Snapshots(publisher, Topics("nuc1"), url, tmp_path / "snapshots")
        snapshots.start()
        snapshots.set_cameras(cameras)
        return snapshots

    yield begin
    while publishers:
        end()


@pytest.fixture
def make_step(make_event: MakeEvent, make_notice: MakeNotice) -> MakeStep:
    def make(*kinds: EventType, grey: int = 90, size: tuple[int, int] = (480, 640), camera: str = "hall") -> Step:
        notice = make_notice(*(make_event(kind, camera=camera) for kind in kinds), camera=camera)
        return Step(notice, Frame(camera, notice.time, BgrPicture(np.full((*size, 3), grey, np.uint8))))

    return make


def retained(subscribe: Any, port: int) -> list[str]:
    return [message.topic for message in subscribe(port).of("/snapshot")]


def picture(message: Any) -> np.ndarray[Any, Any]:
    decoded = cv2.imdecode(np.frombuffer(message.content, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded


def test_the_picture_of_a_start_is_retained_by_the_broker(
    mosquitto: Any, subscribe: Any, begin: Begin, make_step: MakeStep, eventually: Eventually
) -> None:
    early = subscribe(mosquitto.port)
    snapshots = begin(mosquitto.url, "hall")
    for step in (
        make_step(),
        make_step(EventType.START, grey=200),
        make_step(EventType.UPDATE),
        make_step(EventType.END),
    ):
        snapshots.show(step)
    eventually(lambda: early.of(HALL), "the picture")
    assert (early.of(HALL)[0].qos, early.of(HALL)[0].retained) == (0, False)
    snapshots.show(make_step(EventType.END, EventType.START, grey=30))
    eventually(lambda: len(early.of(HALL)) == 2, "the next one")
    assert [round(picture(message).mean()) for message in early.of(HALL)] == [200, 30]
    (late,) = subscribe(mosquitto.port).of(HALL)
    assert (late.retained, round(picture(late).mean())) == (True, 30)
    assert late.content[:3] == b"\xff\xd8\xff"  # the first bytes of a JPEG


@pytest.mark.parametrize(
    ("size", "expected"), [((1080, 1920), (360, 640)), ((1920, 1080), (640, 360)), ((120, 160), (120, 160))]
)
def test_a_picture_is_no_longer_than_640_pixels(
    mosquitto: Any, subscribe: Any, begin: Begin, make_step: MakeStep, eventually: Eventually,
    size: tuple[int, int], expected: tuple[int, int],
) -> None:  # fmt: skip
    subscriber = subscribe(mosquitto.port)
    begin(mosquitto.url, "hall").show(make_step(EventType.START, size=size))
    eventually(lambda: subscriber.of(HALL), "the picture")
    assert picture(subscriber.of(HALL)[0]).shape[:2] == expected


def test_the_picture_of_a_removed_camera_is_cleared_and_no_other_is_published(
    mosquitto: Any, subscribe: Any, begin: Begin, make_step: MakeStep, eventually: Eventually
) -> None:
    snapshots = begin(mosquitto.url, "hall", "yard")
    for camera in ("hall", "yard"):
        snapshots.show(make_step(EventType.START, camera=camera))
    eventually(lambda: len(retained(subscribe, mosquitto.port)) == 2, "both pictures")
    snapshots.show(make_step(EventType.START, grey=30))
    snapshots.set_cameras(["yard"])
    snapshots.show(make_step(EventType.START))
    eventually(lambda: retained(subscribe, mosquitto.port) == [HALL.replace("hall", "yard")], "one to be gone")
    snapshots.show(make_step(EventType.START))
    snapshots.show(make_step(EventType.START, camera="yard", grey=30))
    subscriber = subscribe(mosquitto.port)
    eventually(lambda: round(picture(subscriber.of("yard/snapshot")[-1]).mean()) == 30, "the other's next picture")
    assert subscriber.of(HALL) == []


def test_a_run_without_snapshots_clears_those_of_the_run_before(
    mosquitto: Any, subscribe: Any, begin: Begin, end: Callable[[], None], make_step: MakeStep, eventually: Eventually
) -> None:
    begin(mosquitto.url, "hall").show(make_step(EventType.START))
    end()
    assert retained(subscribe, mosquitto.port) == [HALL]
    mosquitto.stop()
    begin(mosquitto.url, must_connect=False)
    end()  # the run ends before it can clear its pictures
    mosquitto.start()
    assert retained(subscribe, mosquitto.port) == [HALL]
    begin(mosquitto.url)
    eventually(lambda: retained(subscribe, mosquitto.port) == [], "it to be gone")


def test_a_start_during_an_outage_is_published_after_it(
    mosquitto: Any,
    subscribe: Any,
    begin: Begin,
    make_step: MakeStep,
    eventually: Eventually,
    publishers: list[Publisher],
) -> None:
    snapshots = begin(mosquitto.url, "hall")
    eventually(lambda: publishers[0].is_connected, "the connection")
    mosquitto.stop()
    eventually(lambda: not publishers[0].is_connected, "the loss to be noticed")
    for grey in (200, 30):
        snapshots.show(make_step(EventType.START, grey=grey))
    mosquitto.start()
    subscriber = subscribe(mosquitto.port)
    eventually(lambda: subscriber.of(HALL), "the last one", 40)
    assert [round(picture(message).mean()) for message in subscriber.of(HALL)] == [30]


def test_a_picture_without_pixels_gives_a_one_line_error(mosquitto: Any, begin: Begin, make_step: MakeStep) -> None:
    with pytest.raises(SinkError, match="expected a picture of camera hall, got none"):
        begin(mosquitto.url, "hall").show(make_step(EventType.START, size=(0, 0)))
