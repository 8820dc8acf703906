"""The live view: a page with all cameras, what is recognized in them, and the events, for any browser."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn

from harstream.models.contract import ModelContract
from harstream.stream.history.store import Query, activities, ended, reading
from harstream.stream.service.protocols import Controls
from harstream.stream.web.app import Encode, create_app, encode_jpeg
from harstream.stream.web.view_state import EVENTS_KEPT, ViewState
from harstream.wire.errors import SinkError
from harstream.wire.values import Event, Forecast, Health, Step

LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")
SEND_BUFFER = 256 * 1024
"""Bytes the system holds for one viewer. Its default grows to megabytes: seconds of old pictures on a slow link."""


class LiveView:
    """A FrameSink and HealthSink that is a web server, on one thread of its own between `start` and `close`."""

    def __init__(
        self,
        *,
        contract: ModelContract,
        cameras: Sequence[str],
        version: str,
        provider: str,
        host: str = "127.0.0.1",
        port: int = 8080,
        history: Path | None = None,
        controls: Controls | None = None,
        metrics: Callable[[], bytes] | None = None,
        forecast: Callable[[str], Forecast | None] = lambda _: None,
        has_broker: Callable[[], bool] = lambda: True,
        encode: Encode = encode_jpeg,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`port` 0 takes a free one, which `address` then tells. `history`: the file that `/api/events` reads, and with
        whose last activities the page begins. `controls`: what may be changed over HTTP; None: nothing. `metrics`:
        what `/metrics` answers. `forecast`: what is expected before a camera. `has_broker`: can events be published
        now? `encode` is called on the server's side only. `clock`, in seconds: since when has nobody told how the
        cameras fare?"""
        self.address = (host, port)
        self._hello = {
            "version": version,
            "provider": provider,
            "model": {"name": contract.name, "version": contract.version},
            "labels": contract.labels,
            "background": contract.background,
            "control": controls is not None,
        }
        self._board = ViewState(contract, cameras, forecast, clock)
        self._history = history
        self._controls = controls
        self._metrics = metrics
        self._has_broker = has_broker
        self._encode = encode
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where a person on this machine opens it."""
        host, port = self.address
        name = {"0.0.0.0": "localhost", "::": "localhost", "": "localhost"}.get(host, host)
        return f"http://[{name}]:{port}/" if ":" in name else f"http://{name}:{port}/"

    def start(self) -> None:
        """Returns when pages can be opened. Raises SinkError when the port cannot be had, or the history not read."""
        if self._history is not None:
            self._board.begin_with(_last_activities(self._history))
        listening = _listen(*self.address)
        self.address = (self.address[0], listening.getsockname()[1])
        ready = threading.Event()
        # Whoever listens on this machine only, answers to its own names only: a foreign site whose name was made to
        # point at 127.0.0.1 (DNS rebinding) would otherwise pass for the same host.
        hosts = LOOPBACK if self.address[0] in LOOPBACK else None
        app = create_app(
            self._board, self._hello, self._encode, self._history, self._controls, self._metrics, self._has_broker,
            hosts, ready.set,
        )  # fmt: skip
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
        self._thread = threading.Thread(target=self._serve, args=(self._server, listening, ready), name="live view")
        self._thread.start()
        ready.wait()

    def show(self, step: Step) -> None:
        """Keeps the step, no copy and no encoding. Raises SinkError when the server has stopped by itself."""
        self._board.put(step)

    def report(self, health: Health) -> None:
        self._board.report(health)

    def close(self) -> None:
        """Says goodbye to the viewers and waits, 2 s at most, until the server's thread has ended."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join()
        self._server = self._thread = None

    def _serve(self, server: uvicorn.Server, listening: socket.socket, ready: threading.Event) -> None:
        try:
            server.run(sockets=[listening])
        except (Exception, SystemExit) as error:  # carried to the recognition thread, where `show` raises it
            self._board.fail(error)
        finally:
            listening.close()
            ready.set()


def _last_activities(file: Path) -> list[Event]:
    """In the order of their starts. What has no end is of a run that was killed, and ends in these moments."""
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
