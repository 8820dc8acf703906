"""Makes a model's folder, with contract and card, of a file that was fetched or lies on the disk."""

from __future__ import annotations

import glob
import gzip
import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from harstream.models.catalogue import LITE
from harstream.models.fetchable.table import Fetchable
from harstream.models.lite_file import append_contract
from harstream.resilience.whole_folder import whole_folder
from harstream.stream.app.fetching.download import LARGEST, download, host_of
from harstream.wire.errors import ConfigError, ModelError, SinkError

CARD, ORIGIN = "CARD.md", "fetched.json"
PARTIAL = ".part"
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Origin:
    """Where a model's file came from, for a person who looks into the folder."""

    source: str
    """The address without its query, which may be secret, or the path."""
    size: int
    """Of the file before the contract was added, in bytes."""
    sha256: str


def fetch(model: Fetchable, out: Path, report: Callable[[str], None]) -> Origin:
    """Try the model's addresses one after the other, and write the folder. `report` gets a line for each.

    What arrived of a file stays beside the folder, and the next call goes on from there. Raises ModelError if no
    address gives the file, ConfigError if the folder exists, and SinkError if the disk cannot take it.
    """
    _check_free(out)
    reasons = list[str]()
    for address in model.addresses:
        partial = partial_file(out, address)
        host = host_of(address)
        report(f"fetching {model.name} from {host}")
        with _disk_errors(out):
            out.parent.mkdir(parents=True, exist_ok=True)
            try:
                content = _fetched(model, address, partial)
            except ModelError as error:
                reasons.append(f"{host}: {error}")
                continue
            origin = _write(model, content, out, urlsplit(address)._replace(query="").geturl())
            partial.unlink()
            return origin
    raise ModelError(f"{model.name} was not fetched. {'; '.join(reasons)}. {_advice(model, out)}")


def take(model: Fetchable, file: Path, out: Path) -> Origin:
    """Write the folder of a file that was fetched in another way. Raises ModelError, ConfigError and SinkError."""
    _check_free(out)
    try:
        if file.stat().st_size > LARGEST:
            raise ModelError(f"--from: expected a file of at most {LARGEST >> 20} MiB, got {file}")
        content = file.read_bytes()
    except OSError as error:
        raise ModelError(f"--from: {file} cannot be read: {error.strerror or error}") from error
    try:
        content = _checked(model, content)
    except ModelError as error:
        raise ModelError(f"--from {file}: {error}") from error
    with _disk_errors(out):
        return _write(model, content, out, str(file))


def kept(out: Path) -> list[Path]:
    """Return the files that keep what arrived of downloads to this folder."""
    return sorted(out.parent.glob(f"{glob.escape(out.name)}.*{PARTIAL}"))


def partial_file(out: Path, address: str) -> Path:
    """Return where the beginning of a download is kept. Each address has a file of its own."""
    return out.with_name(f"{out.name}.{hashlib.sha256(address.encode()).hexdigest()[:8]}{PARTIAL}")


def _fetched(model: Fetchable, address: str, partial: Path) -> bytes:
    """Return the checked file of one address. A file that is not what it should be is deleted."""
    try:
        download(address, partial)
    except ModelError as error:
        kept = partial.exists() and partial.stat().st_size
        raise ModelError(f"{error}; {partial} keeps what arrived" if kept else str(error)) from error
    try:
        return _checked(model, partial.read_bytes())
    except ModelError:
        partial.unlink()
        raise


def _checked(model: Fetchable, content: bytes) -> bytes:
    """Return the file, unpacked if it is an archive. Raises ModelError if its hash is another one."""
    if content.startswith(GZIP):
        content = _unpacked(content)
    if (got := hashlib.sha256(content).hexdigest()) != model.sha256:
        raise ModelError(
            f"expected the SHA-256 {model.sha256}, got {got} of {len(content):,} bytes; --sha256 accepts another file "
            "that you trust"
        )
    return content


def _unpacked(content: bytes) -> bytes:
    """Return the only .tflite file of a .tar.gz archive. No more than LARGEST bytes are unpacked."""
    try:
        with (
            gzip.open(io.BytesIO(content)) as packed,
            tarfile.open(fileobj=io.BytesIO(packed.read(LARGEST))) as archive,
        ):
            files = [archive.extractfile(each) for each in archive if each.isfile() and each.name.endswith(".tflite")]
            (found,) = [file.read() for file in files if file]
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError) as error:
        raise ModelError(f"expected a .tflite file, or a .tar.gz with one, got another archive: {error}") from error
    return found


def _write(model: Fetchable, content: bytes, out: Path, source: str) -> Origin:
    origin = Origin(source, len(content), hashlib.sha256(content).hexdigest())
    with whole_folder(out) as folder:
        (folder / LITE).write_bytes(append_contract(content, model.contract))
        (folder / CARD).write_bytes(model.card.read_bytes())
        (folder / ORIGIN).write_text(json.dumps(asdict(origin), indent=2) + "\n", encoding="utf-8")
    return origin


def _check_free(out: Path) -> None:
    if out.exists():
        raise ConfigError(f"{out} exists already: delete it to fetch it again, or choose another folder with --out")


def _advice(model: Fetchable, out: Path) -> str:
    return (
        "Try again, or fetch the file on a machine with a network and give it: "
        f"harstream get {model.name} --out {out} --from FILE"
    )


@contextmanager
def _disk_errors(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SinkError(f"cannot write {out}: {error.strerror or error}") from error
