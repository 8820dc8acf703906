from __future__ import annotations

from pathlib import Path

from harstream.stream.app.predict_files import camera_names


def test_each_file_becomes_a_camera_of_its_own() -> None:
    videos = [Path("a_2.mp4"), Path("a_b.mp4"), Path("a.mp4"), Path("x/a.mp4"), Path("b c.mp4"), Path("b-c.mp4")]
    assert camera_names(videos) == ["a_2", "a_b", "a", "a_3", "b_c", "b_c_2"]
