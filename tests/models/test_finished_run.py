"""A finished run is read from its folder. A broken one is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harstream.models.contract import ModelContract
from harstream.models.finished_run import FinishedRun, UnreadableRun, read_windows

CONTRACT = ModelContract("m", "1", ("Jump", "Walk"))


def test_contract_provenance_and_windows_are_read(tmp_path: Path) -> None:
    run = FinishedRun(tmp_path)
    run.contract.write_text(CONTRACT.to_json())
    run.provenance.write_text(json.dumps({"command": "train"}))
    np.save(run.validation_windows, np.ones((2, 3, 4, 4, 3), np.uint8))
    run.require(run.contract, run.provenance, run.validation_windows)
    assert run.read_contract() == CONTRACT
    assert run.read_provenance() == {"command": "train"}
    assert read_windows(run.validation_windows).shape == (2, 3, 4, 4, 3)


def test_an_unfinished_run_is_refused_with_the_missing_file(tmp_path: Path) -> None:
    run = FinishedRun(tmp_path)
    with pytest.raises(UnreadableRun) as refused:
        run.require(run.model, run.contract)
    assert all(part in str(refused.value) for part in (str(tmp_path), "model.keras", "contract.json"))


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("contract.json", FinishedRun.read_contract),
        ("provenance.json", FinishedRun.read_provenance),
        ("windows.npy", lambda run: read_windows(run.validation_windows)),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, name: str, read: Callable[[FinishedRun], object]) -> None:
    (tmp_path / name).write_text("{ broken")
    with pytest.raises(UnreadableRun, match=f"{name} cannot be read"):
        read(FinishedRun(tmp_path))


def test_a_contract_with_an_unknown_value_is_refused(tmp_path: Path) -> None:
    (tmp_path / "contract.json").write_text(json.dumps(json.loads(CONTRACT.to_json()) | {"channels": "GRAY"}))
    with pytest.raises(UnreadableRun, match="RGB or BGR"):
        FinishedRun(tmp_path).read_contract()


@pytest.mark.training
def test_a_model_with_python_code_is_refused_and_its_code_does_not_run(tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    touch = tmp_path / "touched"
    code = eval(f"lambda x: (open({str(touch)!r}, 'w'), x)[1]")
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Lambda(code, output_shape=(2,))])
    model.save(tmp_path / "model.keras")
    touch.unlink(missing_ok=True)
    with pytest.raises(UnreadableRun, match=r"model\.keras cannot be read"):
        FinishedRun(tmp_path).read_model()
    assert not touch.exists()


def test_pickled_windows_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "windows.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(UnreadableRun, match=r"windows\.npy cannot be read"):
        read_windows(FinishedRun(tmp_path).validation_windows)
