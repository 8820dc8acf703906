"""A file server on the loopback interface, which answers ranges, and can break off, refuse or ignore them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class FileServer:
    """Serves `content` at every path. What is changed counts from the next request on."""

    def __init__(self) -> None:
        self.content = b""
        self.status = HTTPStatus.OK
        """Any other one is the answer to every request."""
        self.breaks_off_after: int | None = None
        """Bytes of an answer after which the connection is closed."""
        self.hangs_after: int | None = None
        """Bytes of an answer after which no more come, until the test ends."""
        self.knows_ranges = True
        self.asked: list[str | None] = []
        """The range of each request."""
        self.over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/model.tflite"

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        files = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = self.headers["Range"]
                files.asked.append(asked)
                start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and files.knows_ranges else 0
                if files.status is not HTTPStatus.OK:
                    self.send_error(files.status)
                elif start and start >= len(files.content):
                    self.send_error(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
                else:
                    self._send(start)

            def _send(self, start: int) -> None:
                total = len(files.content)
                self.send_response(HTTPStatus.PARTIAL_CONTENT if start else HTTPStatus.OK)
                self.send_header("Content-Length", str(total - start))
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
                self.end_headers()
                if files.hangs_after is not None:
                    self.wfile.write(files.content[start : start + files.hangs_after])
                    files.over.wait()
                end = total if files.breaks_off_after is None else start + files.breaks_off_after
                self.wfile.write(files.content[start:end])

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def file_server() -> Iterator[FileServer]:
    server = FileServer()
    yield server
    server.close()
