"""A video file behaves as a camera."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from harstream.stream.sources.file import FileSource
from harstream.stream.sources.playback_clock import PlaybackClock
from harstream.wire.errors import SourceError, Trouble
from harstream.wire.values import CameraChange, CameraState, Frame
from tests.support.films import WriteFilm


def test_a_file_goes_live_plays_every_frame_and_goes_offline(film: WriteFilm) -> None:
    source = FileSource("yard", film("yard.mp4", (1, 200)), PlaybackClock(start=100.0), threading.Event())
    first, *frames, last = source.frames()
    assert isinstance(first, CameraChange)
    assert (first.state, first.time) == (CameraState.LIVE, 100.0)
    assert [frame.time for frame in frames] == pytest.approx([100 + number / 25 for number in range(25)], abs=1e-3)
    assert {frame.camera for frame in frames if isinstance(frame, Frame)} == {"yard"}
    assert isinstance(last, CameraChange)
    assert (last.state, last.time, last.reason) == (CameraState.OFFLINE, frames[-1].time, "the file ended")


def test_a_broken_file_goes_offline_and_is_refused(tmp_path: Path) -> None:
    (tmp_path / "yard.mp4").write_bytes(b"no film")
    frames = FileSource("yard", tmp_path / "yard.mp4", PlaybackClock(), threading.Event()).frames()
    change = next(frames)
    assert isinstance(change, CameraChange)
    assert (change.state, change.trouble) == (CameraState.OFFLINE, Trouble.UNDECODABLE)
    with pytest.raises(SourceError, match=r"camera yard: .*yard\.mp4"):
        next(frames)


def test_a_stop_ends_a_file(film: WriteFilm) -> None:
    stopping = threading.Event()
    frames = FileSource("yard", film("yard.mp4", (4, 200)), PlaybackClock(), stopping).frames()
    next(frames)
    stopping.set()
    assert len(list(frames)) <= 1


def test_a_file_that_breaks_in_the_middle_is_not_reported_as_ended(film: WriteFilm) -> None:
    file = film("yard.avi", (6, 200), codec="MJPG")
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    seen: list[Frame | CameraChange] = []

    def play() -> None:
        for item in FileSource("yard", file, PlaybackClock(), threading.Event()).frames():
            seen.append(item)  # noqa: PERF402 (a comprehension would lose the items before the error)

    with pytest.raises(SourceError, match=r"camera yard: .* breaks after") as caught:
        play()
    assert caught.value.trouble is Trouble.UNDECODABLE
    last = seen[-1]
    assert isinstance(last, CameraChange)
    assert (last.state, last.trouble) == (CameraState.OFFLINE, Trouble.UNDECODABLE)
    assert len(seen) > 50
