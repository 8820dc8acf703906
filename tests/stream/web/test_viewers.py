"""Viewers receive the newest message of each kind, without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

from harstream.models.transform import BgrPicture
from harstream.stream.web.view_state import EVENTS_KEPT, ViewState
from harstream.stream.web.viewers import Broadcast, OutputState, Viewer, picture_header
from harstream.wire.values import CameraState, EventType, Frame, Step
from tests.support.values import MakeEvent, MakeNotice


def picture(camera: str = "hall", time: float = 1.0) -> Frame:
    return Frame(camera, time, BgrPicture(np.full((6, 8, 3), 128, np.uint8)))


def encode(frame: Frame) -> bytes:
    return f"{frame.camera} at {frame.time:g}".encode()


def broadcast(view: ViewState, outputs: Callable[[], OutputState] = OutputState) -> Broadcast:
    return Broadcast(view, {"version": "0.1.0"}, encode, outputs)


async def running(broadcast: Broadcast, watch: Awaitable[None]) -> None:
    """Runs the broadcast until `watch` is done."""
    sending = asyncio.create_task(broadcast.run())
    try:
        await asyncio.wait_for(watch, 10)
    finally:
        sending.cancel()


async def message(viewer: Viewer) -> dict[str, Any]:
    """Returns the next message. A picture becomes {"type": "picture", "bytes": all of it}."""
    found = await asyncio.wait_for(viewer.next(), 5)
    return {"type": "picture", "bytes": found} if isinstance(found, bytes) else json.loads(found)


async def of_type(viewer: Viewer, kind: str) -> dict[str, Any]:
    while True:
        found = await message(viewer)
        if found["type"] == kind:
            return found


def waiting(viewer: Viewer) -> list[str | bytes]:
    """Removes and returns every message that waits."""

    async def take() -> list[str | bytes]:
        viewer.offer("last", "last")
        found: list[str | bytes] = []
        while (taken := await viewer.next()) != "last":
            found.append(taken)
        return found

    return asyncio.run(take())


def test_a_message_replaces_the_waiting_one_of_its_kind() -> None:
    viewer = Viewer()
    for kind, text in (("camera 0", "a"), ("camera 1", "b"), ("camera 0", "c")):
        viewer.offer(kind, text)
    assert waiting(viewer) == ["c", "b"]
    assert waiting(viewer) == []


def test_a_withdrawn_message_is_not_sent() -> None:
    viewer = Viewer()
    viewer.offer("picture 0", b"jpeg")
    viewer.withdraw("picture 0")
    viewer.withdraw("picture 1")
    assert waiting(viewer) == []


def test_a_greeting_replaces_all_waiting_messages_and_all_pictures_are_offered_again() -> None:
    viewer = Viewer()
    viewer.offer("camera 0", "old")
    viewer.offered[0] = picture()
    viewer.greet({"type": "hello"})
    assert viewer.offered == {}
    assert waiting(viewer) == ['{"type": "hello"}']


def test_a_viewer_that_reads_nothing_keeps_only_the_last_events() -> None:
    viewer = Viewer()
    viewer.offer("camera 0", "state")
    for number in range(EVENTS_KEPT + 5):
        viewer.offer(f"event {number}", str(number))
    assert waiting(viewer) == ["state", *(str(number) for number in range(5, EVENTS_KEPT + 5))]


def test_a_viewer_waits_until_a_message_comes() -> None:
    async def run() -> str | bytes:
        viewer = Viewer()
        reading = asyncio.create_task(viewer.next())
        await asyncio.sleep(0)
        assert not reading.done()
        viewer.offer("tick", "now")
        return await asyncio.wait_for(reading, 5)

    assert asyncio.run(run()) == "now"


def test_the_header_of_a_picture_is_ten_bytes_big_endian() -> None:
    """A float64 of 1.5 is 3FF8 and zeros. Source: IEEE 754."""
    assert picture_header(258, 1.5) == bytes.fromhex("0102 3ff8 0000 0000 0000")


def test_a_new_viewer_is_greeted_with_cameras_events_and_facts(make_notice: MakeNotice, make_event: MakeEvent) -> None:
    view = ViewState(["hall", "yard"])
    view.show(Step(make_notice(make_event()), None))
    outputs = OutputState(has_broker=False, hanging=("recorder",))
    (hello,) = (json.loads(text) for text in waiting(broadcast(view, lambda: outputs).join()))
    assert (hello["type"], hello["version"], hello["broker"]) == ("hello", "0.1.0", False)
    assert hello["hanging"] == ["recorder"]
    assert [camera["name"] for camera in hello["cameras"]] == ["hall", "yard"]
    assert [event["id"] for event in hello["events"]] == ["01JD"]


def test_a_step_is_sent_as_state_event_and_picture(make_notice: MakeNotice, make_event: MakeEvent) -> None:
    view = ViewState(["hall"])
    sender = broadcast(view)

    async def watch() -> None:
        viewer = sender.join()
        await of_type(viewer, "hello")
        view.show(Step(make_notice(make_event(EventType.START), activity="Lunges"), picture(time=2.0)))
        kinds: dict[str, dict[str, Any]] = {}
        while set(kinds) != {"camera", "event", "picture"}:  # the newest of each
            found = await message(viewer)
            kinds[found["type"]] = found
        assert (kinds["camera"]["activity"], kinds["event"]["event"]) == ("Lunges", "start")
        assert kinds["picture"]["bytes"] == picture_header(0, 2.0) + b"hall at 2"

    asyncio.run(running(sender, watch()))


def test_an_unchanged_camera_is_not_sent_again(make_notice: MakeNotice) -> None:
    view = ViewState(["hall", "yard"])
    sender = broadcast(view)

    async def watch() -> None:
        viewer = sender.join()
        await of_type(viewer, "hello")
        names: list[str] = []
        for time in (1.0, 2.0, 3.0):
            view.show(Step(make_notice(camera="yard", time=time), None))
            found: dict[str, Any] = {}
            while found.get("time") != time:
                found = await of_type(viewer, "camera")
                names.append(found["name"])
        assert names.count("hall") == 1  # in the first round

    asyncio.run(running(sender, watch()))


def test_the_broker_is_reported_when_it_comes_and_goes(make_notice: MakeNotice) -> None:
    view, connected = ViewState(["hall"]), [True]
    sender = broadcast(view, lambda: OutputState(connected[0]))

    async def watch() -> None:
        viewer = sender.join()
        for is_connected in (False, True):
            connected[0] = is_connected
            view.show(Step(make_notice(), None))
            assert (await of_type(viewer, "outputs"))["broker"] is is_connected

    asyncio.run(running(sender, watch()))


def test_a_viewer_that_left_receives_nothing(make_notice: MakeNotice) -> None:
    view = ViewState(["hall"])
    sender = broadcast(view)
    gone: list[Viewer] = []

    async def watch() -> None:
        gone.append(sender.join())
        sender.leave(gone[0])
        sender.leave(gone[0])
        viewer = sender.join()
        view.show(Step(make_notice(time=3.0), picture()))
        await of_type(viewer, "picture")

    asyncio.run(running(sender, watch()))
    assert [json.loads(text)["type"] for text in waiting(gone[0])] == ["hello"]


def test_a_resting_viewer_gets_no_picture_until_it_watches_again(make_notice: MakeNotice) -> None:
    view = ViewState(["hall"])
    sender = broadcast(view)

    async def watch() -> None:
        resting, watching = sender.join(), sender.join()
        sender.watch(resting, is_watching=False)
        view.show(Step(make_notice(), picture(time=4.0)))
        await of_type(watching, "picture")
        assert resting.offered == {}
        sender.watch(resting, is_watching=True)
        assert (await of_type(resting, "picture"))["bytes"].endswith(b"hall at 4")

    asyncio.run(running(sender, watch()))


def test_the_waiting_picture_of_a_disabled_camera_is_withdrawn(make_notice: MakeNotice) -> None:
    view = ViewState(["hall", "yard"])
    sender = broadcast(view)
    slow: list[Viewer] = []

    async def watch() -> None:
        slow.append(sender.join())
        fast = sender.join()
        view.show(Step(make_notice(), picture()))
        await of_type(fast, "picture")
        view.show(Step(make_notice(state=CameraState.DISABLED), None))
        while (await of_type(fast, "camera"))["state"] != "disabled":
            pass

    asyncio.run(running(sender, watch()))
    assert not any(isinstance(found, bytes) for found in waiting(slow[0]))


def test_a_picture_is_dropped_if_its_camera_is_disabled_during_encoding(make_notice: MakeNotice) -> None:
    view = ViewState(["hall", "yard"])

    def slow_encoder(frame: Frame) -> bytes:
        if frame.camera == "hall":
            view.show(Step(make_notice(state=CameraState.DISABLED), None))
        return encode(frame)

    sender = Broadcast(view, {}, slow_encoder, OutputState)

    async def watch() -> None:
        viewer = sender.join()
        view.show(Step(make_notice(), picture()))
        while (found := await message(viewer)).get("state") != "disabled":
            assert found["type"] != "picture"
        view.show(Step(make_notice(camera="yard"), picture("yard")))
        assert (await of_type(viewer, "picture"))["bytes"].endswith(b"yard at 1")

    asyncio.run(running(sender, watch()))


def test_every_viewer_is_greeted_again_when_a_camera_is_added(make_notice: MakeNotice) -> None:
    view = ViewState(["hall"])
    sender = broadcast(view)

    async def watch() -> None:
        viewer = sender.join()
        await of_type(viewer, "hello")
        view.show(Step(make_notice(camera="attic"), None))
        hello = await of_type(viewer, "hello")
        assert [camera["name"] for camera in hello["cameras"]] == ["hall", "attic"]

    asyncio.run(running(sender, watch()))


def test_the_state_has_no_listener_after_the_broadcast_ends(make_notice: MakeNotice) -> None:
    """A listener of a closed event loop would raise RuntimeError on the recognition thread."""
    view = ViewState(["hall"])
    sender = broadcast(view)

    async def watch() -> None:
        await of_type(sender.join(), "camera")

    asyncio.run(running(sender, watch()))
    view.show(Step(make_notice(), None))
