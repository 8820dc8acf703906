"""The web server of the live view, on one thread of its own."""

from __future__ import annotations

import logging
import socket
import threading
from pathlib import Path

import uvicorn

from harstream.stream.history.store import Query, activities, ended, reading
from harstream.stream.web.addresses import allowed_names, page_here
from harstream.stream.web.app import Site, create_app
from harstream.stream.web.view_state import EVENTS_KEPT
from harstream.wire.errors import SinkError
from harstream.wire.values import Event

SEND_BUFFER = 256 * 1024
"""Bytes that the system holds for one viewer. By default it holds megabytes: seconds of old pictures on a slow link."""


class WebServer:
    """Serves a site between `start` and `close`."""

    def __init__(self, site: Site, host: str = "127.0.0.1", port: int = 8080) -> None:
        """`port` 0 takes a free one."""
        self.address = (host, port)
        """Host and port; after `start` the port that was taken."""
        self._site = site
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The page's URL for a person on this machine."""
        return page_here(*self.address)

    def start(self) -> None:
        """Return when pages can be opened. Raises SinkError if the port is taken or the history cannot be read."""
        if self._site.history is not None:
            self._site.view.begin_with(_last_activities(self._site.history))
        listening = _listen(*self.address)
        host = self.address[0]
        self.address = (host, listening.getsockname()[1])
        ready = threading.Event()
        app = create_app(self._site, allowed_names(host), ready.set)
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                log_level=logging.ERROR,
                access_log=False,
                server_header=False,
                loop="asyncio",
                ws="websockets-sansio",
                ws_max_size=1024,
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(target=self._serve, args=(self._server, listening, ready), name="web")
        self._thread.start()
        ready.wait()

    def close(self) -> None:
        """Disconnect the viewers and wait, 2 s at most, until the server's thread has ended."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join()
        self._server = self._thread = None

    def _serve(self, server: uvicorn.Server, listening: socket.socket, ready: threading.Event) -> None:
        try:
            server.run(sockets=[listening])
        except (Exception, SystemExit) as error:  # carried to the recognition thread, where the view state raises it
            self._site.view.fail(error)
        finally:
            listening.close()
            ready.set()


def _last_activities(file: Path) -> list[Event]:
    """Return past activities in the order of their starts. An activity that a killed run left open gets an end."""
    with reading(file) as database:
        events = [past.event for past in activities(database, Query(limit=EVENTS_KEPT))]
    return [ended(event) if event.ended_at is None else event for event in reversed(events)]


def _listen(host: str, port: int) -> socket.socket:
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SinkError(
            f"the live view needs {host}:{port}, which cannot be opened ({reason}): choose another port with "
            f"`--port {port + 1}` or web.port in config.yaml"
        ) from error
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    return listening
