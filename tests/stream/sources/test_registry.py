"""The registry gives the source for each kind of address."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from harstream.stream.sources.address import NetworkCamera, Scene, Source, VideoFile, Webcam
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.file import FileSource
from harstream.stream.sources.reconnecting import ReconnectingSource
from harstream.stream.sources.registry import new_source
from harstream.stream.sources.scene import SceneSource
from harstream.wire.errors import SourceError
from tests.support.films import WriteFilm


@pytest.mark.parametrize(
    ("address", "kind", "is_live"),
    [
        (Webcam(0), ReconnectingSource, True),
        (NetworkCamera("rtsp://camera/"), ReconnectingSource, True),
        (Scene(1, 2.0), SceneSource, False),
    ],
)
def test_each_kind_of_address_has_its_source(address: Source, kind: type, is_live: bool) -> None:
    source = new_source("hall", address, Clock(), must_open=True)(threading.Event())
    assert isinstance(source, kind)
    assert (source.camera, source.is_live) == ("hall", is_live)


def test_a_missing_file_is_refused(film: WriteFilm, tmp_path: Path) -> None:
    found = new_source("hall", VideoFile(film("a.mp4", (1, 0))), Clock(), must_open=True)(threading.Event())
    assert isinstance(found, FileSource)
    with pytest.raises(SourceError, match=r"camera hall: .*no such file"):
        new_source("hall", VideoFile(tmp_path / "b.mp4"), Clock(), must_open=True)
