"""The recording time of a file comes from its name or from its container."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from harstream.clips.recording_time import recorded_at

WHEN = datetime(2026, 11, 20, 14, 5, 9)


def film(file: Path, **metadata: str) -> Path:
    with av.open(str(file), "w") as container:
        container.metadata.update(metadata)
        stream = container.add_stream("libx264", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="bgr24")))
        container.mux(stream.encode())
    return file


@pytest.mark.parametrize(
    "name",
    [
        "2026-11-20_14-05-09",
        "20261120T140509",
        "20261120140509",
        "20261120_140509",
        "2026-11-20 14.05.09",
        "cam1_2026-11-20-14-05-09_motion",
        "VID_20261120_140509_1",
        "hall 2026-11-20T14h05m09",
    ],
)
def test_time_in_the_name_is_local_time(tmp_path: Path, name: str) -> None:
    assert recorded_at(tmp_path / f"{name}.mp4") == WHEN.timestamp()


@pytest.mark.parametrize(
    "name",
    ["clip", "0800", "2026-11-20", "v_PushUps_g09_c01", "20261320T140509", "1202611201405091", "2026-11-20_25-05-09"],
)
def test_name_without_a_date_and_a_time_gives_no_time(tmp_path: Path, name: str) -> None:
    assert recorded_at(tmp_path / f"{name}.mp4") is None


def test_container_gives_the_recording_time(tmp_path: Path) -> None:
    file = film(tmp_path / "clip.mp4", creation_time="2026-11-20T13:05:09.000000Z")
    assert recorded_at(file) == datetime(2026, 11, 20, 13, 5, 9, tzinfo=UTC).timestamp()


def test_name_takes_precedence_over_the_container(tmp_path: Path) -> None:
    file = film(tmp_path / "2026-11-20_14-05-09.mp4", creation_time="2027-01-01T00:00:00.000000Z")
    assert recorded_at(file) == WHEN.timestamp()


@pytest.mark.parametrize("metadata", [{}, {"creation_time": "1970-01-01T00:00:01.000000Z"}])
def test_container_without_a_real_time_gives_no_time(tmp_path: Path, metadata: dict[str, str]) -> None:
    assert recorded_at(film(tmp_path / "clip.mp4", **metadata)) is None


def test_file_that_is_no_film_gives_no_time(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"no film")
    assert recorded_at(tmp_path / "clip.mp4") is None
