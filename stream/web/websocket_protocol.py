"""uvicorn's WebSocket protocol, for clients that send what no page sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent


class RobustWebSocket(WebSocketsSansIOProtocol):
    """Closes at a wrong message without a traceback, and buffers no pongs for a client that does not read them."""

    def handle_ping(self) -> None:
        """Answer a ping, but not while the client reads nothing: the answers would fill the memory."""
        if self.writable.is_set() and not self.transport.is_closing():
            super().handle_ping()
        else:
            self.conn.data_to_send()  # drops the answer

    def send_receive_event_to_app(self) -> None:
        """Hand on a whole message. Close at a text that is not UTF-8, for which uvicorn writes a traceback."""
        if self.curr_msg_data_type == "text" and not self.close_sent and not _is_utf8(b"".join(self.frames)):
            self.frames = []
            self.conn.fail(CloseCode.INVALID_DATA, "text must be UTF-8")
            self.handle_parser_exception()
        else:
            super().send_receive_event_to_app()

    async def send(self, message: ASGISendEvent) -> None:
        """Send a message. Raises ClientDisconnected after a close at a wrong message.

        uvicorn raises a RuntimeError then, and writes its traceback.
        """
        await self.writable.wait()
        if self.handshake_complete and self.close_sent and self.initial_response is None:
            raise ClientDisconnected
        await super().send(message)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
