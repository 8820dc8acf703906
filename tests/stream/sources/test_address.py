"""The value of `source` names a source, or an error says what is expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from harstream.stream.sources.address import (
    NetworkCamera,
    Scene,
    Source,
    VideoFile,
    Webcam,
    WebcamName,
    parse_source,
)
from harstream.wire.errors import Misfit


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("0", Webcam(0)),
        ("99", Webcam(99)),
        ("rtsp://anna:pw@camera/stream", NetworkCamera("rtsp://anna:pw@camera/stream")),
        ("rtsps://camera/", NetworkCamera("rtsps://camera/")),
        ("RTSP://Anna:Pw@Camera/Stream", NetworkCamera("rtsp://Anna:Pw@Camera/Stream")),
        ("HTTP://camera/snap.jpg", NetworkCamera("http://camera/snap.jpg")),
        ("https://camera/live.m3u8", NetworkCamera("https://camera/live.m3u8")),
        ("rtsp://anna:a:b@[fe80::1%eth0]:554/1", NetworkCamera("rtsp://anna:a:b@[fe80::1%eth0]:554/1")),
        ("/dev/video2", Webcam("/dev/video2")),
        ("/dev/v4l/by-id/usb-046d_C920-video-index0", Webcam("/dev/v4l/by-id/usb-046d_C920-video-index0")),
        ("webcam:Logitech C920", Webcam(WebcamName("Logitech C920"))),
        ("Webcam: HD Camera: HD", Webcam(WebcamName("HD Camera: HD"))),
        ("clips/yard.mp4", VideoFile(Path("clips/yard.mp4"))),
        ("scene", Scene()),
        ("scene?seed=8&seconds=2.5", Scene(8, 2.5)),
        ("scene?seed=8&routine=1&people=2", Scene(8, has_routine=True, people=2)),
    ],
)
def test_kind_of_source_follows_from_the_text(text: str, source: Source) -> None:
    assert parse_source(text) == source


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ("expected a webcam's index", "got nothing")),
        ("100", ("0 to 99", "got 100")),
        ("rstp://camera/", ("got rstp://...", "did you mean rtsp://")),
        ("ftp://camera/", ("expected", "got ftp://...")),
        ("rtsp://fe80::1/1", ("expected an IPv6 address in brackets", "rtsp://[::1]")),
        ("rtsp://anna:geheim@2001:db8::7:554/1", ("expected an IPv6 address in brackets",)),
        ("webcam:", ("expected a webcam's name", "webcam:Logitech", "got nothing")),
        ("webcam:\x1b[2J", ("expected a webcam's name", r"\x1b")),
        ("scene?seed=x", ("expected scene?seed=1&seconds=60&routine=1&people=2", "scene?seed=x")),
        ("scene?seconds=0", ("expected scene?seed=1&seconds=60&routine=1&people=2",)),
        ("scene?routine=yes", ("expected scene?seed=1&seconds=60&routine=1&people=2",)),
        ("scene?people=0", ("expected scene?seed=1&seconds=60&routine=1&people=2",)),
        ("scene?people=3", ("expected scene?seed=1&seconds=60&routine=1&people=2",)),
        ("scene?sed=1", ("expected scene?seed=1&seconds=60&routine=1&people=2",)),
    ],
)
def test_text_that_names_no_source_is_refused(text: str, parts: tuple[str, ...]) -> None:
    with pytest.raises(Misfit) as refused:
        parse_source(text)
    assert all(part in str(refused.value) for part in parts)


def test_a_missing_file_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "yard.mp4").touch()
    VideoFile(tmp_path / "yard.mp4").check_exists()
    with pytest.raises(Misfit) as refused:
        VideoFile(tmp_path / "yrad.mp4").check_exists()
    assert f"did you mean {tmp_path / 'yard.mp4'}" in str(refused.value)


def test_a_missing_file_that_may_hold_a_password_is_not_repeated() -> None:
    with pytest.raises(Misfit) as refused:
        VideoFile(Path("rtsp:/anna:geheim@camera")).check_exists()
    assert "geheim" not in str(refused.value)
