"""The catalogue finds models by name and by path."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from harstream.models.catalogue import ENCODER, HEAD, LITE, WHOLE, ModelNotFound, find_model, shipped


def folder(path: Path, *files: str) -> Path:
    path.mkdir()
    for name in files:
        (path / name).write_bytes(name.encode())
    return path


def test_shipped_models_are_found_by_name() -> None:
    assert {"convlstm", "flow_tcn", "lrcn"} <= set(shipped())
    assert all(find_model(name).folder.name == name for name in shipped())


def test_a_folder_has_parts_only_if_both_exist(tmp_path: Path) -> None:
    both = find_model(str(folder(tmp_path / "both", WHOLE, ENCODER, HEAD)))
    one = find_model(str(folder(tmp_path / "one", WHOLE, ENCODER)))
    assert (both.encoder, both.head) == (tmp_path / "both" / ENCODER, tmp_path / "both" / HEAD)
    assert (one.encoder, one.head) == (None, None)
    assert both.size == len(ENCODER) + len(HEAD)
    assert one.size == len(WHOLE)


def test_a_tflite_file_takes_precedence_in_its_folder(tmp_path: Path) -> None:
    found = find_model(str(folder(tmp_path / "lite", LITE, WHOLE)))
    assert (found.whole.name, found.is_lite) == (LITE, True)


def test_a_single_file_is_a_model(tmp_path: Path) -> None:
    file = folder(tmp_path / "one", WHOLE) / WHOLE
    found = find_model(str(file))
    assert (found.whole, found.encoder, found.is_lite) == (file, None, False)


def test_hash_is_that_of_all_files_in_order(tmp_path: Path) -> None:
    found = find_model(str(folder(tmp_path / "both", WHOLE, ENCODER, HEAD)))
    assert found.sha256() == hashlib.sha256((WHOLE + ENCODER + HEAD).encode()).hexdigest()


@pytest.mark.parametrize("name", ["no-such-model", "."])
def test_an_unknown_model_is_refused_with_the_known_names(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelNotFound) as refused:
        find_model(name)
    assert all(part in str(refused.value) for part in (repr(name), "flow_tcn", WHOLE, LITE))
