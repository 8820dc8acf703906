"""A camera over HTTP: MJPEG at /stream, a changing still picture at /still, and the files of a folder.

It redirects /to-a-file and /to-rtsp elsewhere.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import threading
import time
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

import cv2
import numpy as np

PERIOD = 0.05
"""Seconds between two pictures of MJPEG."""

REDIRECTS = {"/to-a-file": "file:///etc/hostname", "/to-rtsp": "rtsp://127.0.0.1:1/stream"}


class _Handler(SimpleHTTPRequestHandler):
    login = ""

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        wanted = f"Basic {base64.b64encode(self.login.encode()).decode()}"
        if self.login and self.headers.get("Authorization") != wanted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.end_headers()
        elif self.path == "/stream":
            self._stream()
        elif self.path == "/still":
            self._send(next(_jpegs(time.time_ns() // 1000)))
        elif self.path in REDIRECTS:
            self.send_response(302)
            self.send_header("Location", REDIRECTS[self.path])
            self.end_headers()
        else:
            super().do_GET()

    def _send(self, picture: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "image/jpeg")
        self.send_header("Content-Length", str(len(picture)))
        self.end_headers()
        self.wfile.write(picture)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        with contextlib.suppress(OSError):
            for picture in _jpegs(0):
                head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture)
                self.wfile.write(head + picture + b"\r\n")
                time.sleep(PERIOD)


def _jpegs(first: int) -> Iterator[bytes]:
    for number in count(first):
        yield cv2.imencode(".jpg", np.full((120, 160, 3), 40 + number % 180, np.uint8))[1].tobytes()


@contextlib.contextmanager
def http_camera(folder: Path, login: str = "") -> Iterator[str]:
    """Serve on a free port and yield `127.0.0.1:PORT`."""
    handler = type("Handler", (_Handler,), {"login": login})
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
