"""The JSON Schema of config.yaml, for editors, for the file's comments and for suggestions in errors."""

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


def schema_at(path: KeyPath) -> dict[str, Any]:
    """Return the schema of the key at `path`, with references resolved. It is empty if there is no such key."""
    schema = _schema()
    node = schema
    for key in path:
        below = node.get("items") if isinstance(key, int) else node.get("properties", {}).get(key)
        node = _resolved(below or node.get("additionalProperties") or {}, schema)
    return node


def key_paths(path: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield the paths of all keys with a fixed name. Keys inside lists and free mappings are left out."""
    for key in schema_at(path).get("properties", {}):
        yield (*path, key)
        yield from key_paths((*path, key))


def choices(path: KeyPath) -> list[str]:
    """Return the words that the key accepts. The list is empty if it accepts any text or number."""
    node = schema_at(path)
    return [str(word) for option in (node, *node.get("anyOf", ())) for word in option.get("enum", ())]


def is_secret_key(path: KeyPath) -> bool:
    """Return whether the value of the key is a secret."""
    return bool(schema_at(path).get("writeOnly"))


def _or_variable(schema: JsonSchemaValue) -> JsonSchemaValue:
    return {"anyOf": [schema, VARIABLE]}


class _Schema(GenerateJsonSchema):
    """Allows ${NAME} for numbers and words, so that editors accept `port: ${PORT}`."""

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
        return False  # the title would repeat the key


@cache
def _schema() -> dict[str, Any]:
    return config_schema()


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    named = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return {**named, **{key: value for key, value in node.items() if key != "$ref"}}
