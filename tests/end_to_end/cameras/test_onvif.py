"""From the search for ONVIF cameras to a decoded picture. An imitation names the streams of a real RTSP server."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.cameras.onvif_camera import OnvifCamera, OnvifNetwork, StreamProfile, says
from tests.support.command import HARSTREAM

MAIN, SUB = StreamProfile("main", 2688, 1520), StreamProfile("sub", 320, 240, 15)
Harstream = Callable[..., Any]


@pytest.fixture
def camera(
    onvif_network: OnvifNetwork, rtsp_server: Callable[..., Any], film: Callable[..., Path], secret: str
) -> OnvifCamera:
    """A camera with a login, which it also asks for over RTSP."""
    grey = film("grey.mp4", (2, 200), size=(320, 240))
    stream = rtsp_server(grey, "--loop", "--login", f"anna:{secret}")
    uri = f"rtsp://{{host}}:{stream.port}/camera"
    return onvif_network.add(OnvifCamera([MAIN, SUB], ("anna", secret), uri, named_host="192.0.2.9"))


@pytest.fixture
def searched(onvif_network: OnvifNetwork, monkeypatch: pytest.MonkeyPatch, camera: OnvifCamera) -> str:
    """The camera's address without a login. A search finds it."""
    port = onvif_network.answer_discovery(says("Front%20Door", f"http://192.0.2.9:{camera.port}/onvif/device_service"))
    monkeypatch.setenv("HARSTREAM_DISCOVERY", f"127.0.0.1:{port}")
    return camera.address


@pytest.mark.rtsp
def test_a_camera_that_is_found_says_that_it_needs_a_login(harstream: Harstream, searched: str) -> None:
    code, running = harstream("cameras")
    assert (code, running.complaints) == (0, [])
    (line,) = [line for line in running.stdout if "onvif" in line]
    assert line.startswith(f"failed  {searched} Front Door reports its streams only with a login")
    assert "onvif://user:password@host" in line


@pytest.mark.rtsp
def test_the_smallest_useful_stream_of_a_camera_that_is_found_is_recommended(
    tmp_path: Path, searched: str, secret: str
) -> None:
    done = subprocess.run(
        [HARSTREAM, "cameras", "--login", "anna"],
        input=f"{secret}\n", cwd=tmp_path, capture_output=True, text=True, timeout=40,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert secret not in done.stdout
    listed, hint = [line for line in done.stdout.splitlines() if "webcam" not in line]
    profiles = "main H264 2688x1520, 25 frames/s; sub H264 320x240, 15 frames/s"
    stream = r"sub rtsp://\*\*\*@127\.0\.0\.1:\d+/camera"
    assert re.fullmatch(rf"ok      {searched} Front Door: {profiles}; recommended: {stream}", listed)
    assert "*** stands for user:password" in hint


@pytest.mark.rtsp
def test_the_recommended_stream_of_a_given_camera_is_probed_and_a_wrong_password_is_one_line(
    harstream: Harstream, camera: OnvifCamera, secret: str
) -> None:
    address = camera.address.removeprefix("onvif://")
    code, running = harstream("cameras", f"onvif://anna:{secret}@{address}")
    assert (code, running.complaints) == (0, [])
    listed, probed = [line for line in running.stdout if "rtsp://" in line]
    assert "recommended: sub rtsp://***@127.0.0.1" in listed
    assert re.fullmatch(r"ok      rtsp://\*\*\*@127.0.0.1:\d+/camera: h264 320x240, 25 frames/s stated, .*", probed)
    code, running = harstream("cameras", f"onvif://anna:{secret}2@{address}", "scene")
    assert (code, running.complaints) == (4, [])
    refused, scene = running.stdout[:2]
    assert refused.startswith(f"failed  onvif://{address} refuses the user name or password")
    assert scene.startswith("ok      scene")


def test_a_wrong_place_to_search_is_one_line(harstream: Harstream) -> None:
    code, running = harstream("cameras", "--discovery", "camera:99999")
    assert code == 3
    (line,) = running.complaints
    assert all(part in line for part in ("--discovery", "239.255.255.250:3702", "none", "camera:99999"))


def test_an_address_of_onvif_is_no_source_of_a_configuration(
    harstream: Harstream, configure: Callable[..., None], secret: str
) -> None:
    configure(cameras=[{"name": "hall", "source": f"onvif://anna:{secret}@camera"}])
    code, running = harstream("config", "check")
    assert code == 2
    (line,) = running.complaints
    assert all(part in line for part in ("cameras.0.source", "harstream cameras", "got onvif://..."))


def test_without_the_library_the_command_says_what_to_install(
    harstream: Harstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "sitecustomize.py").write_text(
        "import importlib.abc, sys\n"
        "class Hide(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'onveef':\n"
        "            raise ModuleNotFoundError('hidden', name=name)\n"
        "sys.meta_path.insert(0, Hide())\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "hidden"))
    code, running = harstream("cameras", f"onvif://anna:{secret}@127.0.0.1")
    assert code == 2
    (line,) = running.complaints
    assert "pip install 'harstream[onvif]'" in line
    code, running = harstream("cameras", "--discovery", "127.0.0.1:9")
    assert (code, running.complaints) == (0, [])
    assert any("pip install 'harstream[onvif]'" in line for line in running.stdout)
