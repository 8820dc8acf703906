"""One entry of the section `cameras`."""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field, ValidationInfo, field_validator

from harstream.stream.config.activities import CameraActivities
from harstream.stream.config.section import Name, Section, SourceText
from harstream.stream.config.validation_context import must_exist
from harstream.stream.recognition.views.settings import ViewKind
from harstream.stream.sources.address import (
    CaptureFormat,
    Decoder,
    NetworkCamera,
    Source,
    Transport,
    VideoFile,
    Webcam,
    parse_source,
)
from harstream.wire.errors import Misfit

Crop = tuple[float, ...]
"""Left, top, right and bottom, in shares of the picture's sides."""


class WebcamConfig(Section):
    fourcc: str | None = Field(default=None, pattern="^[A-Za-z0-9]{4}$", description="pixel format or codec, e.g. MJPG")
    width: int | None = Field(default=None, ge=16, le=8192, description="pixels")
    height: int | None = Field(default=None, ge=16, le=8192, description="pixels")
    fps: float | None = Field(default=None, gt=0, le=240, description="frames per second")


class CameraConfig(Section):
    name: Name = Field(description="part of the topics, like node")
    title: str | None = Field(default=None, description="what the page and the smart home call the camera, e.g. Küche")
    source: SourceText = Field(
        description="a webcam's index, webcam:NAME or /dev/..., rtsp://user:password@host/path, http://..., a video "
        "file, or scene"
    )
    transport: Transport = Field(
        default="auto", description="how RTSP pictures come: tcp, udp, or auto: udp only if the camera refuses tcp"
    )
    decoder: Decoder = Field(
        default="cpu",
        description="what decodes RTSP video: cpu, or hardware (NVDEC, VideoToolbox) for many or large pictures",
    )
    webcam: WebcamConfig | None = Field(
        default=None, description="what to ask of a webcam, e.g. {fourcc: MJPG, width: 1280, height: 720, fps: 30}"
    )
    view: ViewKind | None = Field(default=None, description="what the model sees of this camera; null: as `view` above")
    crop: Crop | None = Field(
        default=None,
        description="the part of the picture that is watched, [left, top, right, bottom] in shares of its sides, e.g. "
        "[0, 0.2, 0.5, 1]; null: all of it",
    )
    area: str | None = Field(default=None, description="the room that the camera watches, for the smart home")
    activities: CameraActivities | None = Field(
        default=None, description="settings that differ from `activities` below, e.g. {start_above: 0.9, hold: 3}"
    )

    @property
    def parsed_source(self) -> Source:
        """The source with the settings of its kind."""
        match parse_source(self.source):
            case NetworkCamera() as camera:
                return replace(camera, transport=self.transport, decoder=self.decoder)
            case Webcam() as webcam if self.webcam is not None:
                return replace(webcam, capture=CaptureFormat(**self.webcam.model_dump()))
            case source:
                return source

    @field_validator("crop")
    @classmethod
    def _check_crop(cls, crop: Crop | None) -> Crop | None:
        if crop is None:
            return None
        if len(crop) == 4:
            left, top, right, bottom = crop
            if 0 <= left < right <= 1 and 0 <= top < bottom <= 1:
                return crop
        raise Misfit("expected [left, top, right, bottom] from 0 to 1, left < right and top < bottom", str(list(crop)))

    @field_validator("title")
    @classmethod
    def _check_title(cls, title: str | None) -> str | None:
        """Refuse what other programs, which show the title, may take for markup or for control characters."""
        if title is None or (
            title.strip() and len(title) <= 64 and title.isprintable() and not set("<>&") & set(title)
        ):
            return title
        raise Misfit("expected 1 to 64 printable characters without < > &", repr(title[:64]))

    @field_validator("source")
    @classmethod
    def _check_exists(cls, text: str, info: ValidationInfo) -> str:
        source = parse_source(text)
        if isinstance(source, VideoFile) and must_exist("cameras", info):
            source.check_exists()
        return text
