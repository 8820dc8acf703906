"""Reads YAML as plain values with their positions, and replaces ${NAME} and !file.

PyYAML's constructor stops at the first mistake, silently keeps the last of two equal keys, and drops line numbers.
ruamel.yaml keeps line numbers, but stops at the first mistake, too. Therefore this module uses only PyYAML's nodes.
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
"""Tags of texts. A name may look like a date, and no key has a date as its value."""
KNOWN_TAGS = "tag:yaml.org,2002:"
PLACEHOLDER = "0"
"""Stands for a value that cannot be had. It fits most keys, so that the checks of other keys still run."""
LONGEST_WORD = 40
"""The longest value that an error shows, in characters."""
REFERENCE = re.compile(r"\$(\$\{)|\$\{(\w+)\}")
"""Finds ${NAME}, and $${, which stands for a plain ${."""


class Place(NamedTuple):
    """A position in a file; both numbers count from 1."""

    line: int
    column: int


class Mistake(NamedTuple):
    """A mistake at a place of the file."""

    place: Place
    path: KeyPath
    text: str


class YamlPositions:
    """The values of a YAML text with their places. The constructor raises yaml.YAMLError for invalid YAML."""

    def __init__(self, text: str, folder: Path) -> None:
        """`!file` paths are relative to `folder`."""
        self.mistakes: list[Mistake] = []
        self.keys: dict[KeyPath, Place] = {}
        self.places: dict[KeyPath, Place] = {(): Place(1, 1)}
        self.shown: dict[KeyPath, str] = {}
        """The text of each value that an error may show. Secrets are left out."""
        self.invalid: set[KeyPath] = set()
        self._folder = folder
        self._loader = yaml.SafeLoader(text)
        try:
            root = self._loader.get_single_node()
            self.values: Any = None if root is None else self._value(root, (), ())
        finally:
            self._loader.dispose()

    def place(self, path: KeyPath) -> Place:
        """Return the place of the value, or of the deepest part of its path that the file contains."""
        return next(self.places[path[:depth]] for depth in range(len(path), -1, -1) if path[:depth] in self.places)

    def _value(self, node: yaml.Node, path: KeyPath, around: tuple[yaml.Node, ...]) -> Any:
        self.places[path] = _place(node)
        if node in around:
            return self._report(path, "an alias must not be inside the value that it refers to")
        if node.tag == FILE and isinstance(node, yaml.ScalarNode):
            return self._file_content(node.value, path)
        if not node.tag.startswith(KNOWN_TAGS):
            return self._report(path, f"expected no tag, or {FILE} and the path of a file, got {node.tag}")
        if isinstance(node, yaml.MappingNode):
            self.shown[path] = "keys and values"
            return self._mapping(node, path, (*around, node))
        if isinstance(node, yaml.SequenceNode):
            self.shown[path] = "a list"
            return [self._value(item, (*path, index), (*around, node)) for index, item in enumerate(node.value)]
        if node.tag in TEXTS:
            return self._substitute(node.value, path)
        self.shown[path] = _shown(node.value)
        try:
            return self._loader.construct_object(node)
        except (yaml.YAMLError, ValueError):
            return self._report(path, f"expected a value of type {node.tag.removeprefix(KNOWN_TAGS)}, got another")

    def _mapping(self, node: yaml.MappingNode, path: KeyPath, around: tuple[yaml.Node, ...]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        merged = [self._merged(value, path, around) for key, value in node.value if key.tag == MERGE]
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
        for more in chain.from_iterable(merged):
            values = more | values
        return values

    def _merged(self, node: yaml.Node, path: KeyPath, around: tuple[yaml.Node, ...]) -> list[dict[str, Any]]:
        """Return the mappings that `<<` merges, in their order. Keys keep their places."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        mappings = [one for one in nodes if isinstance(one, yaml.MappingNode) and one not in around]
        if len(mappings) < len(nodes):
            self.mistakes.append(Mistake(_place(node), path, "expected keys and values after <<"))
            return []
        return [self._mapping(one, path, (*around, one)) for one in mappings]

    def _substitute(self, text: str, path: KeyPath) -> str:
        names = [name for _, name in REFERENCE.findall(text) if name]
        if not names:
            self.shown[path] = _shown(text)
        unset = [name for name in names if name not in os.environ]
        if unset:
            self._report(path, f"the environment variable {', '.join(unset)} is not set")
            return PLACEHOLDER
        return REFERENCE.sub(lambda found: found[1] or os.environ[found[2]], text)

    def _file_content(self, name: str, path: KeyPath) -> str:
        written = f"{FILE} {name}"
        file = self._substitute(name, path)
        self.shown.pop(path, None)
        if path in self.invalid:
            return PLACEHOLDER
        content = PLACEHOLDER
        try:
            content = (self._folder / file).read_text(encoding="utf-8").strip()
            if not content:
                self._report(path, f"expected a secret in {written}, got an empty file")
        except OSError as error:
            self._report(path, f"cannot read {written}: {(error.strerror or str(error)).lower()}")
        except ValueError:
            self._report(path, f"cannot read {written}: it is not UTF-8 text")
        return content

    def _report(self, path: KeyPath, text: str) -> None:
        self.invalid.add(path)
        self.mistakes.append(Mistake(self.places[path], path, text))


def _shown(word: str) -> str:
    """Return the word for an error, or a placeholder if the word is long or may contain a password."""
    if not word:
        return "nothing"
    return repr(word) if len(word) <= LONGEST_WORD and not {"@", ":"} & set(word) else "a text"


def _place(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)
