"""One entry of the section `cameras`."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator

from harstream.stream.config.activities import CameraActivities
from harstream.stream.config.section import Name, Section, SourceText
from harstream.stream.config.validation_context import must_exist
from harstream.stream.sources.address import VideoFile, parse_source


class CameraConfig(Section):
    name: Name = Field(description="part of the topics, like node")
    source: SourceText = Field(
        description="a webcam's index, rtsp://user:password@host/path, a video file, or scene (the demo)"
    )
    area: str | None = Field(default=None, description="the room that the camera watches, for the smart home")
    activities: CameraActivities | None = Field(
        default=None, description="settings that differ from `activities` below, e.g. {start_above: 0.9, hold: 3}"
    )

    @field_validator("source")
    @classmethod
    def _check_exists(cls, text: str, info: ValidationInfo) -> str:
        source = parse_source(text)
        if isinstance(source, VideoFile) and must_exist("cameras", info):
            source.check_exists()
        return text
