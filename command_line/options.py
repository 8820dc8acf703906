"""Makes the options of a command from the fields of a dataclass.

@dataclass(frozen=True)
class Recipe:
    epochs: Annotated[int, Option(min=1, help="Passes over the clips.")] = 60

@app.command()
@with_options(recipe=Recipe)
def train(out: Path, *, recipe: Mapping[str, Any]) -> None:     # --epochs 5 gives {"epochs": 5}, nothing gives {}
    made = replace(PRESETS["live"], **recipe)
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import MISSING, Field, dataclass, fields
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from typer.models import OptionInfo

Mark = TypeVar("Mark")


@dataclass(frozen=True)
class MeansNone:
    """Marks a field that can be None. This value of its option means None."""

    value: object


def with_options(**groups: type) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Replace each parameter of this name by options, one per field of the dataclass that has a `typer.Option`.

    The command receives a mapping from field to value that contains only the given options. A field without a default
    makes a required option. A field of type tuple[X, ...] makes an option that may be given several times. The help
    shows each group in its own panel.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        own = [parameter for name, parameter in signature.parameters.items() if name not in groups]
        options = {name: _options(name, group) for name, group in groups.items()}

        @functools.wraps(command)
        def wrapped(**values: Any) -> None:
            given = {name: _given(groups[name], values, [option.name for option in options[name]]) for name in groups}
            command(**{parameter.name: values[parameter.name] for parameter in own}, **given)

        parameters = [
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in (*own, *(option for group in options.values() for option in group))
        ]
        wrapped.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        wrapped.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return wrapped

    return decorate


def _options(panel: str, group: type) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    found = [(field, _marked(hints[field.name], OptionInfo)) for field in fields(group)]
    return [_option(field, hints[field.name], info, panel) for field, info in found if info is not None]


def _option(field: Field[Any], hint: Any, info: OptionInfo, panel: str) -> inspect.Parameter:
    info = copy(info)
    info.rich_help_panel = panel.capitalize()
    plain = get_args(hint)[0]
    kind = list[get_args(plain)[0]] if get_origin(plain) is tuple else plain  # type: ignore[misc]
    is_required = field.default is MISSING
    return inspect.Parameter(
        field.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if is_required else None,
        annotation=Annotated[kind if is_required else kind | None, info],
    )


def _given(group: type, values: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    hints = get_type_hints(group, include_extras=True)
    return {name: _value(hints[name], values[name]) for name in names if values[name] is not None}


def _value(hint: Any, value: Any) -> Any:
    none = _marked(hint, MeansNone)
    if none is not None and value == none.value:
        return None
    return tuple(value) if isinstance(value, list) else value


def _marked(hint: Any, kind: type[Mark]) -> Mark | None:
    """Return the mark of this kind in an Annotated type, or None."""
    marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return next((mark for mark in marks if isinstance(mark, kind)), None)
