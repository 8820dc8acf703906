"""What all messages share: their fields' types, and the way into JSON and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from harstream.wire.timestamps import seconds_of, timestamp


def _time(value: Any) -> Any:
    """Read seconds since the epoch, or a timestamp, to the millisecond. Leaves all else to the validation."""
    if isinstance(value, str):
        return round(seconds_of(value), 3)
    return round(value, 3) if isinstance(value, float) else value


def _rounded_to(digits: int) -> BeforeValidator:
    """Round a number before its range is checked: 1.00000001 is the score 1."""

    def rounded(value: Any) -> Any:
        if isinstance(value, float):
            return round(value, digits)
        return round(float(value), digits) if isinstance(value, np.floating) else value

    return BeforeValidator(rounded)


def _rounded_scores(values: Iterable[Any]) -> list[float]:
    numbers = values.tolist() if hasattr(values, "tolist") else values
    return [round(score, 4) for score in numbers]


Moment = Annotated[
    float,
    BeforeValidator(_time),
    PlainSerializer(timestamp, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}),
]
"""Seconds since the epoch here; RFC 3339 in UTC with milliseconds on the wire."""
Name = Annotated[str, Field(json_schema_extra={"pattern": r"^[A-Za-z0-9_-]{1,64}$"})]
"""Of a node or camera. Not checked here: config.yaml and `Topics` check it, and the page shows any name as text."""
Score = Annotated[float, Field(ge=0, le=1), _rounded_to(4)]
Scores = Annotated[list[Annotated[float, Field(ge=0, le=1)]], BeforeValidator(_rounded_scores)]
"""Scores of all labels, rounded in one go: an observation is built for each recognition."""
Seconds = Annotated[float, Field(json_schema_extra={"minimum": 0}), _rounded_to(3)]
"""Not negative, and not checked: one odd row of the history would end the answer about all others."""
Difference = Annotated[float, _rounded_to(3)]
"""Seconds that may be negative: a replay that starts again goes back in time."""
Count = Annotated[int, Field(ge=0)]
Tenths = Annotated[float, Field(ge=0), _rounded_to(1)]
Hundredths = Annotated[float, Field(ge=0), _rounded_to(2)]
Sha = Annotated[str, Field(pattern=r"^[0-9a-f]*$")]


def _without_default(schema: dict[str, Any]) -> None:
    del schema["default"]


def left_out_if_none(description: str) -> Any:
    """Declare a field that is not on the wire where it is None."""
    return Field(
        default=None,
        exclude_if=lambda value: value is None,
        description=description,
        json_schema_extra=_without_default,
    )


class Part(BaseModel):
    """A part of a message. NaN is refused: it is not JSON. Fields that a later version adds are ignored."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        serialize_by_alias=True,
        validate_by_name=True,
        validate_by_alias=True,
    )


class Message(Part):
    """One message."""

    id_of_schema: str = Field(alias="schema")

    def encode(self) -> bytes:
        """Write one line of UTF-8 without its line end."""
        return self.__pydantic_serializer__.to_json(self)  # model_dump_json() would decode it, to be encoded again

    def facts(self) -> dict[str, Any]:
        """The message as JSON has it."""
        return self.model_dump(mode="json")


class CameraMessage(Message):
    """A message about a camera."""

    node: Name
    camera: Name
    area: str | None
    """The room that the camera watches."""


class ModelMessage(Part):
    """The model that recognizes."""

    name: str
    version: str
    sha256: Sha
    """Of its ONNX files."""
