"""Sends messages to the open pages. It composes each message once and sends every viewer the newest of each kind.

A round takes place at most every 1/15 s. A slow viewer receives the newest message of each kind instead of a queue:

    frame of a camera   1  2  3  4  5  6  7  8
    encoded                1     3     5     7      once, and only while a page watches
    a fast viewer          1     3     5     7
    a slow viewer          1                 7
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from harstream.stream.sinks.jpeg import jpeg
from harstream.stream.web.view_state import EVENTS_KEPT, CameraView, ViewState, event_facts
from harstream.wire.values import CameraState, Forecast, Frame

PERIOD = 1 / 15
"""Seconds between two pictures of a camera. More pictures would cost CPU and bandwidth without a visible difference."""
HEARTBEAT = 4.0
"""Seconds without a change after which viewers receive a tick."""
LONGER_SIDE = 960
"""The longer side of a picture, in pixels. Larger pictures are scaled down before encoding."""
Encode = Callable[[Frame], bytes]


@dataclass(frozen=True)
class OutputState:
    """What a page says about the outputs."""

    has_broker: bool = True
    """Whether events can be published now."""
    hanging: tuple[str, ...] = ()
    """Names of the sinks that hang."""


class Viewer:
    """One open page, with the newest message of each kind that it has not received yet."""

    def __init__(self, about: Mapping[str, object] | None = None) -> None:
        """`about`: keys of this viewer's hello messages."""
        self._about = about or {}
        self.is_watching = True
        """False for a page in a background tab, which needs no pictures."""
        self.offered: dict[int, Frame] = {}
        """The last offered frame, by camera index."""
        self._waiting: dict[str, str | bytes] = {}
        self._wake = asyncio.Event()

    def offer(self, kind: str, message: str | bytes) -> None:
        """Replace the waiting message of this kind."""
        self._waiting[kind] = message
        events = [waiting for waiting in self._waiting if waiting.startswith("event ")]
        for oldest in events[:-EVENTS_KEPT]:
            del self._waiting[oldest]
        self._wake.set()

    def withdraw(self, kind: str) -> None:
        self._waiting.pop(kind, None)

    def greet(self, hello: Mapping[str, object]) -> None:
        """Replace all waiting messages by `hello`, which contains the current state."""
        self._waiting.clear()
        self.offered.clear()
        self.offer("hello", json.dumps({**hello, **self._about}))

    async def next(self) -> str | bytes:
        """Wait for a message, and remove and return it."""
        while not self._waiting:
            self._wake.clear()
            await self._wake.wait()
        return self._waiting.pop(next(iter(self._waiting)))


class Broadcast:
    """Sends the view state to the viewers. It runs on the server's event loop."""

    def __init__(
        self, view: ViewState, about: Mapping[str, object], encode: Encode, outputs: Callable[[], OutputState]
    ) -> None:
        """`about`: keys of each hello message. `outputs` returns the present state of broker and sinks."""
        self._state = view
        self._about = about
        self._encode = encode
        self._outputs = outputs
        self._sent_outputs = outputs()
        self._sent_home = view.home_forecast()
        self._viewers: set[Viewer] = set()
        self._changed = asyncio.Event()
        self._sent: dict[int, CameraView] = {}
        self._camera_indices: list[int] = []
        self._pictures: dict[int, tuple[Frame, bytes]] = {}

    async def run(self) -> None:
        """Send changes until cancelled."""
        loop = asyncio.get_running_loop()

        def wake() -> None:
            loop.call_soon_threadsafe(self._changed.set)

        self._state.listen(wake)
        try:
            while True:
                await self._wait_for_change()
                self._offer_messages()
                await asyncio.gather(*(self._offer_picture(view) for view in self._state.views()))
                await asyncio.sleep(PERIOD)
        finally:
            self._state.listen(None)

    def join(self, about: Mapping[str, object] | None = None) -> Viewer:
        """Add a viewer. `about`: keys of its hello messages."""
        self._greet_if_cameras_changed()
        viewer = Viewer(about)
        viewer.greet(self._hello())
        self._viewers.add(viewer)
        self._record_watching()
        self._changed.set()
        return viewer

    @property
    def viewers(self) -> int:
        """The number of open pages."""
        return len(self._viewers)

    def leave(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)
        self._record_watching()

    def watch(self, viewer: Viewer, is_watching: bool) -> None:
        """Start or stop sending pictures to this viewer."""
        if viewer.is_watching != is_watching:
            viewer.is_watching = is_watching
            viewer.offered.clear()
            self._record_watching()
            self._changed.set()

    def _record_watching(self) -> None:
        self._state.set_watched(any(viewer.is_watching for viewer in self._viewers))

    def _greet_if_cameras_changed(self) -> None:
        roster = [view.index for view in self._state.views()]
        if roster == self._camera_indices:
            return
        self._camera_indices = roster
        self._sent = {index: view for index, view in self._sent.items() if index in roster}
        self._pictures = {index: picture for index, picture in self._pictures.items() if index in roster}
        hello = self._hello()
        for viewer in self._viewers:
            viewer.greet(hello)

    def _hello(self) -> dict[str, object]:
        return {
            "type": "hello",
            **self._about,
            "broker": self._sent_outputs.has_broker,
            "hanging": self._sent_outputs.hanging,
            "home": _forecast_facts(self._sent_home),
            "cameras": [view.facts() for view in self._state.views()],
            "events": [event_facts(event) for event in self._state.events()],
        }

    async def _wait_for_change(self) -> None:
        try:
            await asyncio.wait_for(self._changed.wait(), HEARTBEAT)
            self._changed.clear()
        except TimeoutError:
            self._offer_to_all("tick", json.dumps({"type": "tick"}))

    def _offer_messages(self) -> None:
        self._greet_if_cameras_changed()
        if self._sent_outputs != (outputs := self._outputs()):
            self._sent_outputs = outputs
            message = {"type": "outputs", "broker": outputs.has_broker, "hanging": outputs.hanging}
            self._offer_to_all("outputs", json.dumps(message))
        if self._sent_home != (home := self._state.home_forecast()):
            self._sent_home = home
            self._offer_to_all("home", json.dumps({"type": "home", "forecast": _forecast_facts(home)}))
        for event in self._state.take_new_events():
            self._offer_to_all(f"event {event.id}", json.dumps(event_facts(event)))
        for view in self._state.views():
            if self._sent.get(view.index) is not view:
                self._sent[view.index] = view
                self._offer_camera(view)

    def _offer_camera(self, view: CameraView) -> None:
        if view.state is CameraState.DISABLED:
            self._pictures.pop(view.index, None)
            for viewer in self._viewers:
                viewer.withdraw(f"picture {view.index}")
        self._offer_to_all(f"camera {view.index}", view.to_json())

    async def _offer_picture(self, view: CameraView) -> None:
        if view.frame is None or not any(viewer.is_watching for viewer in self._viewers):
            return
        if view.index not in self._pictures or self._pictures[view.index][0] is not view.frame:
            encoded = await asyncio.to_thread(self._encode, view.frame)
            self._pictures[view.index] = view.frame, picture_header(view.index, view.frame.time) + encoded
            if not any(now.index == view.index and now.frame is not None for now in self._state.views()):
                del self._pictures[view.index]  # the camera was disabled or removed during encoding
                return
        frame, message = self._pictures[view.index]
        for viewer in self._viewers:
            if viewer.is_watching and viewer.offered.get(view.index) is not frame:
                viewer.offered[view.index] = frame
                viewer.offer(f"picture {view.index}", message)

    def _offer_to_all(self, kind: str, message: str) -> None:
        for viewer in self._viewers:
            viewer.offer(kind, message)


def _forecast_facts(forecast: Forecast | None) -> dict[str, object] | None:
    return None if forecast is None else asdict(forecast)


def picture_header(camera: int, time: float) -> bytes:
    """Return the ten bytes in front of a JPEG, big-endian: camera index as uint16, time in seconds as float64."""
    return struct.pack(">Hd", camera, time)


def encode_jpeg(frame: Frame) -> bytes:
    """Return the frame as JPEG. Raises cv2.error for a picture without pixels."""
    return jpeg(frame.picture.bgr(), LONGER_SIDE)
