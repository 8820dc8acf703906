"""Video files as they are found in the wild, decoded into pictures with times."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from clips.video import VideoError, pictures, stated_seconds

Film = Callable[..., Path]


@pytest.fixture
def film(tmp_path: Path) -> Film:
    """`film(name, count, rate)`: frames of 64x48 whose grey level is 10 more each time."""

    def film(name: str = "film.avi", count: int = 10, rate: float = 25.0) -> Path:
        file = tmp_path / name
        codec = cv2.VideoWriter.fourcc(*("MJPG" if name.endswith(".avi") else "mp4v"))
        writer = cv2.VideoWriter(str(file), codec, rate, (64, 48))
        assert writer.isOpened()
        for number in range(count):
            writer.write(np.full((48, 64, 3), number * 10 % 250, np.uint8))
        writer.release()
        return file

    return film


@pytest.mark.parametrize("name", ["film.avi", "film.mp4"])
@pytest.mark.parametrize("rate", [10.0, 25.0, 29.97])
def test_times_go_on_at_the_films_rate_from_0(film: Film, name: str, rate: float) -> None:
    times = [time for time, _ in pictures(film(name, rate=rate))]
    assert times == pytest.approx([number / rate for number in range(10)], abs=2e-3)


@pytest.mark.parametrize("name", ["film.avi", "film.mp4"])
def test_every_picture_comes_in_order_as_it_was_written(film: Film, name: str) -> None:
    found = [picture for _, picture in pictures(film(name))]
    assert {(picture.shape, picture.dtype) for picture in found} == {((48, 64, 3), np.dtype(np.uint8))}
    assert [picture.mean() for picture in found] == pytest.approx([number * 10 for number in range(10)], abs=4.9)


def test_pictures_do_not_share_memory(film: Film) -> None:
    first, second, *_ = [picture for _, picture in pictures(film())]
    assert not np.shares_memory(first, second)


def test_truncated_film_gives_the_pictures_it_still_has(film: Film) -> None:
    whole = film(count=60)
    cut = whole.with_name("cut.avi")
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    times = [time for time, _ in pictures(cut)]
    assert 10 < len(times) < 60
    assert all(earlier < later for earlier, later in pairwise(times))


@pytest.mark.parametrize("content", [b"", b"no film at all" * 100])
def test_file_that_is_no_film_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.mp4"
    file.write_bytes(content)
    with pytest.raises(VideoError, match=r"nothing that can be decoded in .*broken\.mp4"):
        next(pictures(file))


@pytest.mark.parametrize("name", ["none.mp4", "."])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(VideoError, match="expected a video file, found nothing at"):
        next(pictures(tmp_path / name))


def test_film_left_in_the_middle_is_closed(film: Film) -> None:
    source = pictures(film())
    next(source)
    source.close()  # type: ignore[attr-defined]
    assert next(source, None) is None


@pytest.mark.parametrize("name", ["film.avi", "film.mp4"])
def test_film_states_its_length(film: Film, name: str) -> None:
    assert stated_seconds(film(name, count=50)) == pytest.approx(2)


def test_file_that_is_no_film_states_no_length(tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no film at all")
    assert stated_seconds(tmp_path / "broken.mp4") == 0
    assert stated_seconds(tmp_path / "none.mp4") == 0
