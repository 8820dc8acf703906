"""A network camera: gst-rtsp-server shows a film over RTSP."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.support.waiting import DEADLINE, require

SYSTEM_PYTHON = "/usr/bin/python3"
RTSP_SERVER = Path(__file__).with_name("rtsp_server.py")


class RtspServer:
    """A network camera that shows a film, and can be pulled and plugged in again on the same port."""

    def __init__(self, film: Path, options: tuple[str, ...]) -> None:
        self.port = 0
        self._arguments = [str(film), *options]
        self._process: subprocess.Popen[str] | None = None

    def url(self, path: str = "/camera", login: str = "") -> str:
        return f"rtsp://{login}{'@' if login else ''}127.0.0.1:{self.port}{path}"

    def plug_in(self) -> None:
        command = [SYSTEM_PYTHON, str(RTSP_SERVER), *self._arguments, "--port", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def freeze(self) -> None:
        """Stops sending and stays connected."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def replace(self, film: Path, *options: str) -> None:
        """Pull it, and plug in another camera on the same port."""
        self.pull()
        self._arguments = [str(film), *options]
        self.plug_in()

    def pull(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(DEADLINE)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


class Serve(Protocol):
    """Serves a film. The options are those of rtsp_server.py."""

    def __call__(self, film: Path, *options: str) -> RtspServer: ...


def require_rtsp_server() -> None:
    """Skip the test where gst-rtsp-server is missing."""
    probe = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    reason = "gst-rtsp-server is not installed (apt install gir1.2-gst-rtsp-server-1.0 python3-gi ffmpeg)"
    require(Path(SYSTEM_PYTHON).exists(), reason)
    require(subprocess.run([SYSTEM_PYTHON, "-c", probe], capture_output=True).returncode == 0, reason)


@pytest.fixture
def rtsp_server() -> Iterator[Serve]:
    require_rtsp_server()
    servers: list[RtspServer] = []

    def serve(film: Path, *options: str) -> RtspServer:
        servers.append(RtspServer(film, options))
        servers[-1].plug_in()
        return servers[-1]

    yield serve
    for server in servers:
        server.pull()
