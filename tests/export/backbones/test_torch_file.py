"""Arrays come out of PyTorch's old files as they were saved, and no code in a file runs."""

from __future__ import annotations

import collections
import io
import os
import pickle
import sys
import types
from typing import Any

import numpy as np
import pytest

from harstream.export.backbones.torch_file import MAGIC, read_arrays

VALUES = np.arange(12, dtype=np.float32)


class Storage:
    """Stands for a storage in the pickle, as PyTorch writes it: ('storage', type, key, place, count, view)."""

    def __init__(self, kind: type, key: str, count: int) -> None:
        self.identity = ("storage", kind, key, "cpu", count, None)


class Tensor:
    def __init__(self, rebuild: Any, *arguments: object) -> None:
        self.reduced = rebuild, arguments

    def __reduce__(self) -> Any:
        return self.reduced


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """Puts names where a pickle of PyTorch looks for them. They do nothing: reading must not need them."""
    module, utilities = types.ModuleType("torch"), types.ModuleType("torch._utils")
    module.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})  # type: ignore[attr-defined]

    def _rebuild_tensor_v2() -> None: ...

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utilities._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]
    module._utils = utilities  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", module)
    monkeypatch.setitem(sys.modules, "torch._utils", utilities)
    return module


def saved(torch: types.ModuleType, shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0) -> bytes:
    """Return a file with the array `weight` over VALUES, as PyTorch 1.5 wrote it."""
    file = io.BytesIO()
    storage = Storage(torch.FloatStorage, "7", len(VALUES))
    tensor = Tensor(torch._utils._rebuild_tensor_v2, storage, offset, shape, strides, False, collections.OrderedDict())

    class Pickler(pickle.Pickler):
        def persistent_id(self, each: Any) -> Any:
            return each.identity if isinstance(each, Storage) else None

    for content in (MAGIC, 1001, {"little_endian": True}, collections.OrderedDict(weight=tensor), ["7"]):
        Pickler(file, protocol=2).dump(content)
    file.write(len(VALUES).to_bytes(8, "little") + VALUES.tobytes())
    return file.getvalue()


def test_an_array_comes_out_as_it_was_saved(torch: types.ModuleType) -> None:
    found = read_arrays(saved(torch, (3, 4), (4, 1)))
    assert found.keys() == {"weight"}
    assert np.array_equal(found["weight"], VALUES.reshape(3, 4))


def test_an_array_may_be_a_turned_part_of_its_storage(torch: types.ModuleType) -> None:
    assert np.array_equal(read_arrays(saved(torch, (4, 2), (1, 4), offset=4))["weight"], VALUES[4:].reshape(2, 4).T)


def test_an_array_beyond_its_storage_is_refused(torch: types.ModuleType) -> None:
    with pytest.raises(ValueError, match="reaches beyond its storage"):
        read_arrays(saved(torch, (3, 5), (5, 1)))


def test_code_in_a_file_does_not_run() -> None:
    class Harmful:
        def __reduce__(self) -> Any:
            return os.mkdir, ("harmed",)

    with pytest.raises(ValueError, match=r"mkdir has no place in it"):
        read_arrays(pickle.dumps(Harmful(), protocol=2))


@pytest.mark.parametrize("content", [b"", b"no file of PyTorch", pickle.dumps(5)])
def test_another_file_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"expected a state dict in a file of PyTorch before 1\.6"):
        read_arrays(content)


def test_a_shortened_file_is_refused(torch: types.ModuleType) -> None:
    with pytest.raises(ValueError, match="expected a state dict"):
        read_arrays(saved(torch, (3, 4), (4, 1))[:-4])
