"""The WebSocket `/live` of an open page. It sends changes, and receives whether the page needs pictures."""

from __future__ import annotations

import asyncio

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from harstream.stream.web.same_origin import is_same_host
from harstream.stream.web.viewers import Broadcast, Viewer

POLICY_VIOLATION = 1008
"""Source: RFC 6455, section 7.4.1."""


def live_route(broadcast: Broadcast) -> WebSocketRoute:
    async def live(socket: WebSocket) -> None:
        if not is_same_host(socket.headers.get("origin"), socket.headers.get("host")):
            await socket.close(POLICY_VIOLATION)
            return
        await socket.accept()
        viewer = broadcast.join()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_send(socket, viewer))
                tasks.create_task(_receive(socket, viewer, broadcast))
        except* WebSocketDisconnect:
            pass
        finally:
            broadcast.leave(viewer)

    return WebSocketRoute("/live", live)


async def _send(socket: WebSocket, viewer: Viewer) -> None:
    """Send the viewer's messages. While its link is full, newer messages replace waiting ones."""
    while True:
        message = await viewer.next()
        if isinstance(message, bytes):
            await socket.send_bytes(message)
        else:
            await socket.send_text(message)


async def _receive(socket: WebSocket, viewer: Viewer, broadcast: Broadcast) -> None:
    """Process the messages `watch` and `rest`, and ignore all others."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect
        if message.get("text") in ("watch", "rest"):
            broadcast.watch(viewer, is_watching=message["text"] == "watch")
