"""Reads the arrays of a file that PyTorch saved before version 1.6, without PyTorch and without running its code."""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

MAGIC = 0x1950A86A20F9469CFC6C
"""The first of the pickles in such a file."""
TYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


def read_arrays(content: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays of a saved state dict by their names. Raises ValueError for another file."""
    file, storages = io.BytesIO(content), dict[str, NDArray[Any]]()
    try:
        magic, _version, _machine, found, keys = (_Reader(file, storages).load() for _ in range(5))
        if magic != MAGIC:
            raise ValueError("it does not begin with PyTorch's number")
        for key in keys:
            values, size = storages[key], int.from_bytes(file.read(8), "little")
            values[:] = np.frombuffer(file.read(size * values.itemsize), values.dtype)
        return {str(name): np.array(view()) for name, view in found.items()}
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"expected a state dict in a file of PyTorch before 1.6: {error}") from error


class _Reader(pickle.Unpickler):
    """Knows only what a state dict consists of. All else is refused, so that no code in the file runs."""

    def __init__(self, file: io.BytesIO, storages: dict[str, NDArray[Any]]) -> None:
        super().__init__(file)
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _view
        if module == "torch" and name in TYPES:
            return TYPES[name]
        raise pickle.UnpicklingError(f"{module}.{name} has no place in it")

    def persistent_load(self, which: Any) -> NDArray[Any]:
        """Return the array of a storage. It is filled once all views of it are known."""
        _, dtype, key, _, count, _ = which
        return self._storages.setdefault(key, np.zeros(count, dtype))


def _view(
    storage: NDArray[Any], offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> Callable[[], NDArray[Any]]:
    def read() -> NDArray[Any]:
        last = offset + sum((length - 1) * stride for length, stride in zip(shape, strides, strict=True))
        if min((offset, *shape, *strides), default=0) < 0 or last >= len(storage):
            raise ValueError("an array reaches beyond its storage")
        return as_strided(storage[offset:], shape, [stride * storage.itemsize for stride in strides], writeable=False)

    return read
