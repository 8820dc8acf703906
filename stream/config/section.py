"""What the sections of config.yaml have in common: frozen values that accept no unknown key."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationInfo,
    field_validator,
)
from pydantic_core import InitErrorDetails

from harstream.stream.config.validation_context import contract_in
from harstream.wire.did_you_mean import closest_word
from harstream.wire.errors import Misfit


def _index_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _known_activity(name: str, info: ValidationInfo) -> str:
    contract = contract_in(info)
    if contract and name not in contract.activities:
        known = ", ".join(contract.activities)
        raise Misfit(f"model {contract.name} knows {known}", repr(name), closest_word(name, contract.activities))
    return name


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]

Seconds = Annotated[float, Field(ge=0, le=86400)]
Port = Annotated[int, Field(ge=0, le=65535)]
SourceText = Annotated[str, BeforeValidator(_index_as_text, json_schema_input_type=str | int)]
Activity = Annotated[str, AfterValidator(_known_activity)]


SECRET: dict[str, JsonValue] = {"writeOnly": True}
"""The `json_schema_extra` of a key whose value no error may show."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @field_validator("*", mode="before")
    @classmethod
    def _a_number_is_no_boolean(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse `yes` and `true` for a number. Pydantic would take them as 1."""
        kinds = _types_in(cls.model_fields[info.field_name or ""].annotation)
        if isinstance(value, bool) and kinds & {int, float} and bool not in kinds:
            raise Misfit("expected a number", f"{str(value).lower()}, which YAML makes of yes and no, on and off, too")
        return value


def _types_in(annotation: Any) -> set[Any]:
    """Return the types of an annotation such as `float | None`."""
    inner = get_args(annotation)
    return set().union(*map(_types_in, inner)) if inner else {annotation}


def value_error(path: tuple[str | int, ...], misfit: Misfit) -> InitErrorDetails:
    """Return a mistake at `path` for ValidationError.from_exception_data. A wrap validator collects several."""
    return InitErrorDetails(type="value_error", loc=path, input=None, ctx={"error": misfit})


def line_error(mistake: Any) -> InitErrorDetails:
    """Return a mistake of a ValidationError for another one."""
    return InitErrorDetails(
        type=mistake["type"], loc=mistake["loc"], input=mistake["input"], ctx=mistake.get("ctx", {})
    )  # fmt: skip
