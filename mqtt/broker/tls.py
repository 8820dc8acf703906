"""TLS towards the broker: the certificates to trust, and the client's own certificate."""

from __future__ import annotations

import logging
import ssl

from harstream.mqtt.broker.address import BrokerAddress, TlsSettings
from harstream.wire.errors import BrokerError

log = logging.getLogger(__name__)


def client_context(settings: TlsSettings) -> ssl.SSLContext:
    """Return the context of a client. Raises BrokerError, which names the file that cannot be used."""
    try:
        context = ssl.create_default_context(cafile=settings.ca)
    except (OSError, ssl.SSLError) as error:
        raise BrokerError(f"mqtt.tls.ca: expected certificates in {settings.ca}, got {_reason(error)}") from error
    # Newer versions of Python are strict by default, and refuse most authorities that people make at home.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if settings.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.certificate is not None:
        _load_certificate(context, settings)
    return context


def warn_if_insecure(address: BrokerAddress) -> None:
    """Log a warning if nothing proves that the broker is the right one. Call it once per start."""
    if address.tls and address.tls_settings.insecure:
        log.warning(
            "mqtt.tls.insecure: the certificate of %s is not checked, so anyone on the way can read and change "
            "messages and password: set mqtt.tls.ca instead",
            address.url,
        )


def _load_certificate(context: ssl.SSLContext, settings: TlsSettings) -> None:
    assert settings.certificate is not None

    def refuse_to_ask() -> str:
        raise BrokerError(f"mqtt.tls.key: expected a key without a passphrase in {settings.key}, got one with")

    try:
        # Without a function, OpenSSL would ask for a passphrase on the terminal.
        context.load_cert_chain(settings.certificate, settings.key, password=refuse_to_ask)
    except (OSError, ssl.SSLError) as error:
        files = f"{settings.certificate} and {settings.key}" if settings.key else str(settings.certificate)
        raise BrokerError(
            f"mqtt.tls.certificate: expected a certificate and its key in {files}, got {_reason(error)}"
        ) from error


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        reasons = {"NO_CERTIFICATE_OR_CRL_FOUND": "no certificate", "NO_START_LINE": "no certificate or key",
                   "KEY_VALUES_MISMATCH": "the key of another certificate"}  # fmt: skip
        return reasons.get(error.reason, f"a file that cannot be read ({error.reason or error})")
    return (error.strerror or str(error)).lower()
