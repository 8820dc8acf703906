"""The web server of the live view, on its own thread."""

from __future__ import annotations

import logging
import socket
import threading
from functools import partial
from pathlib import Path

import uvicorn

from harstream.stream.history.store import Query, activities, ended, reading
from harstream.stream.web.addresses import local_page_url
from harstream.stream.web.app import Site, create_app
from harstream.stream.web.certificate import Certificate
from harstream.stream.web.connections import Connections, LimitedProtocol, Listener, most_connections
from harstream.stream.web.view_state import EVENTS_KEPT
from harstream.stream.web.websocket_protocol import RobustWebSocket
from harstream.wire.errors import SinkError
from harstream.wire.values import Event

BACKLOG = 128
"""Connections that the system keeps until they are accepted."""
MAX_HEAD = 16 * 1024
"""The largest head of a request in bytes: cookies of other programs on this host may be long."""
SEND_BUFFER = 256 * 1024
"""Send buffer of a viewer in bytes. The default of megabytes would hold seconds of old pictures on a slow link."""


class WebServer:
    """Serves a site between `start` and `close`."""

    def __init__(self, site: Site) -> None:
        self.address = (site.web.host, site.web.port)
        """Host and port. After `start`, the port that was selected."""
        self._site = site
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The page's URL for a browser on this machine."""
        return local_page_url(self._site.web, self.address[1])

    def start(self) -> None:
        """Start, and return when the page can be opened.

        Raises SinkError if the port is in use or the history cannot be read.
        """
        if self._site.history is not None:
            self._site.view.set_events(_last_activities(self._site.history))
        ready = threading.Event()
        self._server, connections = self._new_server(ready)
        listening = Listener(_listen(*self.address), connections)
        self.address = (self.address[0], listening.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, args=(self._server, listening, ready), name="web")
        self._thread.start()
        ready.wait()

    def close(self) -> None:
        """Disconnect the viewers and wait for the server's thread, 2 s at most."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join()
        self._server = self._thread = None

    def _new_server(self, ready: threading.Event) -> tuple[uvicorn.Server, Connections]:
        """Return the server, which sets `ready`, and its connections. Raises SinkError and ConfigError."""
        most = most_connections()
        connections = Connections(most)
        certificate = Certificate(self._site.web.tls) if self._site.web.tls else None
        context = (lambda *_: certificate.context) if certificate else None
        background = (connections.sweep, *((certificate.watch,) if certificate else ()))
        app = create_app(self._site, ready.set, background, most_viewers=most // 2)
        config = uvicorn.Config(
            app, log_config=None, log_level=logging.ERROR, access_log=False, server_header=False, loop="asyncio",
            http=partial(LimitedProtocol, connections), h11_max_incomplete_event_size=MAX_HEAD,  # type: ignore[arg-type]
            ws=RobustWebSocket, ws_max_size=1024, ws_per_message_deflate=False, timeout_graceful_shutdown=1,
            backlog=BACKLOG, proxy_headers=False, ssl_context_factory=context,
        )  # fmt: skip
        return uvicorn.Server(config), connections

    def _serve(self, server: uvicorn.Server, listening: socket.socket, ready: threading.Event) -> None:
        try:
            server.run(sockets=[listening])
        except (Exception, SystemExit) as error:  # ViewState.show raises it again on the recognition thread
            self._site.view.fail(error)
        finally:
            listening.close()
            ready.set()


def _last_activities(file: Path) -> list[Event]:
    """Return past activities in the order of their starts. Activities that a killed run left open get an end."""
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
