"""A model is fetched from a server, which may break off or send something else. Its folder is whole or not there."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from zipfile import ZipFile

import pytest

from harstream.models.contract import CONTRACT_KEY
from harstream.models.fetchable.table import Fetchable, fetchable
from harstream.stream.app.fetching import download as downloading
from harstream.stream.app.fetching.fetched_model import fetch, kept, take
from harstream.wire.errors import ConfigError, ModelError, SinkError
from tests.support.file_server import FileServer

CONTENT = bytes(range(256)) * 1000
NOWHERE = "http://127.0.0.1:9/model.tflite"
"""The port of `discard`, where nothing listens."""


def model(*addresses: str, content: bytes = CONTENT) -> Fetchable:
    known = fetchable()["movinet-a0-stream"]
    return replace(known, addresses=addresses, sha256=hashlib.sha256(content).hexdigest())


def packed(name: str, content: bytes) -> bytes:
    """Return a .tar.gz with a file."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def in_(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fetched(model: Fetchable, out: Path) -> list[str]:
    """Fetch the model and return what was reported."""
    reported: list[str] = []
    fetch(model, out, reported.append)
    return reported


def test_the_folder_has_the_file_its_contract_its_card_and_where_it_came_from(
    file_server: FileServer, tmp_path: Path
) -> None:
    file_server.content = CONTENT
    wanted = model(file_server.address)
    assert fetched(wanted, tmp_path / "m") == ["fetching movinet-a0-stream from 127.0.0.1"]
    assert in_(tmp_path) == ["m"]
    assert in_(tmp_path / "m") == ["CARD.md", "fetched.json", "model.tflite"]
    assert (tmp_path / "m" / "model.tflite").read_bytes().startswith(CONTENT)
    with ZipFile(tmp_path / "m" / "model.tflite") as attached:
        assert attached.read(CONTRACT_KEY).decode() == wanted.contract.to_json()
    assert "accuracy was not measured here" in (tmp_path / "m" / "CARD.md").read_text()
    origin = {"source": file_server.address, "size": 256_000, "sha256": wanted.sha256}
    assert json.loads((tmp_path / "m" / "fetched.json").read_text()) == origin


def test_a_download_that_broke_off_goes_on_where_it_ended(file_server: FileServer, tmp_path: Path) -> None:
    file_server.content, file_server.breaks_off_after = CONTENT, 100_000
    wanted = model(file_server.address)
    with pytest.raises(ModelError, match=r"it ended after 100,000 of 256,000 bytes; .*\.part keeps what arrived"):
        fetched(wanted, tmp_path / "m")
    (partial,) = kept(tmp_path / "m")
    assert partial.read_bytes() == CONTENT[:100_000]
    file_server.breaks_off_after = None
    fetched(wanted, tmp_path / "m")
    assert file_server.asked == [None, "bytes=100000-"]
    assert in_(tmp_path) == ["m"]
    assert (tmp_path / "m" / "model.tflite").read_bytes().startswith(CONTENT)


def test_a_server_without_ranges_sends_all_of_it_again(file_server: FileServer, tmp_path: Path) -> None:
    file_server.content, file_server.breaks_off_after, file_server.knows_ranges = CONTENT, 100_000, False
    wanted = model(file_server.address)
    with pytest.raises(ModelError, match="it ended after 100,000"):
        fetched(wanted, tmp_path / "m")
    file_server.breaks_off_after = None
    fetched(wanted, tmp_path / "m")
    assert (tmp_path / "m" / "model.tflite").read_bytes().startswith(CONTENT)


def test_a_file_that_is_complete_already_is_not_sent_again(file_server: FileServer, tmp_path: Path) -> None:
    file_server.content, file_server.breaks_off_after = CONTENT, 100_000
    wanted = model(file_server.address)
    with pytest.raises(ModelError):
        fetched(wanted, tmp_path / "m")
    (partial,) = kept(tmp_path / "m")
    partial.write_bytes(CONTENT)
    file_server.status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    fetched(wanted, tmp_path / "m")
    assert in_(tmp_path) == ["m"]


def test_other_bytes_are_refused_and_deleted(file_server: FileServer, tmp_path: Path) -> None:
    file_server.content = CONTENT[:-1] + b"?"
    got = hashlib.sha256(file_server.content).hexdigest()
    wanted = model(file_server.address)
    with pytest.raises(ModelError, match=f"expected the SHA-256 {wanted.sha256}, got {got} of 256,000 bytes"):
        fetched(wanted, tmp_path / "m")
    assert in_(tmp_path) == []


def test_the_next_address_is_tried(file_server: FileServer, tmp_path: Path) -> None:
    file_server.content = CONTENT
    assert len(fetched(model(NOWHERE, file_server.address), tmp_path / "m")) == 2
    assert in_(tmp_path) == ["m"]


def test_without_a_network_one_line_says_for_each_address_why_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as raised:
        fetched(model(NOWHERE, "http://localhost:9/"), tmp_path / "m")
    line = str(raised.value)
    assert "\n" not in line
    for host in ("127.0.0.1", "localhost"):
        assert f"{host}: the connection failed: Connection refused" in line
    assert line.endswith(f"harstream get movinet-a0-stream --out {tmp_path / 'm'} --from FILE")
    assert in_(tmp_path) == []


def test_a_port_that_is_no_number_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="the connection failed: nonnumeric port"):
        fetched(model("http://127.0.0.1:port/m"), tmp_path / "m")


def test_the_answer_of_a_server_that_refuses_is_told(file_server: FileServer, tmp_path: Path) -> None:
    file_server.status = HTTPStatus.FORBIDDEN
    with pytest.raises(ModelError, match="it answered 403 Forbidden"):
        fetched(model(file_server.address), tmp_path / "m")


def test_a_file_in_an_archive_is_unpacked(file_server: FileServer, tmp_path: Path) -> None:
    file_server.content = packed("./1.tflite", CONTENT)
    fetched(model(file_server.address), tmp_path / "m")
    assert (tmp_path / "m" / "model.tflite").read_bytes().startswith(CONTENT)


@pytest.mark.parametrize("content", [packed("readme.txt", CONTENT), packed("1.tflite", CONTENT)[:500], b"\x1f\x8bno"])
def test_an_archive_without_the_file_is_refused(content: bytes, file_server: FileServer, tmp_path: Path) -> None:
    file_server.content = content
    with pytest.raises(ModelError, match=r"expected a \.tflite file, or a \.tar\.gz with one"):
        fetched(model(file_server.address), tmp_path / "m")
    assert in_(tmp_path) == []


def test_an_endless_file_is_refused(file_server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading, "LARGEST", 100_000)
    file_server.content = CONTENT
    with pytest.raises(ModelError, match="it sent more than"):
        fetched(model(file_server.address), tmp_path / "m")


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "ftp://host/m", "https://me:geheim@127.0.0.1:9/m", "http://[", "http://127.0.0.1:9/ä", "//"],
)
def test_an_address_that_is_none_of_the_web_or_has_a_password_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="expected an address of ASCII that begins with https://") as raised:
        fetched(model(address), tmp_path / "m")
    assert "geheim" not in str(raised.value)


def test_a_file_that_was_fetched_otherwise_is_taken(tmp_path: Path) -> None:
    (tmp_path / "1.tflite").write_bytes(CONTENT)
    origin = take(model(), tmp_path / "1.tflite", tmp_path / "m")
    assert (origin.source, origin.size) == (str(tmp_path / "1.tflite"), 256_000)
    assert in_(tmp_path / "m") == ["CARD.md", "fetched.json", "model.tflite"]


def test_a_file_that_is_missing_or_another_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"--from: .*1\.tflite cannot be read: No such file"):
        take(model(), tmp_path / "1.tflite", tmp_path / "m")
    (tmp_path / "1.tflite").write_bytes(b"something else")
    with pytest.raises(ModelError, match=r"--from .*1\.tflite: expected the SHA-256"):
        take(model(), tmp_path / "1.tflite", tmp_path / "m")
    assert in_(tmp_path) == ["1.tflite"]


def test_a_folder_that_exists_is_left_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"{tmp_path} exists already"):
        fetched(model(NOWHERE), tmp_path)


def test_a_full_disk_is_told_and_what_arrived_is_kept(
    file_server: FileServer, files_no_longer_than: Callable[[int], AbstractContextManager[None]], tmp_path: Path
) -> None:
    file_server.content = CONTENT
    wanted = model(file_server.address)
    with files_no_longer_than(100_000), pytest.raises(SinkError, match=f"cannot write {tmp_path / 'm'}: File too larg"):
        fetched(wanted, tmp_path / "m")
    assert in_(tmp_path) == [file.name for file in kept(tmp_path / "m")]
    fetched(wanted, tmp_path / "m")
    assert in_(tmp_path) == ["m"]
