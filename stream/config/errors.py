"""Describes mistakes for the operator: what was expected, what the file has, and what may have been meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from harstream.stream.config.json_schema import KeyPath, choices, key_paths, schema_at
from harstream.wire.did_you_mean import closest_word
from harstream.wire.errors import Misfit
from harstream.wire.masking import masked_address

EXPECTED = {
    "bool_parsing": "true or false", "bool_type": "true or false",
    "int_parsing": "a whole number", "int_type": "a whole number", "int_from_float": "a whole number",
    "float_parsing": "a number", "float_type": "a number", "finite_number": "a number that is not infinite",
    "string_type": "a text; put numbers, dates, yes and no in quotes", "path_type": "the path of a file",
    "string_pattern_mismatch": "1 to 64 of the letters A-Z and a-z, digits, _ and -",
    "string_too_short": "a text that is not empty", "too_short": "one entry at least",
    "greater_than": "more than {gt:g}", "greater_than_equal": "{ge:g} or more", "less_than_equal": "{le:g} or less",
    "literal_error": "{expected}", "model_type": "keys and values", "dict_type": "keys and values",
    "tuple_type": "a list, each entry after a -", "list_type": "a list, each entry after a -",
}  # fmt: skip
"""Texts by pydantic's error type. Braces take values from the error's context."""


def root_mistakes(error: ValidationError) -> list[ErrorDetails]:
    """Return the mistakes without those that follow from others. A list with wrong items counts as too short, too."""
    found = error.errors(include_input=False, include_url=False)
    deep = {mistake["loc"][:depth] for mistake in found for depth in range(len(mistake["loc"]))}
    return [mistake for mistake in found if mistake["loc"] not in deep]


def key_path(mistake: ErrorDetails) -> KeyPath:
    return tuple(step for step in mistake["loc"] if step != "[key]")


def dotted(path: KeyPath) -> str:
    """Return a path with dots. A key may be a whole line without its colon, so passwords are hidden."""
    return ".".join(masked_address(str(step)) for step in path)


def describe(mistake: ErrorDetails, value: str | None) -> str:
    """Return the mistake as text. `value`: the part of the value that may be shown; None for a secret."""
    path, kind, context = key_path(mistake), mistake["type"], mistake.get("ctx", {})
    misfit = context.get("error")
    if isinstance(misfit, Misfit):
        return str(Misfit(misfit.expected, misfit.got, misfit.meant) if value is not None else Misfit(misfit.expected))
    if kind == "missing":
        return "this key is needed here"
    if kind == "extra_forbidden":
        return str(Misfit("there is no such key here", meant=_key_meant(path)))
    expected = EXPECTED[kind].format(**context) if kind in EXPECTED else mistake["msg"]
    return str(Misfit(f"expected {expected}", value or "", closest_word((value or "").strip("'"), choices(path))))


def _key_meant(path: KeyPath) -> str:
    """Return a similar key of the same section, or a key of that name in another section."""
    *above, last = path
    here = closest_word(str(last), schema_at(tuple(above)).get("properties", ()))
    return here or next((dotted(elsewhere) for elsewhere in key_paths() if elsewhere[-1] == last), "")


def describe_all(mistakes: Sequence[ErrorDetails], options: Mapping[KeyPath, tuple[str, object]]) -> str:
    """Return the mistakes as one line, without positions. `options`: option and value of the keys that it sets.

    Values of other keys are not shown, because they may be secret.
    """
    return "; ".join(_described(mistake, options) for mistake in mistakes)


def _described(mistake: ErrorDetails, options: Mapping[KeyPath, tuple[str, object]]) -> str:
    path = key_path(mistake)
    if path not in options:
        return f"{dotted(path)}: {describe(mistake, '')}"
    option, value = options[path]
    return f"{option}: {describe(mistake, repr(value))}"
