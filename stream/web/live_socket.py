"""The WebSocket `/live` of an open page. It sends changes, and receives whether the page needs pictures."""

from __future__ import annotations

import asyncio

from starlette.authentication import has_required_scope
from starlette.responses import JSONResponse
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from harstream.stream.web.access.visitors import Visitors
from harstream.stream.web.viewers import Broadcast, Viewer

POLICY_VIOLATION = 1008
"""Source: RFC 6455, section 7.4.1."""


SESSION_CHECKS = 1.0
"""Seconds between two checks of a viewer's session."""


def live_route(broadcast: Broadcast, visitors: Visitors, *, may_control: bool, most: int) -> WebSocketRoute:
    """Return the route. `may_control`: whether operators may change settings. `most`: the number of viewers at once."""

    async def live(socket: WebSocket) -> None:
        if broadcast.viewers >= most:
            detail = f"{most} pages are open, the most that this machine allows: close one of them"
            await socket.send_denial_response(JSONResponse({"detail": detail}, 503))
            return
        await socket.accept()
        viewer = broadcast.join(
            {
                "control": may_control and has_required_scope(socket, ["operator"]),
                "user": socket.user.display_name if socket.user.has_session else None,
            }
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_send(socket, viewer))
                tasks.create_task(_receive(socket, viewer, broadcast))
                if socket.user.has_session:
                    tasks.create_task(_close_after_session(socket, visitors))
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


async def _close_after_session(socket: WebSocket, visitors: Visitors) -> None:
    """Close the socket once the viewer has logged out or the session is over."""
    while visitors.is_logged_in(socket):
        await asyncio.sleep(SESSION_CHECKS)
    await socket.close(POLICY_VIOLATION)
    raise WebSocketDisconnect


async def _receive(socket: WebSocket, viewer: Viewer, broadcast: Broadcast) -> None:
    """Process the messages `watch` and `rest`, and ignore all others."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect
        if message.get("text") in ("watch", "rest"):
            broadcast.watch(viewer, is_watching=message["text"] == "watch")
