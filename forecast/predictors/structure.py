"""The structure of `dbn`: which parents each of its tables has, as a YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import yaml
from annotated_types import Gt
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from harstream.wire.did_you_mean import closest_word
from harstream.wire.errors import ConfigError, ConfigFileError, Misfit

SHIPPED = Path(__file__).with_name("structure.yaml")
NEXT_PARENTS = ("now", "previous", "hour", "weekend", "room", "recency")
LATER_PARENTS = (*NEXT_PARENTS, "age")
CROSSING = " x "


def parents_of(name: str) -> tuple[str, ...]:
    """Return the parents of a combination, such as `now x hour`."""
    return tuple(name.split(CROSSING))


def _known(parents: tuple[str, ...]) -> AfterValidator:
    def check(name: str) -> str:
        for parent in parents_of(name):
            if parent not in parents:
                meant = closest_word(parent, parents)
                raise Misfit(
                    f"expected {', '.join(parents)}, or several with{CROSSING}between them", f"{name!r}", meant
                )
        return name

    return AfterValidator(check)


_Penalty = Annotated[float, Gt(0)]


class Structure(BaseModel):
    """The parents of each table, with the penalty of their squared weights."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    next: Mapping[Annotated[str, _known(NEXT_PARENTS)], _Penalty]
    """Of the next activity."""
    later: Mapping[Annotated[str, _known(LATER_PARENTS)], _Penalty]
    """Of what goes on after a horizon."""


def read_structure(file: Path = SHIPPED) -> Structure:
    """Read a file. Raises ConfigFileError with one line per mistake, and ConfigError for a file that cannot be read."""
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot read it: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigFileError(f"{file}: expected YAML: {' '.join(str(error).split())}") from error
    try:
        return Structure.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise ConfigFileError("\n".join(f"{file}: {_line(each)}" for each in found)) from error


def _line(mistake: ErrorDetails) -> str:
    place = ": ".join(str(step) for step in mistake["loc"] if step != "[key]")
    misfit = mistake.get("ctx", {}).get("error")
    match mistake["type"]:
        case _ if isinstance(misfit, Misfit):
            text = str(misfit)
        case "missing":
            text = "this key is needed"
        case "extra_forbidden":
            text = f"there is no such key; expected {', '.join(Structure.model_fields)}"
        case "float_parsing" | "float_type" | "greater_than" | "finite_number":
            text = f"expected a number above 0, got {mistake['input']!r}"
        case "model_type" | "mapping_type" | "dict_type":
            text = f"expected keys and values, got {mistake['input']!r}"
        case _:
            text = mistake["msg"]
    return f"{place}: {text}" if place else text
