"""No damage to a config, a model or a clip gives anything but one line."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from harstream.clips.video import VideoError, pictures, stated_format, stated_seconds
from harstream.models.catalogue import TRAINED
from harstream.stream.config.file import load_config
from harstream.stream.recognition.onnx_runtime import load_engine
from harstream.wire.errors import HarstreamError
from tests.support.damage import DAMAGES, damaged

REPOSITORY = Path(__file__).parents[1]
YAML = (
    b"yes", b"null", b"!!python/object:os.system x", b"&a", b"*a", b"<<: *a", b"${", b"${A}", b"!file x", b"[", b"{",
    b"\xff", b"\0", b"1e999", b".nan", b"99999999999999999999", b"2026-01-01", b"\t", b"? ", b"- ", b": ", b"'", b'"',
    b"\xe2\x80\xae", b"12:30:45", b"!!binary aGk=", b"!!set {a}", b"\n---\n",
)  # fmt: skip
LIBRARIES = ("Input should", "Value error", "codec can't", "[type=")


def test_no_damaged_config_gives_another_error(tmp_path: Path) -> None:
    good = (REPOSITORY / "config.yaml").read_bytes()
    file = tmp_path / "config.yaml"
    chance = random.Random(5)
    for _ in range(DAMAGES):
        bad = bytearray(damaged(good, chance) if chance.random() < 0.3 else good)
        for _ in range(chance.choice([1, 2, 5, 20])):
            place = chance.randrange(len(bad) + 1)
            bad[place : place + chance.choice([0, 0, 5])] = chance.choice(YAML)
        file.write_bytes(bad)
        try:
            load_config(file)
        except HarstreamError as error:
            refusal = str(error)
            found = [words for words in LIBRARIES if words in refusal]
            if found:
                pytest.fail(f"{found} in {refusal}")


@pytest.mark.parametrize("model", ["lrcn", "convlstm"])
def test_no_damaged_model_gives_another_error(tmp_path: Path, model: str) -> None:
    good = (TRAINED / model / "model.onnx").read_bytes()
    file = tmp_path / "model.onnx"
    chance = random.Random(3)
    for _ in range(DAMAGES // 2):
        file.write_bytes(damaged(good, chance))
        try:
            load_engine(str(file), "cpu")
        except HarstreamError as error:
            if "\n" in str(error):
                pytest.fail(f"several lines: {error}")


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [(".mp4", "libx264"), (".mkv", "libx264"), (".avi", "mpeg4"), (".ts", "libx264"), (".mpg", "mpeg2video")],
)
def test_no_damaged_clip_gives_another_error(tmp_path: Path, suffix: str, codec: str) -> None:
    file = tmp_path / f"clip{suffix}"
    with av.open(str(file), "w") as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        noise = np.random.default_rng(1)
        for _ in range(50):
            frame = av.VideoFrame.from_ndarray(noise.integers(0, 256, (48, 64, 3), np.uint8), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    good = file.read_bytes()
    chance = random.Random(7)
    for _ in range(DAMAGES // 2):
        file.write_bytes(damaged(good, chance))
        stated_seconds(file)
        with suppress(VideoError):
            stated_format(file)
        with suppress(VideoError):
            for _, picture in pictures(file):
                picture.model_frame(32, 32)
