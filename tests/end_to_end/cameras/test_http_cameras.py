"""Cameras over HTTP: MJPEG, a still picture that changes, and HLS, from a real server."""

from __future__ import annotations

import subprocess
import threading
from collections import deque
from collections.abc import Callable
from itertools import islice, pairwise
from pathlib import Path
from time import monotonic

import pytest

from harstream.stream.sources.clock import Clock
from harstream.stream.sources.network.http import STILL_PERIOD, http_pictures
from harstream.wire.errors import SourceError, Trouble
from tests.support.cameras.http_camera import PERIOD, http_camera
from tests.support.command import SECRET, Harstream


def times_of(url: str, pictures: int) -> list[float]:
    found = http_pictures(url, Clock(), threading.Event())
    times = [time for time, _ in islice(found, pictures)]
    found.close()  # type: ignore[attr-defined]
    assert all(before < after for before, after in pairwise(times))
    return times


def test_mjpeg_gets_its_times_of_arrival(tmp_path: Path) -> None:
    with http_camera(tmp_path) as camera:
        times = times_of(f"http://{camera}/stream", 40)
    assert times[-1] - times[-21] == pytest.approx(20 * PERIOD, rel=0.5)


def test_a_still_picture_is_requested_again_and_again(tmp_path: Path) -> None:
    with http_camera(tmp_path) as camera:
        times = times_of(f"http://{camera}/still", 12)
    assert 11 * STILL_PERIOD * 0.9 < times[-1] - times[0] < 11 * STILL_PERIOD * 4


def test_hls_is_played_at_its_own_pace(tmp_path: Path, film: Callable[..., Path]) -> None:
    options = ["-c:v", "libx264", "-g", "25", "-f", "hls", "-hls_time", "2", "-hls_list_size", "0"]
    command = ["ffmpeg", "-v", "error", "-i", str(film("grey.mp4", (6, 200))), *options, str(tmp_path / "live.m3u8")]
    subprocess.run(command, check=True)
    with http_camera(tmp_path) as camera:
        began = monotonic()
        times = times_of(f"http://{camera}/live.m3u8", 100)
        lasted = monotonic() - began
    assert times[-1] - times[0] == pytest.approx(99 / 25, abs=0.1)
    assert all(0.03 < after - before < 0.05 for before, after in pairwise(times))
    assert lasted > 3.5  # the files come at once


def test_a_sound_that_begins_later_does_not_disturb_the_pictures(tmp_path: Path) -> None:
    """PyAV raises IndexError for a stream that was not there when the camera was opened."""
    video = ["-f", "lavfi", "-i", "testsrc=size=160x120:rate=25:duration=2"]
    sound = ["-f", "lavfi", "-i", "sine=duration=2", "-c:a", "aac", "-output_ts_offset", "2"]
    for name, inputs in (("silent.ts", video), ("loud.ts", [*video, *sound])):
        command = ["ffmpeg", "-v", "error", *inputs, "-c:v", "libx264", "-g", "25", str(tmp_path / name)]
        subprocess.run(command, check=True)
    both = (tmp_path / "silent.ts").read_bytes() + (tmp_path / "loud.ts").read_bytes()
    (tmp_path / "both.ts").write_bytes(both)
    with http_camera(tmp_path) as camera:
        found = http_pictures(f"http://{camera}/both.ts", Clock(), threading.Event())
        # Where the second file begins, a picture may have the time of the one before, and is left out.
        assert len(list(islice(found, 98))) == 98
        with pytest.raises(SourceError) as caught:
            deque(found)
    assert caught.value.trouble is Trouble.ENDED


@pytest.mark.parametrize(
    ("address", "trouble", "said"),
    [
        ("http://anna:wrong@{camera}/stream", Trouble.LOGIN_REFUSED, "http://user:password@host/path"),
        (f"http://anna:{SECRET}@{{camera}}/nosuch", Trouble.NO_SUCH_STREAM, "check the path"),
        ("http://127.0.0.1:1/stream", Trouble.UNREACHABLE, "nothing listens"),
        (f"http://anna:{SECRET}@{{camera}}/to-a-file", Trouble.OTHER, "redirects to an address that is neither http"),
        (f"http://anna:{SECRET}@{{camera}}/to-rtsp", Trouble.OTHER, "redirects to an address that is neither http"),
    ],
)
def test_a_failure_says_what_is_wrong(tmp_path: Path, address: str, trouble: Trouble, said: str) -> None:
    with http_camera(tmp_path, f"anna:{SECRET}") as camera, pytest.raises(SourceError) as caught:
        next(http_pictures(address.format(camera=camera), Clock(), threading.Event()))
    assert caught.value.trouble is trouble
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)


def test_the_cameras_command_measures_a_camera_over_http(tmp_path: Path, harstream: Harstream) -> None:
    with http_camera(tmp_path, f"anna:{SECRET}") as camera:
        code, running = harstream("cameras", f"http://anna:{SECRET}@{camera}/stream")
    assert code == 0
    assert "mjpeg 160x120, no rate stated" in running.output
