from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from harstream.models.contract import UNKNOWN, ModelContract
from harstream.models.transform import BgrPicture
from harstream.stream.sinks.display import Display
from harstream.stream.sinks.recorder import VideoRecorder
from harstream.wire.errors import SinkError
from harstream.wire.values import Activity, CameraChange, CameraState, Frame, Notice, Step, Warming

CONTRACT = ModelContract(name="lrcn", version="1", labels=("JumpRope", "PushUps"))


def step(time: float, *, camera: str = "hall", grey: int = 128, size: tuple[int, int] = (640, 480)) -> Step:
    width, height = size
    picture = np.full((height, width, 3), grey, np.uint8)
    notice = Notice(camera, time, Activity(UNKNOWN, 0.0, 0.0), Warming(20, 20))
    return Step(notice, Frame(camera, time, BgrPicture(picture)))


def greys(path: Path) -> list[int]:
    """The brightness in the middle of each picture, where nothing is drawn."""
    video = cv2.VideoCapture(str(path))
    assert video.get(cv2.CAP_PROP_FPS) == 25
    pictures = list(itertools.takewhile(lambda read: read[0], iter(video.read, None)))
    video.release()
    return [int(picture[200:260, 280:360].mean()) for _, picture in pictures]


def record(path: Path, *steps: Step) -> None:
    recorder = VideoRecorder(path, CONTRACT)
    recorder.start()
    for one in steps:
        recorder.show(one)
    recorder.close()


def test_video_plays_at_the_speed_of_the_frames_times(tmp_path: Path) -> None:
    record(tmp_path / "film.mp4", step(10.0, grey=40), step(10.4, grey=120), step(11.0, grey=220))
    # 0.4 s and 0.6 s at 25 a second are 10 and 15 pictures; the last has no successor and is written once.
    expected = [40] * 10 + [120] * 15 + [220]
    assert greys(tmp_path / "film.mp4") == pytest.approx(expected, abs=8)


def test_a_picture_is_repeated_until_the_next_or_dropped(tmp_path: Path) -> None:
    record(tmp_path / "film.mp4", step(0.0, grey=20), step(0.1, grey=90), step(0.22, grey=160), step(0.23, grey=240))
    # 0.10 * 25 = 2.5, 0.22 * 25 = 5.5, 0.23 * 25 = 5.75; halves go to the even neighbour: 2, 6, 6.
    assert greys(tmp_path / "film.mp4") == pytest.approx([20, 20, 90, 90, 90, 90, 240], abs=8)


@pytest.mark.parametrize("later", [3600.0, -50.0])
def test_a_long_gap_and_a_clock_that_jumps_back_become_a_cut(tmp_path: Path, later: float) -> None:
    record(tmp_path / "film.mp4", step(100.0, grey=40), step(100.0 + later, grey=220))
    assert greys(tmp_path / "film.mp4") == pytest.approx([40, 220], abs=8)


def test_another_picture_size_is_letterboxed_to_the_first(tmp_path: Path) -> None:
    record(tmp_path / "film.mp4", step(0.0), step(0.2, size=(480, 960), grey=200))
    video = cv2.VideoCapture(str(tmp_path / "film.mp4"))
    last = [video.read()[1] for _ in range(6)][-1]
    assert last.shape == (480, 640, 3)
    # 480 x 960 fits into a height of 480 as 240 x 480: from column 200 to 440.
    assert last[240, 320].mean() == pytest.approx(200, abs=8)
    assert last[240, 150].mean() == pytest.approx(0, abs=8)
    assert last[240, 490].mean() == pytest.approx(0, abs=8)


def test_the_final_name_appears_on_close_only(tmp_path: Path) -> None:
    recorder = VideoRecorder(tmp_path / "film.mp4", CONTRACT)
    recorder.start()
    recorder.show(step(0.0))
    assert [path.name for path in tmp_path.iterdir()] == ["film-hall.part.mp4"]
    recorder.close()
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_each_of_several_cameras_gets_a_file_of_its_own(tmp_path: Path) -> None:
    record(tmp_path / "film.mp4", step(0.0, camera="hall"), step(0.0, camera="../the garden"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film-_the_garden.mp4", "film-hall.mp4"]


def test_cameras_whose_names_become_alike_do_not_share_a_file(tmp_path: Path) -> None:
    record(tmp_path / "film.mp4", step(0.0, camera="a b", grey=40), step(0.0, camera="a/b", grey=220))
    assert greys(tmp_path / "film-a_b.mp4") == pytest.approx([40], abs=8)
    assert greys(tmp_path / "film-a_b_.mp4") == pytest.approx([220], abs=8)


def test_a_change_of_camera_is_no_picture(tmp_path: Path) -> None:
    change = CameraChange("hall", 0.0, CameraState.OFFLINE)
    notice = Notice("hall", 0.0, Activity(UNKNOWN, 0.0, 0.0), Warming(0, 20), change=change)
    record(tmp_path / "film.mp4", Step(notice, None))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_one_clear_line(tmp_path: Path) -> None:
    recorder = VideoRecorder(tmp_path / "missing" / "film.mp4", CONTRACT)
    with pytest.raises(SinkError, match=r"cannot record to .*missing/film\.mp4: the folder .* must exist") as caught:
        recorder.start()
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes").touch()
    with pytest.raises(SinkError, match="must exist and be writable"):
        VideoRecorder(tmp_path / "notes" / "film.mp4", CONTRACT).start()


def test_a_name_that_is_no_mp4_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"is an \.mp4 file, got .*film\.avi"):
        VideoRecorder(tmp_path / "film.avi", CONTRACT).start()


def test_a_video_that_was_not_written_does_not_get_the_name(tmp_path: Path) -> None:
    recorder = VideoRecorder(tmp_path / "film.mp4", CONTRACT)
    recorder.start()
    recorder.show(step(0.0))
    (tmp_path / "film-hall.part.mp4").unlink()
    with pytest.raises(SinkError, match="did not become a whole video"):
        recorder.close()
    assert not (tmp_path / "film.mp4").exists()


@pytest.mark.skipif(not cv2.currentUIFramework(), reason="this OpenCV has no windows")
def test_a_window_without_a_screen_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(SinkError, match="there is no screen") as caught:
        Display(CONTRACT, stop=lambda: None).start()
    assert "\n" not in str(caught.value)
