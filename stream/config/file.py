"""Reads config.yaml and says everything that is wrong with it, each mistake with its line and column."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from yaml.reader import ReaderError

from harstream.stream.config.errors import in_words, key_path, mistakes_made, shown, told_without_places
from harstream.stream.config.model import Config, Surroundings
from harstream.stream.config.yaml_positions import Told, YamlPositions
from harstream.wire.errors import ConfigError, ConfigFileError


def load_config(file: Path, surroundings: Surroundings | None = None, *, keys: Collection[str] | None = None) -> Config:
    """Raises ConfigFileError with every mistake, a line each: `file:line:column: key: what is wrong`; with
    `surroundings`, also what does not fit these. Raises ConfigError for a file that cannot be read.

    `keys`: of the first level, all that is wanted; whatever the file says of others is not looked at.
    """
    tree = _tree(file)
    values = {} if tree.values is None else tree.values
    if not isinstance(values, dict):
        raise ConfigFileError(f"{file}:1:1: expected keys and values, like those of `harstream config init`")
    wanted = {key: value for key, value in values.items() if keys is None or key in keys}
    config, found = _validated(wanted, tree, surroundings)
    found = [told for told in found if keys is None or (told.path and told.path[0] in keys)]
    if config is None or found:
        lines = (_line(file, told) for told in sorted(found, key=lambda told: told.place))
        raise ConfigFileError("\n".join(lines), log=values.get("log"))
    return config


def overridden(config: Config, values: Mapping[str, Any], surroundings: Surroundings | None = None) -> Config:
    """The config with the options of the command line in it. Raises ConfigError."""
    try:
        return Config.model_validate({**config.model_dump(), **values}, context=surroundings)
    except ValidationError as error:
        raise ConfigError(told_without_places(mistakes_made(error))) from error


def _tree(file: Path) -> YamlPositions:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the configuration {file}: {error}") from error
    try:
        return YamlPositions(text, file.parent)
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigFileError(_not_yaml(file, text, error)) from error


def _validated(
    values: dict[str, Any], tree: YamlPositions, surroundings: Surroundings | None
) -> tuple[Config | None, list[Told]]:
    if surroundings and not surroundings.model:
        surroundings = replace(surroundings, model=str(values.get("model", Config().model)))
    try:
        return Config.model_validate(values, context=surroundings), tree.mistakes
    except ValidationError as error:
        return None, tree.mistakes + _new_mistakes(error, tree)


def _new_mistakes(error: ValidationError, tree: YamlPositions) -> list[Told]:
    """Without those that follow from the tree's own, such as a variable that is not set."""
    return [
        _told(mistake, tree)
        for mistake in mistakes_made(error)
        if not any(key_path(mistake)[:depth] in tree.not_built for depth in range(1, len(key_path(mistake)) + 1))
    ]


def _told(mistake: ErrorDetails, tree: YamlPositions) -> Told:
    path = key_path(mistake)
    is_of_the_key = mistake["type"] == "extra_forbidden" or "[key]" in mistake["loc"]
    place = tree.keys[path] if is_of_the_key and path in tree.keys else tree.place(path)
    # Not in `places`: a key that is missing. Neither it nor a key's own name is a secret.
    is_secret = path in tree.places and path not in tree.came and not is_of_the_key
    return Told(place, path, in_words(mistake, None if is_secret else tree.came.get(path, "")))


def _line(file: Path, told: Told) -> str:
    key = f"{shown(told.path)}: " if told.path else ""
    return f"{file}:{told.place.line}:{told.place.column}: {key}{told.text}"


def _not_yaml(file: Path, text: str, error: yaml.YAMLError | RecursionError) -> str:
    """PyYAML's own text repeats the line that it could not read, and the password in it."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return f"{file}:{mark.line + 1}:{mark.column + 1}: not valid YAML: {error.problem}"
    if isinstance(error, ReaderError):
        before = text[: error.position].split("\n")
        return f"{file}:{len(before)}:{len(before[-1]) + 1}: not valid YAML: {error.reason}"
    return f"{file}:1:1: not valid YAML: nested too deeply"
