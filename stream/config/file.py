"""Reads config.yaml and reports every mistake in it with line and column."""

from __future__ import annotations

import codecs
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from yaml.reader import ReaderError

from harstream.stream.config.errors import describe, describe_all, dotted, key_path, root_mistakes
from harstream.stream.config.json_schema import KeyPath, is_secret_key
from harstream.stream.config.model import Config
from harstream.stream.config.validation_context import ValidationContext
from harstream.stream.config.yaml_positions import Mistake, YamlPositions
from harstream.wire.errors import ConfigError, ConfigFileError


def load_config(file: Path, context: ValidationContext | None = None, *, keys: Collection[str] | None = None) -> Config:
    """Return the configuration in `file`. With `context`, also check that model and files exist.

    `keys` limits reading and reported mistakes to these keys of the first level.
    Raises ConfigFileError with one line per mistake, `file:line:column: key: what is wrong`. Raises ConfigError for a
    file that cannot be read.
    """
    tree = _tree(file)
    values = {} if tree.values is None else tree.values
    if not isinstance(values, dict):
        raise ConfigFileError(f"{file}:1:1: expected keys and values, like those of `harstream config init`")
    wanted = {key: value for key, value in values.items() if keys is None or key in keys}
    config, found = _validated(wanted, tree, context)
    found = [one for one in found if keys is None or (one.path and one.path[0] in keys)]
    if config is None or found:
        lines = (_line(file, one) for one in sorted(found, key=lambda one: one.place))
        raise ConfigFileError("\n".join(lines), log=values.get("log"))
    return config


def with_overrides(
    config: Config,
    values: Mapping[str, Any],
    context: ValidationContext | None = None,
    *,
    options: Mapping[KeyPath, tuple[str, object]] = MappingProxyType({}),
) -> Config:
    """Return the configuration with some values replaced, such as by command-line options. Raises ConfigError.

    `options`: the option, and its value, that sets a key. An error names the option instead of the key.
    """
    try:
        return Config.model_validate({**config.model_dump(), **values}, context=context)
    except ValidationError as error:
        raise ConfigError(describe_all(root_mistakes(error), options)) from error


def _tree(file: Path) -> YamlPositions:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {file}: {_why_unreadable(file, error)}") from error
    except UnicodeDecodeError as error:
        place = _place_of_byte(error)
        raise ConfigFileError(
            f"{file}:{place}: expected UTF-8, got {_encoding(error.object)}: save it as UTF-8 in your editor"
        ) from error
    try:
        return YamlPositions(text, file.parent)
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigFileError(_not_yaml(file, text, error)) from error


def _why_unreadable(file: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file; `harstream config init` writes one"
    if file.is_dir():
        return "it is a folder: name the file in it"
    return (error.strerror or str(error)).lower()


def _place_of_byte(error: UnicodeDecodeError) -> str:
    before = error.object[: error.start].split(b"\n")
    return f"{len(before)}:{len(before[-1].decode(errors='replace')) + 1}"


def _encoding(content: bytes) -> str:
    """Guess the encoding of a text that is not UTF-8."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in content[:4]:
        return "UTF-16"
    return "another encoding, such as Latin-1"


def _validated(
    values: dict[str, Any], tree: YamlPositions, context: ValidationContext | None
) -> tuple[Config | None, list[Mistake]]:
    if context and not context.model:
        context = replace(context, model=str(values.get("model", Config().model)))
    try:
        return Config.model_validate(values, context=context), tree.mistakes
    except ValidationError as error:
        return None, tree.mistakes + _new_mistakes(error, tree)


def _new_mistakes(error: ValidationError, tree: YamlPositions) -> list[Mistake]:
    """Return pydantic's mistakes without those that follow from the tree's mistakes, such as an unset variable."""
    return [
        _placed(mistake, tree)
        for mistake in root_mistakes(error)
        if not any(key_path(mistake)[:depth] in tree.invalid for depth in range(1, len(key_path(mistake)) + 1))
    ]


def _placed(mistake: ErrorDetails, tree: YamlPositions) -> Mistake:
    path = key_path(mistake)
    is_of_the_key = mistake["type"] == "extra_forbidden" or "[key]" in mistake["loc"]
    place = tree.keys[path] if is_of_the_key and path in tree.keys else tree.place(path)
    # A missing key is not in `places`. A missing key is not a secret, nor is the name of a key.
    is_secret = (path in tree.places and path not in tree.shown and not is_of_the_key) or is_secret_key(path)
    return Mistake(place, path, describe(mistake, None if is_secret else tree.shown.get(path, "")))


def _line(file: Path, mistake: Mistake) -> str:
    key = f"{dotted(mistake.path)}: " if mistake.path else ""
    return f"{file}:{mistake.place.line}:{mistake.place.column}: {key}{mistake.text}"


def _not_yaml(file: Path, text: str, error: yaml.YAMLError | RecursionError) -> str:
    """Describe the error without PyYAML's own text, which repeats the line and any password in it."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return f"{file}:{mark.line + 1}:{mark.column + 1}: not valid YAML: {error.problem}"
    if isinstance(error, ReaderError):
        before = text[: error.position].split("\n")
        return f"{file}:{len(before)}:{len(before[-1]) + 1}: not valid YAML: {error.reason}"
    return f"{file}:1:1: not valid YAML: nested too deeply"
