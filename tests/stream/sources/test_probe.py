"""The probe reports what cameras send, or their error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harstream.models.catalogue import shipped
from harstream.stream.recognition.onnx_runtime import load_engine
from harstream.stream.sources.address import Scene, VideoFile
from harstream.stream.sources.network.camera_times import Anchor
from harstream.stream.sources.probe import LOWEST_RATE, CameraFormat, probe, probe_all
from harstream.wire.errors import SourceError
from tests.support.films import WriteFilm


def test_a_file_states_its_codec_size_and_rate(film: WriteFilm) -> None:
    seen = probe(VideoFile(film("yard.mp4", (1, 200))))
    assert seen == CameraFormat("mpeg4", 160, 120, 25.0, None)
    assert str(seen) == "mpeg4 160x120, 25 frames/s stated"


def test_the_scene_is_drawn() -> None:
    seen = probe(Scene(seed=1))
    assert (seen.codec, seen.measured) == ("drawn", None)


def test_a_measured_rate_is_shown_beside_the_stated_one() -> None:
    assert str(CameraFormat("h264", 1920, 1080, 25.0, 24.96)) == "h264 1920x1080, 25 frames/s stated, 25.0 measured"
    assert str(CameraFormat("h264", 1920, 1080, None, 12.5)) == "h264 1920x1080, no rate stated, 12.5 measured"


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "yard.mp4").write_bytes(b"no film")
    with pytest.raises(SourceError, match=r"yard\.mp4"):
        probe(VideoFile(tmp_path / "yard.mp4"))


def test_named_cameras_are_probed_in_order_and_errors_are_results(film: WriteFilm, tmp_path: Path) -> None:
    good, bad = VideoFile(film("yard.mp4", (1, 200))), VideoFile(tmp_path / "none.mp4")
    found = [one for one in probe_all([("hall", bad), ("yard", good)]) if one.name]
    assert [one.name for one in found] == ["hall", "yard"]
    assert isinstance(found[0].result, SourceError)
    assert isinstance(found[1].result, CameraFormat)
    assert "none.mp4" in str(found[0])
    assert str(found[1]).startswith("yard ")


def test_too_few_frames_and_wrong_times_are_remarked() -> None:
    good = CameraFormat("h264", 640, 480, 25.0, 25.0, 1.01)
    assert good.advice() == []
    (few,) = CameraFormat("h264", 640, 480, 5.0, 5.1, 1.0).advice()
    assert "raise its frame rate" in few
    (slow,) = CameraFormat("h264", 640, 480, 25.0, 21.0, 0.84).advice()
    assert "0.84 times" in slow
    (still,) = CameraFormat("h264", 640, 480, 25.0, 25.0, 0.0).advice()
    assert "stand still" in still


def test_the_lowest_rate_is_that_of_the_shipped_models() -> None:
    assert min(load_engine(name, "cpu").contract.live_rate for name in shipped()) == LOWEST_RATE


@pytest.mark.parametrize(("speed", "stamp"), [(0.84, lambda t: 0.84 * t), (0.0, lambda t: 0.0), (2.0, lambda t: 2 * t)])
def test_the_speed_of_a_cameras_times_is_measured(speed: float, stamp: Callable[[float], float]) -> None:
    anchor = Anchor()
    for number in range(50):
        anchor.time(stamp(number / 25), 100 + number / 25)
    assert anchor.speed == pytest.approx(speed)
