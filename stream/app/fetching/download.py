"""Downloads a file over HTTP, and goes on where an earlier download ended."""

from __future__ import annotations

import http.client
import ssl
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from harstream.wire.errors import ModelError

TIMEOUT = 30.0
"""Seconds that a server may keep silent."""
CHUNK = 2**16
LARGEST = 2**26
"""The most bytes of a download. The files in the table have a few million."""


def host_of(address: str) -> str:
    """Return the host of an address. Raises ModelError if it cannot be asked for a file."""
    try:
        parsed = urlsplit(address)
        if parsed.scheme in ("https", "http") and parsed.hostname and parsed.username is None and address.isascii():
            return parsed.hostname
    except ValueError:  # such as a bracket that is not closed
        pass
    raise ModelError("expected an address of ASCII that begins with https://, without user and password")


def download(address: str, partial: Path) -> None:
    """Fetch the file at an address that has a host into `partial`, or what is missing at its end.

    Raises ModelError with the reason if the server cannot be reached, refuses, or ends too early; what arrived stays.
    Raises OSError if the disk cannot take it.
    """
    have = partial.stat().st_size if partial.exists() else 0
    wanted = Request(address, headers={"User-Agent": "harstream"} | ({"Range": f"bytes={have}-"} if have else {}))  # noqa: S310
    try:
        with urlopen(wanted, timeout=TIMEOUT) as answer:  # noqa: S310  (`host_of` checks the scheme)
            _receive(answer, partial, have)
    except HTTPError as error:
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            return  # nothing is missing; the hash tells whether it is the file
        raise ModelError(f"it answered {error.code} {error.reason}") from error
    except (URLError, http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError) as error:
        raise ModelError(f"the connection failed: {_reason(error)}") from error


def _receive(answer: http.client.HTTPResponse, partial: Path, have: int) -> None:
    goes_on = answer.status == HTTPStatus.PARTIAL_CONTENT
    if goes_on and not (answer.headers["Content-Range"] or "").startswith(f"bytes {have}-"):
        raise ModelError(f"it was asked for all from byte {have} on, and sent {answer.headers['Content-Range']}")
    if not goes_on:
        have = 0
    length = answer.headers["Content-Length"]
    total = have + int(length) if length and length.isdecimal() else None
    with partial.open("ab" if goes_on else "wb") as file:
        while chunk := answer.read1(CHUNK):
            file.write(chunk)
            have += len(chunk)
            if have > LARGEST:
                raise ModelError(f"it sent more than {LARGEST >> 20} MiB")
    if total is not None and have < total:
        raise ModelError(f"it ended after {have:,} of {total:,} bytes")


def _reason(error: Exception) -> str:
    """Return the text of the system's error, which `urlopen` wraps."""
    inner = error.reason if isinstance(error, URLError) else error
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror
    return str(inner) or type(inner).__name__
