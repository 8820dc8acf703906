"""Writes a config.yaml with the schema's descriptions as comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

import yaml

from harstream.stream.config.json_schema import KeyPath, schema_at
from harstream.stream.config.model import Config
from harstream.stream.config.yaml_positions import FILE

COMMENTS_AT, WIDEST = 30, 120
"""The column at which comments begin, and the longest line, in characters."""


class WithVariables(str):
    """A text in which ${NAME} stands for an environment variable."""


class FromFile(str):
    """The path of a file that contains the value, relative to the folder of config.yaml."""


def config_text(values: Mapping[str, Any], schema: str | None = None) -> str:
    """Return the text of a config.yaml.

    `values` are those of `Config.model_dump`, with WithVariables and FromFile in place of secrets. `schema` is the path
    of the schema for editors, relative to the folder of config.yaml.
    """
    lines = [] if schema is None else [f"# yaml-language-server: $schema={schema}"]
    lines += [f"# {line}" for line in wrap(_one_line(schema_at(())["description"]), WIDEST - 2)]
    if values == Config().model_dump():
        lines.append("# All values here are the defaults.")
    for key, value in values.items():
        is_section = isinstance(value, Mapping | Sequence) and not isinstance(value, str)
        before = [] if lines[-1] == "" or not (is_section or lines[-1].startswith("#")) else [""]
        lines += [*before, *_entry((key,), key, value, 0), *([""] if is_section else [])]
    return "\n".join(lines).rstrip("\n") + "\n"


def _entry(path: KeyPath, key: str, value: Any, indent: int, *, is_commented: bool = True) -> Iterator[str]:
    comment = _one_line(schema_at(path).get("description", "")) if is_commented else ""
    if isinstance(value, Mapping) and value:
        yield from _commented(f"{_key(key)}:", comment, indent)
        for inner, one in value.items():
            yield from _entry((*path, inner), inner, one, indent + 2, is_commented=is_commented)
    elif isinstance(value, list | tuple) and value:
        yield from _commented(f"{_key(key)}:", comment, indent)
        for index, item in enumerate(value):
            yield from _item((*path, index), item, indent + 2, is_commented=index == 0)
    else:
        yield from _commented(f"{_key(key)}: {_scalar(value)}", comment, indent)


def _item(path: KeyPath, item: Any, indent: int, *, is_commented: bool) -> Iterator[str]:
    """Yield the lines of one item of a list. Only the first item has comments."""
    if not isinstance(item, Mapping):
        yield f"{' ' * indent}- {_scalar(item)}"
        return
    lines = [
        line
        for key, value in item.items()
        for line in _entry((*path, key), key, value, indent + 2, is_commented=is_commented)
    ]
    first = next(number for number, line in enumerate(lines) if not line.lstrip().startswith("#"))
    for number, line in enumerate(lines):
        yield f"{line[:indent]}- {line[indent + 2 :]}" if number == first else line


def _commented(head: str, comment: str, indent: int) -> Iterator[str]:
    """Put the comment to the right of the line, or above a long line."""
    head = " " * indent + head
    if len(head) + 2 > COMMENTS_AT and len(head) + len(comment) + 4 > WIDEST:
        yield from (f"{' ' * indent}# {line}" for line in wrap(comment, WIDEST - indent - 2))
        yield head
        return
    at = max(COMMENTS_AT, len(head) + 2)
    first, *more = wrap(comment, max(1, WIDEST - at - 2)) or [""]  # a long line may have no comment
    yield f"{head:<{at}}# {first}" if first else head
    yield from (f"{' ' * at}# {line}" for line in more)


def _key(key: str) -> str:
    """Return a key as YAML. ${NAME} in a key is plain text."""
    return _scalar(WithVariables(key))


def _scalar(value: Any) -> str:
    if isinstance(value, FromFile):
        return f"{FILE} {_scalar(WithVariables(value))}"
    if isinstance(value, Path):
        value = str(value)
    if isinstance(value, str) and not isinstance(value, WithVariables):
        value = value.replace("${", "$${")
    value = str(value) if isinstance(value, str) else value
    plain = _dumped(value, None)
    return _dumped(value, '"') if plain.startswith("'") else plain


def _dumped(value: Any, style: str | None) -> str:
    text = yaml.safe_dump(value, default_style=style, width=float("inf"), allow_unicode=True, default_flow_style=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _one_line(text: str) -> str:
    return " ".join(text.split())
