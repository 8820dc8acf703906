"""Network cameras are imitated by gst-rtsp-server, which tests pull and plug in again."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest

from harstream.stream.sources.address import NetworkCamera
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.network.hardware_decoder import hardware_decoder
from harstream.stream.sources.network.rtsp import READ_TIMEOUT, rtsp_pictures
from harstream.stream.sources.reconnecting import ReconnectingSource
from harstream.stream.sources.registry import new_source
from harstream.wire.errors import SourceError, Trouble
from harstream.wire.values import CameraChange, CameraState, Frame
from tests.support.waiting import Eventually

pytestmark = pytest.mark.rtsp

Serve = Callable[..., Any]


@pytest.fixture
def grey(film: Callable[..., Path]) -> Path:
    return film("grey.mp4", (2, 200))


def refusal(url: str, trouble: Trouble) -> str:
    """Returns the error of the first opening of a camera that does not work."""
    with pytest.raises(SourceError) as raised:
        next(rtsp_pictures(NetworkCamera(url), Clock()))
    assert raised.value.trouble is trouble
    return str(raised.value)


@pytest.mark.parametrize("codec", ["h264", "mjpeg"])
def test_frames_come_with_increasing_times_near_the_clock(rtsp_server: Serve, grey: Path, codec: str) -> None:
    clock = Clock()
    pictures = rtsp_pictures(NetworkCamera(rtsp_server(grey, "--loop", "--codec", codec).url()), clock)
    seen = [(time, clock.now() - time, picture) for time, picture in islice(pictures, 75)]
    pictures.close()  # type: ignore[attr-defined]
    assert all(before < after for (before, *_), (after, *_) in pairwise(seen))
    assert all(0 <= delay < 1.0 for _, delay, _ in seen)
    # The frames that waited in the camera arrive first. The last second is at the camera's rate.
    assert seen[-1][0] - seen[-26][0] == pytest.approx(1.0, abs=0.3)
    assert seen[-1][2].bgr().shape == (120, 160, 3)
    assert seen[-1][2].bgr().mean() == pytest.approx(203, abs=6)


def test_the_end_of_the_film_ends_the_stream(rtsp_server: Serve, film: Callable[..., Path]) -> None:
    pictures = rtsp_pictures(NetworkCamera(rtsp_server(film("short.mp4", (1, 200))).url()), Clock())
    with pytest.raises(SourceError, match="ended its stream"):
        for _ in pictures:
            pass


@pytest.mark.parametrize("scheme", [[], ["--digest"]])
def test_a_password_with_special_characters_opens_the_camera(rtsp_server: Serve, grey: Path, scheme: list[str]) -> None:
    camera = rtsp_server(grey, "--loop", "--login", "anna:p@ss/w:rd", *scheme)
    pictures = rtsp_pictures(NetworkCamera(camera.url(login="anna:p%40ss%2Fw%3Ard")), Clock())
    assert next(pictures)[1].bgr().shape == (120, 160, 3)
    pictures.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("scheme", [[], ["--digest"]])
def test_a_wrong_password_is_reported_without_the_password(
    rtsp_server: Serve, grey: Path, secret: str, scheme: list[str]
) -> None:
    camera = rtsp_server(grey, "--loop", "--login", "anna:another", *scheme)
    for login in (f"anna:{secret}", f"berta:{secret}", ""):
        line = refusal(camera.url(login=login), Trouble.LOGIN_REFUSED)
        assert "refuses the user name or password" in line
        assert secret not in line
        assert "\n" not in line


def test_a_wrong_path_is_reported(rtsp_server: Serve, grey: Path, secret: str) -> None:
    url = rtsp_server(grey).url(path="/no-camera", login=f"anna:{secret}")
    line = refusal(url, Trouble.NO_SUCH_STREAM)
    assert "/no-camera has no such stream" in line
    assert secret not in line


def test_a_port_without_a_server_is_reported(new_port: Callable[[], int], secret: str) -> None:
    port = new_port()
    line = refusal(f"rtsp://anna:{secret}@127.0.0.1:{port}/camera", Trouble.UNREACHABLE)
    assert line.startswith(f"nothing listens at rtsp://***@127.0.0.1:{port}/camera")


def test_a_camera_without_video_is_reported(rtsp_server: Serve, grey: Path, secret: str) -> None:
    camera = rtsp_server(grey, "--codec", "audio")
    line = refusal(camera.url(login=f"anna:{secret}"), Trouble.NO_VIDEO)
    assert line.startswith(f"expected video at rtsp://***@127.0.0.1:{camera.port}/camera, ")
    assert "found none in the stream" in line
    assert "check the path after the host name" in line
    assert secret not in line


def test_a_camera_that_freezes_is_given_up(rtsp_server: Serve, grey: Path) -> None:
    camera = rtsp_server(grey, "--loop")
    pictures = rtsp_pictures(NetworkCamera(camera.url()), Clock())
    next(pictures)
    camera.freeze()
    began = time.monotonic()
    with pytest.raises(SourceError, match="gave nothing for 5 seconds"):
        for _ in pictures:
            pass
    # FFmpeg waits for the rest of the current picture, and then for the next one.
    assert time.monotonic() - began < 2 * READ_TIMEOUT + 3


@pytest.fixture
def watched() -> Iterator[Callable[[ReconnectingSource, threading.Event], list[Frame | CameraChange]]]:
    """`watched(source, stopping)` reads a source on a thread and returns its growing list of items."""
    threads: list[tuple[threading.Thread, threading.Event]] = []

    def watch(source: ReconnectingSource, stopping: threading.Event) -> list[Frame | CameraChange]:
        seen: list[Frame | CameraChange] = []
        threads.append((threading.Thread(target=lambda: seen.extend(source.frames())), stopping))
        threads[-1][0].start()
        return seen

    yield watch
    for thread, stopping in threads:
        stopping.set()
        thread.join()


def test_a_camera_that_is_pulled_and_plugged_in_again_reconnects(
    rtsp_server: Serve, grey: Path, watched: Any, eventually: Eventually
) -> None:
    camera, clock, stopping = rtsp_server(grey, "--loop"), Clock(), threading.Event()
    opened = partial(rtsp_pictures, NetworkCamera(camera.url()), clock)
    seen = watched(ReconnectingSource("hall", opened, clock, stopping, must_open=True), stopping)

    def states() -> list[CameraState]:
        return [item.state for item in list(seen) if isinstance(item, CameraChange)]

    eventually(lambda: len(seen) > 30, "pictures")
    camera.pull()
    eventually(lambda: states() == [CameraState.LIVE, CameraState.OFFLINE], "the camera to be offline")
    before = len(seen)
    camera.plug_in()
    eventually(lambda: len(seen) > before + 30, "pictures again")
    assert states() == [CameraState.LIVE, CameraState.OFFLINE, CameraState.LIVE]
    assert isinstance(seen[-1], Frame)
    assert all(before.time <= after.time for before, after in pairwise(seen))


def test_events_continue_after_an_outage_and_no_password_is_printed(
    rtsp_server: Serve, grey: Path, start: Callable[..., Any], light_model: Path, secret: str, tmp_path: Path,
    eventually: Eventually,
) -> None:  # fmt: skip
    camera = rtsp_server(grey, "--loop", "--login", f"anna:{secret}")
    source = camera.url(login=f"anna:{secret}")
    running = start("run", "--verbose", "--source", source, "--model", light_model, "--events", "events.jsonl")

    def events() -> list[tuple[str, str | None]]:
        file = tmp_path / "events.jsonl"
        events = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        return [(event["event_type"], event.get("end_reason")) for event in events if event["event_type"] != "update"]

    eventually(lambda: events() == [("start", None)], "the first event", 40)
    camera.pull()
    eventually(lambda: events()[1:] == [("end", "camera_offline")], "its end")
    camera.plug_in()
    eventually(lambda: events()[2:] == [("start", None)], "the next event", 40)
    running.signal(signal.SIGINT)
    assert running.wait(10) == 0
    assert events()[3:] == [("end", "shutdown")]
    assert any("camera camera is offline, still retrying: " in line for line in running.stderr)
    assert any("camera camera is live after" in line for line in running.stderr)
    assert running.complaints == []


@pytest.mark.mosquitto
def test_health_follows_a_camera_that_falls_silent(
    rtsp_server: Serve, grey: Path, start: Callable[..., Any], light_model: Path, mosquitto: Any, subscribe: Any,
    eventually: Eventually,
) -> None:  # fmt: skip
    camera, subscriber = rtsp_server(grey, "--loop"), subscribe(mosquitto.port)
    running = start("run", "--source", camera.url(), "--model", light_model, "--broker", mosquitto.url)

    def states() -> list[str]:
        return [message.json["state"] for message in subscriber.of("/camera/camera/health")]

    eventually(lambda: states()[-1:] == ["live"], "the health of a working camera", 40)
    camera.freeze()
    eventually(lambda: states()[-1:] == ["offline"], "the frozen camera to be given up", 40)
    # FFmpeg gives the current picture when it stops waiting for its rest. Then the camera is silent again.
    assert states()[states().index("live") + 1] == "stalled"
    assert not any(message.json["overloaded"] for message in subscriber.of("/health"))
    running.signal(signal.SIGINT)
    assert running.wait(10) == 0
    eventually(lambda: subscriber.of("/health")[-1].json["reason"] == "harstream has stopped", "the last word")


@pytest.mark.mosquitto
def test_a_covered_lens_is_reported(
    rtsp_server: Serve, film: Callable[..., Path], start: Callable[..., Any], light_model: Path, mosquitto: Any,
    subscribe: Any, eventually: Eventually,
) -> None:  # fmt: skip
    camera, subscriber = rtsp_server(film("covered.mp4", (2, 4)), "--loop"), subscribe(mosquitto.port)
    running = start("run", "--source", camera.url(), "--model", light_model, "--broker", mosquitto.url)

    def last() -> Any:
        healths = subscriber.of("/camera/camera/health")
        return healths[-1].json if healths else {"state": None}

    eventually(lambda: last()["state"] == "dark", "the dark camera to be reported", 40)
    assert last()["reason"] == "its picture is black: is the lens covered, or the light off?"
    assert last()["since"] < last()["updated_at"]
    running.signal(signal.SIGINT)
    assert running.wait(10) == 0
    assert sum("is the lens covered" in line for line in running.stderr) == 1


@pytest.mark.parametrize("mistake", ["password", "path", "audio", "port"])
def test_a_camera_that_never_worked_ends_the_run_with_a_one_line_error(
    rtsp_server: Serve,
    grey: Path,
    harstream: Callable[..., Any],
    secret: str,
    new_port: Callable[[], int],
    mistake: str,
) -> None:
    login = f"anna:{secret}"
    options = {"password": ["--login", "anna:another"], "audio": ["--codec", "audio"]}.get(mistake, [])
    url = rtsp_server(grey, *options).url(login=login, path="/other" if mistake == "path" else "/camera")
    if mistake == "port":
        url = f"rtsp://{login}@127.0.0.1:{new_port()}/camera"
    code, running = harstream("run", "--verbose", "--source", url)
    assert (code, len(running.complaints)) == (4, 1), running.output
    assert "rtsp://***@127.0.0.1" in running.complaints[0]


def test_the_run_waits_for_one_missing_camera_of_two(
    start: Callable[..., Any], configure: Callable[..., None], light_model: Path, new_port: Callable[[], int],
    secret: str, eventually: Eventually,
) -> None:  # fmt: skip
    url = f"rtsp://anna:{secret}@127.0.0.1:{new_port()}/camera"
    configure(cameras=[{"name": "yard", "source": url}, {"name": "hall", "source": "scene?seed=8"}])
    running = start("run", "--model", light_model)
    eventually(lambda: "▶ start" in running.output, "an event of the other camera", 40)
    running.signal(signal.SIGTERM)
    assert running.wait(10) == 0
    assert sum("camera yard is offline" in line for line in running.stderr) == 1


def test_a_camera_with_tls_and_a_certificate_of_its_own_is_read(rtsp_server: Serve, grey: Path, tmp_path: Path) -> None:
    key, certificate, both = tmp_path / "key.pem", tmp_path / "certificate.pem", tmp_path / "both.pem"
    options = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=camera"]
    command = ["openssl", "req", *options, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    camera = rtsp_server(grey, "--loop", "--tls", str(both))
    pictures = rtsp_pictures(NetworkCamera(camera.url().replace("rtsp://", "rtsps://")), Clock())
    assert len(list(islice(pictures, 10))) == 10
    pictures.close()  # type: ignore[attr-defined]


def test_a_camera_that_refuses_tcp_is_read_over_udp(
    rtsp_server: Serve, grey: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    camera = rtsp_server(grey, "--loop", "--udp-only")
    pictures = rtsp_pictures(NetworkCamera(camera.url()), Clock())
    times = [time for time, _ in islice(pictures, 30)]
    pictures.close()  # type: ignore[attr-defined]
    assert all(before < after for before, after in pairwise(times))
    assert sum("refuses TCP, so UDP is used" in message for message in caplog.messages) == 1
    with pytest.raises(SourceError):
        next(rtsp_pictures(NetworkCamera(camera.url(), "tcp"), Clock()))
    next(rtsp_pictures(NetworkCamera(camera.url(), "udp"), Clock()))


class Waits(threading.Event):
    """Remembers each requested wait and does not wait."""

    def __init__(self, tries: int) -> None:
        super().__init__()
        self.seconds: list[float] = []
        self._tries = tries

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.seconds.append(timeout)
        if len(self.seconds) == self._tries:
            self.set()
        return self.is_set()


@pytest.mark.parametrize(
    ("trouble", "least", "most"), [(Trouble.LOGIN_REFUSED, 120.0, 120.5), (Trouble.UNREACHABLE, 0.0, 0.5)]
)
def test_a_refused_login_is_retried_rarely(trouble: Trouble, least: float, most: float) -> None:
    def refuse() -> Iterator[Any]:
        raise SourceError("no", trouble)
        yield

    waits = Waits(3)
    list(ReconnectingSource("hall", refuse, Clock(), waits, must_open=False).frames())
    assert len(waits.seconds) == 3
    assert least <= waits.seconds[0] <= most


def test_a_camera_is_decoded_by_the_processor_where_no_hardware_decoder_is(
    rtsp_server: Serve, grey: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """This is tried on machines without one. With one, it decodes, and the log names it."""
    caplog.set_level(logging.INFO)
    camera = NetworkCamera(rtsp_server(grey, "--loop").url(), decoder="hardware")
    source = new_source("hall", camera, Clock(), must_open=True)(threading.Event())

    found = next(item for item in source.frames() if isinstance(item, Frame))

    assert found.picture.model_frame(8, 8).shape == (8, 8, 3)
    device = hardware_decoder()
    without = "no hardware decoder was found, so the processor decodes"
    expected = without if device is None else f"hardware decodes ({device})"
    assert [record.message for record in caplog.records if "decode" in record.message] == [f"hall: {expected}"]
