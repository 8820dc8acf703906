"""The section `activities`: when activities start and end, in general, per activity and per camera."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationInfo, create_model, field_validator

from harstream.stream.config.section import Activity, Seconds, Section
from harstream.stream.config.validation_context import contract_in
from harstream.stream.recognition.smoothing import SMOOTHING
from harstream.stream.recognition.tracker_settings import declared
from harstream.wire.errors import Misfit


def _settings_section(name: str, *, has_defaults: bool) -> type[Section]:
    """Make a section of the seven tracker settings. Without defaults, each may be null, which changes nothing."""
    made: dict[str, Any] = {}
    for key, setting in declared().items():
        limits = setting.limits
        number = Annotated[float, Field(gt=limits.above, ge=limits.at_least, le=limits.at_most)]
        default = setting.default if has_defaults else None
        text = f"{limits.description}; null: {limits.when_null}" if has_defaults and default is None else None
        field = Field(default=default, description=text or limits.description)
        made[key] = (number if default is not None else number | None, field)
    return create_model(name, __base__=Section, **made)


if TYPE_CHECKING:  # mypy does not know classes that are created at run time

    class _Settings(Section): ...

    class _Changes(Section): ...

else:
    _Settings = _settings_section("_Settings", has_defaults=True)
    _Changes = _settings_section("_Changes", has_defaults=False)


class Overrides(_Changes):
    """Tracker settings that differ from the general ones. null keeps a value; end_below needs start_above beside it."""

    @field_validator("end_below", check_fields=False)
    @classmethod
    def _not_above_the_start(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is None or "start_above" not in info.data:
            return value
        if info.data["start_above"] is None:
            raise Misfit("expected start_above beside end_below", "end_below alone")
        return _not_above("start_above", info.data["start_above"], value)

    def changes(self) -> dict[str, Any]:
        """Return the settings that are not null, by name."""
        return self.model_dump(include=set(declared()), exclude_none=True)


class CameraActivities(Overrides):
    overrides: dict[Activity, Overrides] = Field(
        default={}, description="other settings for single activities in front of this camera"
    )


class ActivitiesConfig(_Settings):
    smoothing: Seconds = Field(
        default=SMOOTHING, description="time constant of the exponential mean over the scores, in seconds"
    )
    overrides: dict[Activity, Overrides] = Field(
        default={}, description="other settings for single activities, e.g. {PushUps: {start_above: 0.7, hold: 3}}"
    )

    @field_validator("end_below", check_fields=False)
    @classmethod
    def _not_above_the_start(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is None or "start_above" not in info.data:
            return value
        start_above, contract = info.data["start_above"], contract_in(info)
        if start_above is None and contract:
            own = contract.unknown_threshold
            return _not_above(f"the threshold of model {contract.name} ({own:g})", own, value)
        return _not_above("start_above", start_above, value)

    def settings(self) -> dict[str, Any]:
        """Return the tracker settings that are not null, by name."""
        return self.model_dump(include=set(declared()), exclude_none=True)


def _not_above(limit: str, start_above: float | None, end_below: float) -> float:
    if start_above is not None and end_below > start_above:
        raise Misfit(f"expected end_below not above {limit}", f"{end_below:g}")
    return end_below
