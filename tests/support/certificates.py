"""A private certificate authority, as people make one at home, and certificates that it signs."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key."""

    file: Path
    key: Path


class Authority:
    """Signs certificates. Its own one has no key usage, like those that guides for mosquitto make."""

    def __init__(self, folder: Path, name: str = "home") -> None:
        self._folder = folder
        self.certificate = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
        _openssl("req", "-x509", *NEW_KEY, "-days", "2", "-subj", f"/CN={name}",
                 "-out", self.certificate.file, "-keyout", self.certificate.key)  # fmt: skip

    def sign(self, name: str, hosts: str = "IP:127.0.0.1,DNS:localhost", *, expired: bool = False) -> Certificate:
        """`hosts` is the subjectAltName. An expired certificate was valid for a day, some years ago."""
        made = Certificate(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        request, extensions = self._folder / f"{name}.csr", self._folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={hosts}\n" if hosts else "basicConstraints=CA:FALSE\n")
        _openssl("req", "-new", *NEW_KEY, "-subj", f"/CN={name}", "-out", request, "-keyout", made.key)
        signer = ("-CA", self.certificate.file, "-CAkey", self.certificate.key, "-CAcreateserial")
        days = ("-days", "-1") if expired else ("-days", "2")
        _openssl("x509", "-req", "-in", request, *signer, *days, "-extfile", extensions, "-out", made.file)
        return made


NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    folder = tmp_path / "authority"
    folder.mkdir()
    return Authority(folder)


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
