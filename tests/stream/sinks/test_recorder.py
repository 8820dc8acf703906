from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from harstream.models.contract import UNKNOWN
from harstream.models.transform import BgrPicture
from harstream.stream.sinks.display import Display
from harstream.stream.sinks.recorder import VideoRecorder
from harstream.wire.errors import SinkError
from harstream.wire.values import Activity, CameraChange, CameraState, Frame, Notice, Step, Warming


def step(time: float, *, camera: str = "hall", grey: int = 128, size: tuple[int, int] = (640, 480)) -> Step:
    width, height = size
    picture = np.full((height, width, 3), grey, np.uint8)
    notice = Notice(camera, time, Activity(UNKNOWN, 0.0, 0.0), Warming(20, 20))
    return Step(notice, Frame(camera, time, BgrPicture(picture)))


def shown(path: Path) -> list[tuple[float, int]]:
    """Returns each picture's time and its brightness in the middle, where nothing is drawn."""
    with av.open(str(path)) as video:
        pictures = [(frame.time or 0.0, frame.to_ndarray(format="bgr24")) for frame in video.decode(video=0)]
    return [(round(time, 4), int(picture[200:260, 280:360].mean())) for time, picture in pictures]


def times(path: Path) -> list[float]:
    return [time for time, _ in shown(path)]


def greys(path: Path) -> list[int]:
    return [grey for _, grey in shown(path)]


def record(path: Path, *steps: Step) -> None:
    recorder = VideoRecorder(path)
    recorder.start()
    for one in steps:
        recorder.show(one)
    recorder.close()


def test_each_picture_plays_at_its_own_time(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    record(film, step(10.0, grey=40), step(10.4, grey=120), step(11.0, grey=220))
    assert times(film) == [0.0, 0.4, 1.0]
    assert greys(film) == pytest.approx([40, 120, 220], abs=8)


@pytest.mark.parametrize("rate", [12.5, 25.0, 30_000 / 1001, 30.0, 60.0])
def test_video_keeps_every_picture_of_every_frame_rate(tmp_path: Path, rate: float) -> None:
    record(tmp_path / "film.mp4", *(step(100.0 + number / rate) for number in range(30)))
    assert times(tmp_path / "film.mp4") == pytest.approx([number / rate for number in range(30)], abs=0.0001)


def test_second_picture_of_the_same_time_is_dropped(tmp_path: Path) -> None:
    record(tmp_path / "film.mp4", step(1.0, grey=40), step(1.000001, grey=220), step(1.1, grey=120))
    assert greys(tmp_path / "film.mp4") == pytest.approx([40, 120], abs=8)


@pytest.mark.parametrize("later", [3600.0, -50.0])
def test_a_long_gap_and_a_clock_that_jumps_back_become_a_cut(tmp_path: Path, later: float) -> None:
    record(tmp_path / "film.mp4", step(100.0, grey=40), step(100.0 + later, grey=220), step(100.2 + later, grey=220))
    assert times(tmp_path / "film.mp4") == [0.0, 0.04, 0.24]
    assert greys(tmp_path / "film.mp4") == pytest.approx([40, 220, 220], abs=8)


def test_another_picture_size_is_letterboxed_to_the_first(tmp_path: Path) -> None:
    record(tmp_path / "film.mp4", step(0.0), step(0.2, size=(480, 960), grey=200))
    with av.open(str(tmp_path / "film.mp4")) as video:
        *_, frame = video.decode(video=0)
    last = frame.to_ndarray(format="bgr24")
    assert last.shape == (480, 640, 3)
    # A picture of 480 x 960 fits into a height of 480 as 240 x 480: from column 200 to 440.
    assert last[240, 320].mean() == pytest.approx(200, abs=8)
    assert last[240, 150].mean() == pytest.approx(0, abs=8)
    assert last[240, 490].mean() == pytest.approx(0, abs=8)


def test_the_final_name_appears_on_close_only(tmp_path: Path) -> None:
    recorder = VideoRecorder(tmp_path / "film.mp4")
    recorder.start()
    recorder.show(step(0.0))
    assert [path.name for path in tmp_path.iterdir()] == ["film-hall.part.mp4"]
    recorder.close()
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_each_of_several_cameras_gets_a_file_of_its_own(tmp_path: Path) -> None:
    record(tmp_path / "film.mp4", step(0.0, camera="hall"), step(0.0, camera="../the garden"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film-_the_garden.mp4", "film-hall.mp4"]


def test_cameras_with_names_that_become_equal_do_not_share_a_file(tmp_path: Path) -> None:
    record(tmp_path / "film.mp4", step(0.0, camera="a b", grey=40), step(0.0, camera="a/b", grey=220))
    assert greys(tmp_path / "film-a_b.mp4") == pytest.approx([40], abs=8)
    assert greys(tmp_path / "film-a_b_.mp4") == pytest.approx([220], abs=8)


def test_a_camera_change_adds_no_picture(tmp_path: Path) -> None:
    change = CameraChange("hall", 0.0, CameraState.OFFLINE)
    notice = Notice("hall", 0.0, Activity(UNKNOWN, 0.0, 0.0), Warming(0, 20), change=change)
    record(tmp_path / "film.mp4", Step(notice, None))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_gives_a_one_line_error(tmp_path: Path) -> None:
    recorder = VideoRecorder(tmp_path / "missing" / "film.mp4")
    with pytest.raises(SinkError, match=r"cannot record to .*missing/film\.mp4: the folder .* must exist") as caught:
        recorder.start()
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes").touch()
    with pytest.raises(SinkError, match="must exist and be writable"):
        VideoRecorder(tmp_path / "notes" / "film.mp4").start()


def test_a_name_that_is_no_mp4_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"is an \.mp4 file, got .*film\.avi"):
        VideoRecorder(tmp_path / "film.avi").start()


def test_a_deleted_video_does_not_get_the_final_name(tmp_path: Path) -> None:
    recorder = VideoRecorder(tmp_path / "film.mp4")
    recorder.start()
    recorder.show(step(0.0))
    (tmp_path / "film-hall.part.mp4").unlink()
    with pytest.raises(SinkError, match="film-hall"):
        recorder.close()
    assert not (tmp_path / "film.mp4").exists()


@pytest.fixture
def small_disk() -> Iterator[None]:
    """Limits every file of this process to 100 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def noise(time: float) -> Step:
    """Returns a step with a picture that no encoder can compress."""
    one = step(time)
    picture = np.random.default_rng(int(time * 100)).integers(0, 255, (480, 640, 3)).astype(np.uint8)
    return Step(one.notice, Frame("hall", time, BgrPicture(picture)))


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_gives_a_one_line_error_and_leaves_no_file_that_cannot_be_played(tmp_path: Path) -> None:
    recorder = VideoRecorder(tmp_path / "film.mp4")
    recorder.start()

    def record_until_it_fails() -> None:
        for number in range(100):
            recorder.show(noise(number / 25))

    with pytest.raises(SinkError) as caught:
        record_until_it_fails()
    assert "cannot record to" in str(caught.value)
    assert "film-hall.part.mp4" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []  # its space is free at once, also while the run goes on
    with pytest.raises(SinkError, match="cannot record to"):
        recorder.close()
    assert list(tmp_path.iterdir()) == []


def test_unfinished_files_of_a_killed_run_are_deleted_and_others_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("film-hall.part.mp4", "film.part.mp4", "film-hall.mp4", "film2-hall.part.mp4"):
        (tmp_path / name).write_bytes(b"half a film")
    record(tmp_path / "film.mp4", step(0.0))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film-hall.mp4", "film.mp4", "film2-hall.part.mp4"]
    assert len([line for line in caplog.messages if "is deleted" in line]) == 2


PLAYED = """async url => {
    const video = document.createElement("video");
    video.muted = true;
    video.src = url;
    await video.play();
    await new Promise(resolve => video.ontimeupdate = () => video.currentTime > 0.5 && resolve());
    return [video.videoWidth, video.videoHeight, video.duration];
}"""


@pytest.mark.browser
def test_recording_plays_in_a_browser(tmp_path: Path, chromium: Any) -> None:
    record(tmp_path / "film.mp4", *(step(5.0 + number / 12.5, grey=8 * number) for number in range(26)))
    (tmp_path / "page.html").write_text("<!doctype html>")
    page = chromium.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    width, height, duration = page.evaluate(PLAYED, (tmp_path / "film.mp4").as_uri())
    page.close()
    assert (width, height) == (640, 480)
    # 26 pictures play at 12.5 a second: the last one begins at 2.0 s.
    assert duration == pytest.approx(2.0, abs=0.1)


@pytest.mark.skipif(not cv2.currentUIFramework(), reason="this OpenCV has no windows")
def test_a_window_without_a_screen_gives_a_one_line_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(SinkError, match="there is no screen") as caught:
        Display().start()
    assert "\n" not in str(caught.value)
