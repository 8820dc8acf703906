"""Checks an ONNX file before a runtime opens it, because opening a graph can take memory and read other files.

It reads the file's protobuf messages itself, since the package `onnx` is not installed where a stream runs.
Source: onnx/onnx.proto for the field numbers; protobuf.dev/programming-guides/encoding for the format.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

LARGEST_FILE = 2**31
"""The largest file in bytes; a protobuf message cannot be larger."""
LARGEST_TENSOR = 2**28
"""The largest number of values of one constant. The largest known models for small pictures have a tenth of it."""
DEEPEST = 16
"""The deepest nesting of graphs in loops and conditions."""

_SHAPE_INPUT = {"ConstantOfShape": 0, "Expand": 1, "Tile": 1}
"""The input of each operator that says how large its output is."""


class UnsafeOnnxFile(Exception):
    """A file is no ONNX model, or takes too much memory, or reads files outside its folder."""


def check_onnx_file(path: Path) -> None:
    """Check the file's constants and the paths of its external data. Raises UnsafeOnnxFile and OSError."""
    if (size := path.stat().st_size) > LARGEST_FILE:
        raise UnsafeOnnxFile(f"expected at most {LARGEST_FILE >> 20} MiB, got {size >> 20} MiB")
    try:
        for number, value in _fields(memoryview(path.read_bytes())):
            if number == 7:
                _check_graph(_bytes(value), path.parent, DEEPEST)
    except (IndexError, ValueError) as error:
        raise UnsafeOnnxFile("the file is cut off or is no ONNX model") from error


@dataclass
class _Tensor:
    """A constant: its name, dimensions, first values as integers, and the place of its external data."""

    name: str = ""
    dims: list[int] = field(default_factory=list)
    values: list[int] = field(default_factory=list)
    location: str | None = None


@dataclass
class _Node:
    """An operation, with the constants and the graphs in its attributes."""

    kind: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    tensors: list[_Tensor] = field(default_factory=list)
    graphs: list[memoryview] = field(default_factory=list)


def _check_graph(graph: memoryview, folder: Path, depth: int) -> None:
    if depth == 0:
        raise UnsafeOnnxFile(f"graphs are nested more than {DEEPEST} deep")
    nodes, tensors = [], []
    for number, value in _fields(graph):
        if number == 1:
            nodes.append(_node(_bytes(value)))
        elif number == 5:
            tensors.append(_tensor(_bytes(value)))
    for node in nodes:
        if node.kind == "Constant" and node.tensors:
            node.tensors[0].name = node.outputs[0]
        tensors += node.tensors
    for tensor in tensors:
        _check_tensor(tensor, folder)
    constants = {tensor.name: tensor.values for tensor in tensors}
    for node in nodes:
        _check_size(node, constants)
        for inner in node.graphs:
            _check_graph(inner, folder, depth - 1)


def _check_tensor(tensor: _Tensor, folder: Path) -> None:
    if min(tensor.dims, default=0) < 0 or math.prod(tensor.dims) > LARGEST_TENSOR:
        raise UnsafeOnnxFile(
            f"expected constants of at most {LARGEST_TENSOR} values, got {tensor.name[:60]!r} of shape {tensor.dims}"
        )
    if tensor.location is not None:
        target = (folder / PurePosixPath(tensor.location.replace("\\", "/"))).resolve()
        if not target.is_relative_to(folder.resolve()):
            raise UnsafeOnnxFile(
                f"expected external data in the model's folder, got {tensor.location[:80]!r} outside of it"
            )


def _check_size(node: _Node, constants: dict[str, list[int]]) -> None:
    position = _SHAPE_INPUT.get(node.kind, len(node.inputs))
    if position < len(node.inputs):
        shape = constants.get(node.inputs[position], [])
        if math.prod(abs(side) for side in shape) > LARGEST_TENSOR:
            raise UnsafeOnnxFile(
                f"expected results of at most {LARGEST_TENSOR} values, got {node.kind} to the shape {shape}"
            )


def _node(message: memoryview) -> _Node:
    node = _Node()
    for number, value in _fields(message):
        match number:
            case 1:
                node.inputs.append(_text(value))
            case 2:
                node.outputs.append(_text(value))
            case 4:
                node.kind = _text(value)
            case 5:
                for inner, part in _fields(_bytes(value)):
                    if inner in (5, 10):
                        node.tensors.append(_tensor(_bytes(part)))
                    elif inner in (6, 11):
                        node.graphs.append(_bytes(part))
    return node


def _tensor(message: memoryview) -> _Tensor:
    tensor = _Tensor()
    for number, value in _fields(message):
        match number:
            case 1:
                tensor.dims += _integers(value)
            case 7:
                tensor.values += _integers(value)
            case 8:
                tensor.name = _text(value)
            case 9 if len(_bytes(value)) <= 64 and len(_bytes(value)) % 8 == 0:  # a shape has at most eight sides
                tensor.values += list(_bytes(value).cast("q"))
            case 13:
                entry = dict(_fields(_bytes(value)))
                if 1 in entry and _text(entry[1]) == "location":
                    tensor.location = _text(entry[2])
    return tensor


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield number and value of each field of a message. Raises IndexError or ValueError for no such message."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        match key & 7:
            case 0:
                value, position = _varint(message, position)
                yield key >> 3, value
                continue
            case 2:
                length, position = _varint(message, position)
            case 1:
                length = 8
            case 5:
                length = 4
            case _:
                raise ValueError(f"unknown wire type {key & 7}")
        if position + length > len(message):
            raise IndexError("a field is longer than its message")
        yield key >> 3, message[position : position + length]
        position += length


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """Return a variable-length number and the position after it."""
    result = 0
    for shift in range(0, 70, 7):
        byte = message[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, position
    raise ValueError("a number is longer than ten bytes")


def _integers(value: int | memoryview) -> list[int]:
    """Return the signed integers of a field: one, or several in packed form."""
    if isinstance(value, int):
        return [value - (value >> 63 << 64)]
    numbers: list[int] = []
    position = 0
    while position < len(value) and len(numbers) < 64:
        number, position = _varint(value, position)
        numbers.append(number - (number >> 63 << 64))
    return numbers


def _bytes(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("expected bytes, got a number")
    return value


def _text(value: int | memoryview) -> str:
    return bytes(_bytes(value)).decode(errors="replace")
