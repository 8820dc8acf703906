"""Video files of many kinds are decoded into pictures with times."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition
from av.video.stream import VideoStream
from numpy.typing import NDArray

from harstream.clips.video import SUFFIXES, BrokenVideo, DecodedPicture, VideoError, pictures, stated_seconds
from harstream.models.box import Box
from harstream.models.picture import Picture
from harstream.models.transform import to_model_frame

Film = Callable[..., Path]


@pytest.fixture
def film(tmp_path: Path) -> Film:
    """`film(name, count, rate)` writes frames of 64x48. The grey level of each is 10 higher than the previous one."""

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
def test_times_advance_from_0_at_the_rate_of_the_film(film: Film, name: str, rate: float) -> None:
    times = [time for time, _ in pictures(film(name, rate=rate))]
    assert times == pytest.approx([number / rate for number in range(10)], abs=2e-3)


@pytest.mark.parametrize("name", ["film.avi", "film.mp4"])
def test_pictures_come_in_the_order_in_which_they_were_written(film: Film, name: str) -> None:
    found = [picture.bgr() for _, picture in pictures(film(name))]
    assert {(picture.shape, picture.dtype) for picture in found} == {((48, 64, 3), np.dtype(np.uint8))}
    assert [picture.mean() for picture in found] == pytest.approx([number * 10 for number in range(10)], abs=4.9)


def test_pictures_do_not_share_memory(film: Film) -> None:
    first, second, *_ = [picture.bgr() for _, picture in pictures(film())]
    assert not np.shares_memory(first, second)


def noise(file: Path, codec: str, **options: str) -> Path:
    """Writes ten seconds of noise, whose size is the same in every second."""
    random = np.random.default_rng(1)
    with av.open(str(file), "w", options=options) as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(250):
            picture = random.integers(0, 255, (48, 64, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    return file


BREAKABLE = [
    ("a.mp4", "libx264", {"movflags": "faststart"}), ("fragments.mp4", "libx264", {"movflags": "frag_keyframe"}),
    ("a.mkv", "libx264", {}), ("a.avi", "mpeg4", {}), ("a.flv", "flv", {}), ("a.webm", "libvpx", {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "codec", "options"), BREAKABLE)
def test_a_file_that_is_cut_off_gives_its_pictures_and_is_then_reported(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    file = noise(tmp_path / name, codec, **options)
    assert len(list(pictures(file))) == 250
    content = file.read_bytes()
    file.write_bytes(content[: len(content) * 6 // 10])
    with pytest.raises(BrokenVideo, match=rf"{name} breaks after [5-7]\.\d seconds"):
        list(pictures(file))
    times = [time for time, _ in take_while_readable(file)]
    assert 100 < len(times) < 200
    assert all(earlier < later for earlier, later in pairwise(times))


def take_while_readable(file: Path) -> list[tuple[float, Picture]]:
    found: list[tuple[float, Picture]] = []
    with suppress(BrokenVideo):
        for pair in pictures(file):
            found.append(pair)  # noqa: PERF402 (a comprehension would lose the pictures before the error)
    return found


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "mpeg4"), ("a.mkv", "libx264"), ("a.ts", "libx264")])
def test_a_file_whose_second_half_was_never_written_is_reported(tmp_path: Path, name: str, codec: str) -> None:
    file = noise(tmp_path / name, codec)
    content = bytearray(file.read_bytes())
    content[len(content) * 6 // 10 : len(content) * 95 // 100] = bytes(
        len(content) * 95 // 100 - len(content) * 6 // 10
    )
    file.write_bytes(content)
    with pytest.raises(BrokenVideo, match="breaks after"):
        list(pictures(file))


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_every_listed_ending_is_decoded(tmp_path: Path, suffix: str) -> None:
    codecs = {".wmv": "wmv2", ".flv": "flv", ".mpg": "mpeg2video", ".mpeg": "mpeg2video", ".webm": "libvpx"}
    file = noise(tmp_path / f"a{suffix}", codecs.get(suffix, "mpeg4" if suffix == ".avi" else "libx264"))
    assert len(list(pictures(file))) == 250


def test_a_cover_picture_is_not_the_video(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 640, 480, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        container.mux(cover.encode(av.VideoFrame.from_ndarray(np.zeros((480, 640, 3), np.uint8), format="bgr24")))
        container.mux(cover.encode())
        for _ in range(50):
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="bgr24")))
        container.mux(video.encode())
    found = [picture.bgr().shape for _, picture in pictures(tmp_path / "a.mp4")]
    assert found == [(48, 64, 3)] * 50


@pytest.mark.parametrize("content", [b"", b"no film at all" * 100])
def test_file_that_is_no_film_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.mp4"
    file.write_bytes(content)
    with pytest.raises(VideoError, match=r"nothing that can be decoded in .*broken\.mp4"):
        next(pictures(file))


@pytest.mark.parametrize("name", ["none.mp4", "."])
def test_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(VideoError, match="expected a video file, found nothing at"):
        next(pictures(tmp_path / name))


def test_a_stream_that_begins_in_the_middle_of_a_file_does_not_end_it(tmp_path: Path) -> None:
    first, second = noise(tmp_path / "a.ts", "libx264"), noise(tmp_path / "b.ts", "mpeg2video", mpegts_start_pid="768")
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes() + first.read_bytes())
    assert len(take_while_readable(joined)) == 500


def test_a_video_of_an_unknown_codec_is_refused(film: Film) -> None:
    file = film()
    file.write_bytes(file.read_bytes().replace(b"MJPG", b"\x01\x02\x03\x04"))
    with pytest.raises(VideoError, match="nothing that can be decoded"):
        next(pictures(file))


@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_so(film: Film) -> None:
    file = film()
    file.chmod(0)
    with pytest.raises(VideoError, match="permission denied"):
        next(pictures(file))


def test_film_that_is_left_in_the_middle_is_closed(film: Film) -> None:
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


def painted(height: int, width: int) -> NDArray[np.uint8]:
    """Returns a smooth picture of many colours that differ in every corner."""
    down, across = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    return np.stack([255 * down, 255 * across, 255 * (1 - down * across)], axis=-1).astype(np.uint8)


def encoded(file: Path, picture: NDArray[np.uint8], pixels: str, colorspace: int = 5, color_range: int = 1) -> Path:
    """Writes the picture five times as H.264 that declares its colour space and range."""
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = picture.shape[0], picture.shape[1], pixels
        stream.options = {"crf": "1"}
        stream.codec_context.colorspace, stream.codec_context.color_range = colorspace, color_range
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame = frame.reformat(format=pixels, dst_colorspace=colorspace, dst_color_range=color_range)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file


@pytest.mark.parametrize("size", [(120, 160), (240, 320), (1080, 1920)])
@pytest.mark.parametrize("pixels", ["yuv420p", "yuvj420p", "yuv444p"])
@pytest.mark.parametrize("colorspace", [5, 1], ids=["BT.601", "BT.709"])
def test_the_model_gets_the_colours_that_were_filmed(
    tmp_path: Path, size: tuple[int, int], pixels: str, colorspace: int
) -> None:
    picture = painted(*size)
    file = encoded(tmp_path / "film.mp4", picture, pixels, colorspace, 2 if pixels == "yuvj420p" else 1)
    found = [shown.model_frame(64, 64).astype(int) for _, shown in pictures(file)]
    assert len(found) == 5
    assert np.abs(found[0] - to_model_frame(picture, 64, 64)).mean() < 2.5
    part = Box(0.25, 0.5, 0.75, 1.0)
    shown = next(shown for _, shown in pictures(file))
    assert np.abs(shown.model_frame(64, 64, part).astype(int) - to_model_frame(picture, 64, 64, part)).mean() < 3


@pytest.mark.parametrize(("turned", "quarters"), [(90, -1), (180, 2), (270, 1)])
def test_a_film_of_a_phone_is_shown_upright(tmp_path: Path, turned: int, quarters: int) -> None:
    picture = painted(240, 320)
    film = encoded(tmp_path / "film.mp4", picture, "yuv420p")
    matrix = (
        film.read_bytes().index(b"tkhd") + 44
    )  # the matrix has 9 numbers in 16.16 and 2.30 bits, see ISO/IEC 14496-12
    cosine, sine = round(np.cos(np.radians(turned))), round(np.sin(np.radians(turned)))
    numbers = (np.array([cosine, sine, 0, -sine, cosine, 0, 0, 0, 0x4000]) * 0x10000).astype(">i4")
    content = film.read_bytes()
    film.write_bytes(content[:matrix] + numbers.tobytes() + content[matrix + 36 :])
    upright = np.rot90(picture, quarters)
    _, shown = next(pictures(film))
    assert shown.size == upright.shape[:2]
    assert np.abs(shown.bgr().astype(int) - upright).mean() < 4
    assert np.abs(shown.model_frame(64, 64).astype(int) - to_model_frame(upright, 64, 64)).mean() < 2.5


def test_a_damaged_part_costs_only_its_own_pictures(film: Film) -> None:
    whole = film(count=60)
    content = bytearray(whole.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(200)
    whole.write_bytes(content)
    found = [picture.bgr().mean() for _, picture in pictures(whole)]
    assert len(found) > 50
    assert found[-1] == pytest.approx(590 % 250, abs=4.9)


def test_a_frame_of_a_hardware_decoder_gives_the_same_model_frame() -> None:
    """NV12 has the same samples as planar 4:2:0, with U and V in turns in one plane."""
    levels = np.random.default_rng(3).integers(0, 256, (96, 100, 3), dtype=np.uint8)
    planar = av.VideoFrame.from_ndarray(levels, format="bgr24").reformat(format="yuv420p")

    interleaved = planar.reformat(format="nv12")

    assert interleaved.format.name == "nv12"
    expected = DecodedPicture(planar).model_frame(32, 32)
    np.testing.assert_array_equal(DecodedPicture(interleaved).model_frame(32, 32), expected)
