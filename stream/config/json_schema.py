"""The JSON Schema of config.yaml, for editors, for the comments of the file, and for guesses at what was meant."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from harstream.stream.config.model import Config

KeyPath = tuple[str | int, ...]
VARIABLE = {"type": "string", "pattern": r"\$\{\w+\}"}


def config_schema() -> dict[str, Any]:
    return Config.model_json_schema(schema_generator=_Schema)


def part(path: KeyPath) -> dict[str, Any]:
    """What the schema says of the key at `path`, its references resolved; empty where there is no such key."""
    schema = _schema()
    node = schema
    for key in path:
        below = node.get("items") if isinstance(key, int) else node.get("properties", {}).get(key)
        node = _resolved(below or node.get("additionalProperties") or {}, schema)
    return node


def paths(path: KeyPath = ()) -> Iterator[KeyPath]:
    """Of all keys that have a fixed name, those outside of lists and mappings of one's own names."""
    for key in part(path).get("properties", {}):
        yield (*path, key)
        yield from paths((*path, key))


def choices(path: KeyPath) -> list[str]:
    """The words that may stand there, where these are few."""
    node = part(path)
    return [str(word) for option in (node, *node.get("anyOf", ())) for word in option.get("enum", ())]


def _or_variable(schema: JsonSchemaValue) -> JsonSchemaValue:
    return {"anyOf": [schema, VARIABLE]}


class _Schema(GenerateJsonSchema):
    """What is no free text may come from the environment: no editor should mark `port: ${PORT}` as wrong."""

    def int_schema(self, schema: Any) -> JsonSchemaValue:
        return _or_variable(super().int_schema(schema))

    def float_schema(self, schema: Any) -> JsonSchemaValue:
        return _or_variable(super().float_schema(schema))

    def bool_schema(self, schema: Any) -> JsonSchemaValue:
        return _or_variable(super().bool_schema(schema))

    def literal_schema(self, schema: Any) -> JsonSchemaValue:
        return _or_variable(super().literal_schema(schema))

    def str_schema(self, schema: Any) -> JsonSchemaValue:
        made = super().str_schema(schema)
        return _or_variable(made) if "pattern" in made else made

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False  # it is the key once more


@cache
def _schema() -> dict[str, Any]:
    return config_schema()


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    named = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return {**named, **{key: value for key, value in node.items() if key != "$ref"}}
