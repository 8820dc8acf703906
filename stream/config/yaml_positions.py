"""Reads YAML as plain values with their positions, and fills in ${NAME} and !file.

PyYAML's constructor stops at the first mistake, silently keeps the last of two equal keys, and drops line numbers.
ruamel.yaml has line numbers, but also stops at the first mistake. So only PyYAML's nodes are used.
"""

from __future__ import annotations

import os
import re
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from harstream.stream.config.json_schema import KeyPath

FILE, MERGE = "!file", "tag:yaml.org,2002:merge"
TEXTS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp")
"""A name may look like a date; no value is one."""
KNOWN_TAGS = "tag:yaml.org,2002:"
LONGEST_WORD = 40
"""Letters of a value that an error shows."""
REFERENCE = re.compile(r"\$(\$\{)|\$\{(\w+)\}")
"""Finds ${NAME}, and $${, which gives a plain ${."""


class Place(NamedTuple):
    """A position in a file; both numbers count from 1."""

    line: int
    column: int


class Mistake(NamedTuple):
    """What is wrong at a place of the file."""

    place: Place
    path: KeyPath
    text: str


class YamlPositions:
    """The values of a text, and their places. The constructor raises yaml.YAMLError for a text that is no YAML."""

    def __init__(self, text: str, folder: Path) -> None:
        """`!file` paths are relative to `folder`."""
        self.mistakes: list[Mistake] = []
        self.keys: dict[KeyPath, Place] = {}
        self.places: dict[KeyPath, Place] = {(): Place(1, 1)}
        self.came: dict[KeyPath, str] = {}
        """What an error may show of a value. Secrets are not in it."""
        self.not_built: set[KeyPath] = set()
        self._folder = folder
        self._loader = yaml.SafeLoader(text)
        try:
            root = self._loader.get_single_node()
            self.values: Any = None if root is None else self._value(root, (), ())
        finally:
            self._loader.dispose()

    def place(self, path: KeyPath) -> Place:
        """Return the place of the value, or of the deepest part of its path that the file has."""
        return next(self.places[path[:depth]] for depth in range(len(path), -1, -1) if path[:depth] in self.places)

    def _value(self, node: yaml.Node, path: KeyPath, around: tuple[yaml.Node, ...]) -> Any:
        self.places[path] = _place(node)
        if node in around:
            return self._wrong(path, "an alias must not be inside the value that it stands for")
        if node.tag == FILE and isinstance(node, yaml.ScalarNode):
            return self._content(node.value, path)
        if not node.tag.startswith(KNOWN_TAGS):
            return self._wrong(path, f"expected no tag, or {FILE} and the path of a file, got {node.tag}")
        if isinstance(node, yaml.MappingNode):
            self.came[path] = "keys and values"
            return self._mapping(node, path, (*around, node))
        if isinstance(node, yaml.SequenceNode):
            self.came[path] = "a list"
            return [self._value(item, (*path, index), (*around, node)) for index, item in enumerate(node.value)]
        if node.tag in TEXTS:
            return self._filled_in(node.value, path)
        self.came[path] = _shown(node.value)
        try:
            return self._loader.construct_object(node)
        except (yaml.YAMLError, ValueError):
            return self._wrong(path, f"expected a value of type {node.tag.removeprefix(KNOWN_TAGS)}, got another")

    def _mapping(self, node: yaml.MappingNode, path: KeyPath, around: tuple[yaml.Node, ...]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        brought = [self._merged(value, path, around) for key, value in node.value if key.tag == MERGE]
        for key, value in node.value:
            if key.tag == MERGE:
                continue
            if not isinstance(key, yaml.ScalarNode):
                self.mistakes.append(Mistake(_place(key), path, "expected a word as the key, got a list or mapping"))
            elif key.value in values:
                first = self.keys[(*path, key.value)].line
                self.mistakes.append(Mistake(_place(key), (*path, key.value), f"this key is already in line {first}"))
            else:
                self.keys[(*path, key.value)] = _place(key)
                values[key.value] = self._value(value, (*path, key.value), around)
        for more in chain.from_iterable(brought):
            values = more | values
        return values

    def _merged(self, node: yaml.Node, path: KeyPath, around: tuple[yaml.Node, ...]) -> list[dict[str, Any]]:
        """Return the mappings that `<<` merges, in their order; the earlier wins. Keys keep their places."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        mappings = [one for one in nodes if isinstance(one, yaml.MappingNode) and one not in around]
        if len(mappings) < len(nodes):
            self.mistakes.append(Mistake(_place(node), path, "expected keys and values after <<"))
            return []
        return [self._mapping(one, path, (*around, one)) for one in mappings]

    def _filled_in(self, text: str, path: KeyPath) -> str | None:
        names = [name for _, name in REFERENCE.findall(text) if name]
        if not names:
            self.came[path] = _shown(text)
        unset = [name for name in names if name not in os.environ]
        if unset:
            self._wrong(path, f"the environment variable {', '.join(unset)} is not set")
            return None
        return REFERENCE.sub(lambda found: found[1] or os.environ[found[2]], text)

    def _content(self, name: str, path: KeyPath) -> str | None:
        written = f"{FILE} {name}"
        file = self._filled_in(name, path)
        self.came.pop(path, None)
        if file is None:
            return None
        content = None
        try:
            content = (self._folder / file).read_text(encoding="utf-8").strip()
            if not content:
                self._wrong(path, f"expected a secret in {written}, got an empty file")
        except OSError as error:
            self._wrong(path, f"cannot read {written}: {(error.strerror or str(error)).lower()}")
        except ValueError:
            self._wrong(path, f"cannot read {written}: it is no UTF-8 text")
        return content

    def _wrong(self, path: KeyPath, text: str) -> None:
        self.not_built.add(path)
        self.mistakes.append(Mistake(self.places[path], path, text))


def _shown(word: str) -> str:
    """Return what an error may show of a word. Long words, and words that may hold a password, are not shown."""
    if not word:
        return "nothing"
    return repr(word) if len(word) <= LONGEST_WORD and not {"@", ":"} & set(word) else "a text"


def _place(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)
