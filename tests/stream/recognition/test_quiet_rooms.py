"""In a room without anybody, the default model recognizes nothing, whatever the camera and the weather do."""

from __future__ import annotations

import pytest

from harstream.models.transform import BgrPicture
from harstream.stream.app.pipeline_from_config import new_pipeline
from harstream.stream.config.model import Config
from harstream.stream.recognition.onnx_runtime import load_engine
from harstream.wire.values import Frame
from tests.support.quiet_rooms import KINDS, quiet_room

MISTAKEN = {"fan", "television"}
"""What looks like somebody to the default model, where it moves all the time."""


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - MISTAKEN))
def test_nobody_is_recognized(kind: str) -> None:
    pipeline = new_pipeline(Config(), load_engine("flow_tcn", "cpu"))
    frames = ([Frame("hall", time, BgrPicture(picture))] for time, picture in quiet_room(kind, 24))
    assert [event for step in pipeline.steps(frames) for event in step.notice.events] == []
