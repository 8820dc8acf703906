"""`harstream cameras` reports what real servers and files send, or why they send nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Harstream = Callable[..., Any]


@pytest.mark.rtsp
@pytest.mark.parametrize(("codec", "name"), [("h264", "h264"), ("mjpeg", "mjpeg")])
def test_a_network_camera_is_reported_with_codec_size_and_rate(
    harstream: Harstream, rtsp_server: Callable[..., Any], film: Callable[..., Path], secret: str, codec: str, name: str
) -> None:
    camera = rtsp_server(film("grey.mp4", (2, 200)), "--loop", "--codec", codec, "--login", f"anna:{secret}")
    code, running = harstream("cameras", camera.url(login=f"anna:{secret}"))
    assert (code, running.complaints) == (0, [])
    (line,) = [line for line in running.stdout if "rtsp" in line]
    shown = rf"rtsp://\*\*\*@127.0.0.1:{camera.port}/camera"
    match = re.fullmatch(rf"ok +{shown}: {name} 160x120, 25 frames/s stated, ([\d.]+) measured", line)
    assert match, line
    assert float(match[1]) == pytest.approx(25, abs=4)


@pytest.mark.rtsp
def test_a_wrong_password_is_reported_beside_working_sources(
    harstream: Harstream, rtsp_server: Callable[..., Any], film: Callable[..., Path], secret: str
) -> None:
    grey = film("grey.mp4", (2, 200))
    camera = rtsp_server(grey, "--loop", "--login", "anna:another")
    code, running = harstream("cameras", camera.url(login=f"anna:{secret}"), "grey.mp4", "scene")
    assert (code, running.complaints) == (4, [])
    refused, played, drawn = running.stdout[:3]
    assert re.fullmatch(r"failed +rtsp://\*\*\*@\S+ refuses the user name or password: .*", refused)
    assert re.fullmatch(r"ok +grey.mp4: mpeg4 160x120, 25 frames/s stated", played)
    assert re.fullmatch(r"ok +scene: drawn 320x240, 25 frames/s stated", drawn)


def test_cameras_of_a_configuration_are_reported_by_name(
    harstream: Harstream, configure: Callable[..., None], new_port: Callable[[], int], tmp_path: Path, secret: str
) -> None:
    (tmp_path / "text.mp4").write_text("no film\n" * 100)
    port = new_port()
    configure(
        cameras=[
            {"name": "yard", "source": f"rtsp://anna:{secret}@127.0.0.1:{port}/1"},
            {"name": "hall", "source": "scene"},
            {"name": "film", "source": "text.mp4"},
            {"name": "door", "source": "63"},
        ]
    )
    code, running = harstream("cameras", "--config", "config.yaml")
    assert (code, running.complaints) == (4, [])
    yard, hall, text, door = running.stdout[:4]
    assert yard.startswith(f"failed  yard: nothing listens at rtsp://***@127.0.0.1:{port}/1")
    assert hall.startswith("ok      hall scene: drawn 320x240")
    assert text.startswith("failed  film: expected a video")
    assert text.endswith(" text.mp4")
    assert door.startswith("failed  door: expected a webcam at index 63, found none that opens")


def test_an_invalid_address_gives_a_one_line_error(harstream: Harstream, secret: str) -> None:
    code, running = harstream("cameras", f"rtps://anna:{secret}@host/1")
    assert code == 3
    (line,) = running.complaints
    assert all(part in line for part in ("expected a webcam's index", "got rtps://...", "did you mean rtsp://?"))


@pytest.mark.skipif(any(Path("/dev").glob("video*")), reason="there may be a webcam")
def test_a_machine_without_webcams_gets_a_hint(harstream: Harstream) -> None:
    code, running = harstream("cameras")
    assert (code, running.complaints) == (0, [])
    (line,) = running.stdout
    assert "no webcam found" in line
    assert "harstream cameras rtsp://user:password@host/path" in line
