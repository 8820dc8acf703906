"""Loads a certificate with its key, and says which of the files cannot be used."""

from __future__ import annotations

import ssl
from pathlib import Path

from harstream.wire.errors import Misfit


def load_certificate(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    """Load a certificate that proves who this side is. `key`: None if it is in the same file.

    Raises Misfit, which names the file that is missing, cannot be read or does not fit.
    """

    def refuse_to_ask() -> str:
        raise Misfit(f"expected a key without a passphrase in {key or certificate}", "one with")

    if key is not None:
        check_readable("a certificate", certificate)
        check_readable("a key", key)
    try:
        # Without a function, OpenSSL would ask for a passphrase on the terminal.
        context.load_cert_chain(certificate, key, password=refuse_to_ask)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            expected = f"expected the key of {certificate} in {key or certificate}"
            raise Misfit(expected, "the key of another certificate") from error
        files = f"{certificate} and {key}" if key else str(certificate)
        raise Misfit(f"expected a certificate and its key in {files}", reason_of(error)) from error
    except OSError as error:
        raise Misfit(f"expected a certificate in {certificate}", reason_of(error)) from error


def check_readable(what: str, file: Path) -> None:
    """Raises Misfit if the file cannot be read."""
    try:
        file.open("rb").close()
    except OSError as error:
        raise Misfit(f"expected {what} in {file}", reason_of(error)) from error


def reason_of(error: OSError) -> str:
    """Return what is wrong with a file, in a few words."""
    if isinstance(error, ssl.SSLError):
        reasons = {"NO_CERTIFICATE_OR_CRL_FOUND": "no certificate", "NO_START_LINE": "no certificate or key"}
        return reasons.get(error.reason, f"a file that cannot be read ({error.reason or error})")
    return (error.strerror or str(error)).lower()
