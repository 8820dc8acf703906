"""What all messages share: the types of their fields, and how they become JSON."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError, WithJsonSchema

from harstream.wire.timestamps import seconds_of, timestamp


def _time(value: Any) -> Any:
    """Round seconds or an RFC 3339 timestamp to milliseconds. Return other values unchanged for pydantic to check."""
    if isinstance(value, str):
        return round(seconds_of(value), 3)
    return round(value, 3) if isinstance(value, float) else value


def _rounded_to(digits: int) -> BeforeValidator:
    """Round a number before pydantic checks its range, so that 1.00000001 is a valid score."""

    def rounded(value: Any) -> Any:
        if isinstance(value, float):
            return round(value, digits)
        return round(float(value), digits) if isinstance(value, np.floating) else value

    return BeforeValidator(rounded)


def _rounded_scores(values: Any) -> Any:
    """Round numbers. Return other values unchanged for pydantic to check."""
    numbers = values.tolist() if hasattr(values, "tolist") else values
    try:
        return [round(score, 4) for score in numbers]
    except TypeError:
        return values


Moment = Annotated[
    float,
    BeforeValidator(_time),
    PlainSerializer(timestamp, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}),
]
"""Seconds since the epoch in Python; RFC 3339 in UTC with milliseconds on the wire."""
Name = Annotated[str, Field(json_schema_extra={"pattern": r"^[A-Za-z0-9_-]{1,64}$"})]
"""The name of a node or camera. config.yaml and `Topics` check it, so a message does not."""
Score = Annotated[float, Field(ge=0, le=1), _rounded_to(4)]
Scores = Annotated[list[Annotated[float, Field(ge=0, le=1)]], BeforeValidator(_rounded_scores)]
"""Scores of all labels. One call rounds them all, because every recognition builds an observation."""
Seconds = Annotated[float, Field(json_schema_extra={"minimum": 0}), _rounded_to(3)]
"""Seconds, not negative by contract. The range is not checked: one odd row must not make the history unreadable."""
Difference = Annotated[float, _rounded_to(3)]
"""Seconds that may be negative, because a replay that starts again goes back in time."""
Count = Annotated[int, Field(ge=0)]
Person = Annotated[int, Field(ge=1)]
"""1, 2, ... in the order in which people came into view. It is no identity: who comes back gets another number."""
Tenths = Annotated[float, Field(ge=0), _rounded_to(1)]
Hundredths = Annotated[float, Field(ge=0), _rounded_to(2)]
Sha = Annotated[str, Field(pattern=r"^[0-9a-f]*$")]


def _without_default(schema: dict[str, Any]) -> None:
    del schema["default"]


def optional_field(description: str) -> Any:
    """Declare a field that is left out of the JSON if it is None."""
    return Field(
        default=None,
        exclude_if=lambda value: value is None,
        description=description,
        json_schema_extra=_without_default,
    )


def why_invalid(error: ValidationError) -> str:
    """Return the first mistake of a message from the network in one line: where it is, and what is wrong."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"])).encode("unicode_escape").decode()[:100]  # keys from the network
    return f"{where}: {first['msg']}"


class Part(BaseModel):
    """A part of a message. It refuses NaN, which is not JSON, and ignores fields that a later version adds."""

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
    """A whole message with the id of its schema."""

    id_of_schema: str = Field(alias="schema")

    def encode(self) -> bytes:
        """Write one line of UTF-8 without its line end."""
        # model_dump_json() would decode these bytes, and the caller would have to encode them again.
        return self.__pydantic_serializer__.to_json(self)

    def facts(self) -> dict[str, Any]:
        """Return the message as a dict of JSON values."""
        return self.model_dump(mode="json")


class CameraMessage(Message):
    """A message about a camera."""

    node: Name
    camera: Name
    area: str | None
    """The room that the camera watches."""


class ModelMessage(Part):
    """The model that recognizes activities."""

    name: str
    version: str
    sha256: Sha
    """The SHA-256 of its ONNX files."""


class EventWindowMessage(Part):
    """The window of frames at which the model looks."""

    frames: Count
    span_s: Seconds | None
    """Null for a model whose frames are spread evenly over a clip of any length."""
    gaps: Count
