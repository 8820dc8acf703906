"""A network camera and a broker, as in a home, each in its own process."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

SYSTEM_PYTHON = Path("/usr/bin/python3")
RTSP_SERVER = Path("tests/support/cameras/rtsp_server.py")
PATIENCE = 10.0


@contextmanager
def network_camera(video: Path) -> Iterator[str | None]:
    """Give the URL of an RTSP camera that repeats a video, encoded once for all; None without GStreamer."""
    probe = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    if not SYSTEM_PYTHON.exists() or subprocess.run([SYSTEM_PYTHON, "-c", probe], capture_output=True).returncode:
        yield None
        return
    command = [str(SYSTEM_PYTHON), str(RTSP_SERVER), str(video), "--loop", "--shared"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield f"rtsp://127.0.0.1:{int(server.stdout.readline())}/camera"
        finally:
            server.kill()


@contextmanager
def broker() -> Iterator[int | None]:
    """Give the port of a mosquitto; None if it is not installed."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        yield None
        return
    port = free_port()
    with TemporaryDirectory() as folder:
        config = Path(folder) / "mosquitto.conf"
        config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
        with subprocess.Popen([program, "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                wait_for(port)
                yield port
            finally:
                process.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """Wait until a server listens on the port. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"no server listens on port {port} after {PATIENCE:.0f} s")
