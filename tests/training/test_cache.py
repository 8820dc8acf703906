"""The cache keeps decoded clips on disk. It names bad clips and decodes no clip twice."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from harstream.clips.listing import Clip
from harstream.models.contract import ModelContract
from harstream.training.cache import decode_all

pytestmark = pytest.mark.training

CONTRACT = ModelContract("m", "1", ("Jump", "Walk"), frames=5, height=16, width=16)


@pytest.fixture
def film(tmp_path: Path) -> Callable[..., Clip]:
    def film(name: str, count: int = 8, level: int = 100) -> Clip:
        file = tmp_path / name
        writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
        for _ in range(count):
            writer.write(np.full((48, 64, 3), level, np.uint8))
        writer.release()
        return Clip(file, "Walk", name, "train")

    return film


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_clip_is_decoded_to_model_frames_and_their_times(film: Callable[..., Clip], folder: Path) -> None:
    (clip,), rejected = decode_all([film("a.avi")], CONTRACT, folder)
    assert rejected == []
    assert (clip.frames.shape, clip.frames.dtype) == ((8, 16, 16, 3), np.uint8)
    assert clip.times.tolist() == pytest.approx([number / 10 for number in range(8)], abs=1e-3)
    assert clip.frames.mean() == pytest.approx(100, abs=3)


def test_cached_frames_cannot_be_changed(film: Callable[..., Clip], folder: Path) -> None:
    (clip,), _ = decode_all([film("a.avi")], CONTRACT, folder)
    with pytest.raises(ValueError, match="read-only"):
        clip.frames[0] = 0


def test_unusable_clips_are_named_and_the_others_kept_in_order(
    film: Callable[..., Clip], folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty.avi").touch()
    (tmp_path / "broken.avi").write_bytes(b"no film" * 100)
    (tmp_path / "link.avi").symlink_to(tmp_path / "nowhere.avi")
    bad = [Clip(tmp_path / f"{name}.avi", "Walk", name, "train") for name in ("empty", "broken", "link")]
    clips = [film("b.avi"), bad[0], film("short.avi", count=4), bad[1], bad[2], film("a.avi")]
    decoded, rejected = decode_all(clips, CONTRACT, folder)
    assert [one.clip.path.name for one in decoded] == ["b.avi", "a.avi"]
    assert [one.clip.path.name for one in rejected] == ["empty.avi", "short.avi", "broken.avi", "link.avi"]
    assert rejected[1].reason == "too short: 4 frames, a window needs 5"
    assert all(one.reason for one in rejected)


def test_clip_without_a_window_between_two_gaps_is_named(film: Callable[..., Clip], folder: Path) -> None:
    clip = film("slow.avi")  # the clip has 10 Hz: a model of 60 Hz sees a gap after each frame
    decoded, rejected = decode_all([clip], replace(CONTRACT, rate=60.0), folder)
    assert (decoded, rejected[0].clip) == ([], clip)
    assert "without a gap" in rejected[0].reason


def test_cached_entry_is_used_again(film: Callable[..., Clip], folder: Path) -> None:
    clip = film("a.avi")
    decode_all([clip], CONTRACT, folder)
    (entry,) = folder.glob("*.frames.npy")
    np.save(entry, np.full((8, 16, 16, 3), 7, np.uint8))  # frames of level 7 can only come from this entry
    (again,), _ = decode_all([clip], CONTRACT, folder)
    assert np.unique(again.frames).tolist() == [7]


def test_incomplete_entry_is_decoded_again(film: Callable[..., Clip], folder: Path) -> None:
    clip = film("a.avi")
    decode_all([clip], CONTRACT, folder)
    (entry,) = folder.glob("*.frames.npy")
    entry.unlink()
    (again,), _ = decode_all([clip], CONTRACT, folder)
    assert len(again.frames) == 8


def test_another_version_of_the_file_is_another_entry(film: Callable[..., Clip], folder: Path) -> None:
    clip = film("a.avi")
    decode_all([clip], CONTRACT, folder)
    film("a.avi", level=200)
    os.utime(clip.path, (1, 1))
    (again,), _ = decode_all([clip], CONTRACT, folder)
    assert again.frames.mean() == pytest.approx(200, abs=3)


def test_another_size_is_another_entry(film: Callable[..., Clip], folder: Path) -> None:
    clip = film("a.avi")
    for contract in (CONTRACT, replace(CONTRACT, height=8), replace(CONTRACT, width=8)):
        (decoded,), _ = decode_all([clip], contract, folder)
        assert decoded.frames.shape[1] == contract.height
    assert len(list(folder.glob("*.frames.npy"))) == 3


def test_no_incomplete_file_is_left(film: Callable[..., Clip], folder: Path) -> None:
    decode_all([film("a.avi")], CONTRACT, folder)
    assert sorted("".join(path.suffixes) for path in folder.iterdir()) == [".frames.npy", ".times.npy"]
