"""The web server's side of the live view: composes each message once and hands every viewer the newest.

One round at most every 1/15 s; a viewer who takes less often finds the newest of each kind, never a queue:

    frame of a camera   1  2  3  4  5  6  7  8
    encoded                1     3     5     7      once, and only while somebody watches
    a fast viewer          1     3     5     7
    a slow viewer          1                 7
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from harstream.stream.service.protocols import Controls
from harstream.stream.sinks.jpeg import jpeg
from harstream.stream.web.cameras_api import control_routes
from harstream.stream.web.events_api import history_routes
from harstream.stream.web.http_errors import as_json
from harstream.stream.web.same_origin import is_same_host
from harstream.stream.web.view_state import EVENTS_KEPT, CameraView, ViewState, event_facts
from harstream.wire.values import CameraState, Frame

PAGE = Path(__file__).parent / "page"
PERIOD = 1 / 15
"""Seconds between two pictures of a camera; people move slower than a viewer's link and the encoder are worth."""
HEARTBEAT = 4.0
"""Seconds of silence after which viewers are told that the server lives."""
LONGEST = 960
"""Pixels of a picture's longer side; larger ones are scaled down before they are encoded."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
METRICS_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' own."""
Encode = Callable[[Frame], bytes]


class Viewer:
    """One open page: what it has not been sent yet, the newest of each kind only."""

    def __init__(self) -> None:
        self.is_watching = True
        """A page in a background tab asks for no pictures."""
        self.has: dict[int, Frame] = {}
        """Camera index -> the frame that was offered last."""
        self._waiting: dict[str, str | bytes] = {}
        self._wake = asyncio.Event()

    def offer(self, kind: str, message: str | bytes) -> None:
        self._waiting[kind] = message
        events = [waiting for waiting in self._waiting if waiting.startswith("event ")]
        for oldest in events[:-EVENTS_KEPT]:
            del self._waiting[oldest]
        self._wake.set()

    def withdraw(self, kind: str) -> None:
        self._waiting.pop(kind, None)

    def greet(self, hello: str) -> None:
        """What waits is in it already, or is of cameras that are no more."""
        self._waiting.clear()
        self.has.clear()
        self.offer("hello", hello)

    async def next(self) -> str | bytes:
        while not self._waiting:
            self._wake.clear()
            await self._wake.wait()
        return self._waiting.pop(next(iter(self._waiting)))


class Broadcast:
    """From the board to the viewers; lives on the server's event loop."""

    def __init__(
        self, board: ViewState, hello: Mapping[str, object], encode: Encode, has_broker: Callable[[], bool]
    ) -> None:
        self._board = board
        self._hello = hello
        self._encode = encode
        self._has_broker = has_broker
        self._had_broker = has_broker()
        self._viewers: set[Viewer] = set()
        self._changed = asyncio.Event()
        self._told: dict[int, CameraView] = {}
        self._roster: list[int] = []
        self._pictures: dict[int, tuple[Frame, bytes]] = {}

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()

        def wake() -> None:
            loop.call_soon_threadsafe(self._changed.set)

        self._board.listen(wake)
        try:
            while True:
                await self._wait_for_a_change()
                self._offer_words()
                await asyncio.gather(*(self._offer_picture(view) for view in self._board.views()))
                await asyncio.sleep(PERIOD)
        finally:
            self._board.listen(None)

    def join(self) -> Viewer:
        self._greet_if_cameras_changed()
        viewer = Viewer()
        viewer.greet(self._greeting())
        self._viewers.add(viewer)
        self._changed.set()
        return viewer

    def leave(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)

    def watch(self, viewer: Viewer, is_watching: bool) -> None:
        if viewer.is_watching != is_watching:
            viewer.is_watching = is_watching
            viewer.has.clear()
            self._changed.set()

    def _greet_if_cameras_changed(self) -> None:
        roster = [view.index for view in self._board.views()]
        if roster == self._roster:
            return
        self._roster = roster
        self._told = {index: view for index, view in self._told.items() if index in roster}
        self._pictures = {index: picture for index, picture in self._pictures.items() if index in roster}
        greeting = self._greeting()
        for viewer in self._viewers:
            viewer.greet(greeting)

    def _greeting(self) -> str:
        hello = {
            "type": "hello",
            **self._hello,
            "broker": self._had_broker,
            "cameras": [view.facts() for view in self._board.views()],
            "events": [event_facts(event) for event in self._board.events()],
        }
        return json.dumps(hello)

    async def _wait_for_a_change(self) -> None:
        try:
            await asyncio.wait_for(self._changed.wait(), HEARTBEAT)
            self._changed.clear()
        except TimeoutError:
            self._offer_all("tick", json.dumps({"type": "tick"}))

    def _offer_words(self) -> None:
        self._greet_if_cameras_changed()
        if self._had_broker != (has_broker := self._has_broker()):
            self._had_broker = has_broker
            self._offer_all("broker", json.dumps({"type": "broker", "connected": has_broker}))
        for event in self._board.take_fresh_events():
            self._offer_all(f"event {event.id}", json.dumps(event_facts(event)))
        for view in self._board.views():
            if self._told.get(view.index) is not view:
                self._told[view.index] = view
                if view.state is CameraState.DISABLED:
                    self._pictures.pop(view.index, None)
                    for viewer in self._viewers:
                        viewer.withdraw(f"picture {view.index}")
                self._offer_all(f"camera {view.index}", view.to_json())

    async def _offer_picture(self, view: CameraView) -> None:
        if view.frame is None or not any(viewer.is_watching for viewer in self._viewers):
            return
        if view.index not in self._pictures or self._pictures[view.index][0] is not view.frame:
            jpeg = await asyncio.to_thread(self._encode, view.frame)
            self._pictures[view.index] = view.frame, picture_header(view.index, view.frame.time) + jpeg
            if not any(now.index == view.index and now.frame is not None for now in self._board.views()):
                del self._pictures[view.index]  # switched off or removed meanwhile
                return
        frame, message = self._pictures[view.index]
        for viewer in self._viewers:
            if viewer.is_watching and viewer.has.get(view.index) is not frame:
                viewer.has[view.index] = frame
                viewer.offer(f"picture {view.index}", message)

    def _offer_all(self, kind: str, message: str) -> None:
        for viewer in self._viewers:
            viewer.offer(kind, message)


def picture_header(camera: int, time: float) -> bytes:
    """Ten bytes, big-endian: the camera's index, uint16; the frame's time in seconds, float64. The JPEG follows."""
    return struct.pack(">Hd", camera, time)


def encode_jpeg(frame: Frame) -> bytes:
    """Raises cv2.error for a picture without pixels."""
    return jpeg(frame.picture.bgr(), LONGEST)


def create_app(
    board: ViewState,
    hello: Mapping[str, object],
    encode: Encode,
    history: Path | None,
    controls: Controls | None,
    metrics: Callable[[], bytes] | None,
    has_broker: Callable[[], bool],
    hosts: tuple[str, ...] | None,
    ready: Callable[[], None],
) -> Starlette:
    """`hosts`: the Host names that are answered, None for all; `ready` is called when the loop runs."""
    broadcast = Broadcast(board, hello, encode, has_broker)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        publishing = asyncio.create_task(broadcast.run())
        publishing.add_done_callback(lambda task: _carry(task, board))
        ready()
        yield
        publishing.cancel()

    def healthz(_: Request) -> Response:
        """503 while recognition hangs."""
        status, code = ("stuck", 503) if board.is_stuck else ("ok", 200)
        return states(status, code, version=hello["version"])

    def readyz(_: Request) -> Response:
        """503 until a camera sends pictures, and while none does though one should."""
        views = [view for view in board.views() if view.state is not CameraState.DISABLED]
        is_ready = not views or any(view.state is CameraState.LIVE for view in views)
        return states("ready" if is_ready else "not ready", 200 if is_ready else 503)

    def states(status: str, code: int, **more: object) -> Response:
        return JSONResponse({"status": status, **more, "cameras": {v.name: v.state for v in board.views()}}, code)

    def read_metrics(_: Request) -> Response:
        if metrics is None:
            raise HTTPException(404)
        return Response(metrics(), media_type=METRICS_FORMAT)

    async def live(socket: WebSocket) -> None:
        if not is_same_host(socket.headers.get("origin"), socket.headers.get("host")):
            await socket.close(1008)
            return
        await socket.accept()
        viewer = broadcast.join()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_send(socket, viewer))
                tasks.create_task(_listen(socket, viewer, broadcast))
        except* WebSocketDisconnect:
            pass
        finally:
            broadcast.leave(viewer)

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", read_metrics),
            *history_routes(history),
            *control_routes(controls),
            WebSocketRoute("/live", live),
            Mount("/", StaticFiles(directory=PAGE, html=True)),
        ],
        middleware=[
            Middleware(BaseHTTPMiddleware, dispatch=_add_headers),
            *([Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)] if hosts else []),
        ],
        exception_handlers={HTTPException: as_json},
        lifespan=lifespan,
    )


async def _add_headers(request: Request, call_next: RequestResponseEndpoint) -> Response:
    response = await call_next(request)
    response.headers.update(HEADERS)
    return response


async def _send(socket: WebSocket, viewer: Viewer) -> None:
    """`send` waits while the viewer's link is full; what it then sends is the newest."""
    while True:
        message = await viewer.next()
        if isinstance(message, bytes):
            await socket.send_bytes(message)
        else:
            await socket.send_text(message)


async def _listen(socket: WebSocket, viewer: Viewer, broadcast: Broadcast) -> None:
    """The page says two things only; what is neither is nobody's business."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect
        if message.get("text") in ("watch", "rest"):
            broadcast.watch(viewer, is_watching=message["text"] == "watch")


def _carry(task: asyncio.Task[None], board: ViewState) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        board.fail(error)
