"""TLS towards the broker: the certificates to trust, and the client's own certificate."""

from __future__ import annotations

import logging
import ssl

from harstream.mqtt.broker.address import BrokerAddress, TlsSettings
from harstream.mqtt.broker.certificate_files import load_certificate, reason_of
from harstream.wire.errors import BrokerError, Misfit

log = logging.getLogger(__name__)


def client_context(settings: TlsSettings) -> ssl.SSLContext:
    """Return the context of a client. Raises BrokerError, which names the file that cannot be used."""
    try:
        context = ssl.create_default_context(cafile=settings.ca)
    except (OSError, ssl.SSLError) as error:
        raise BrokerError(f"mqtt.tls.ca: expected certificates in {settings.ca}, got {reason_of(error)}") from error
    # Newer versions of Python are strict by default, and refuse most authorities that people make at home.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if settings.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.certificate is not None:
        try:
            load_certificate(context, settings.certificate, settings.key)
        except Misfit as error:
            raise BrokerError(f"mqtt.tls: {error}") from error
    return context


def warn_if_insecure(address: BrokerAddress) -> None:
    """Log a warning if nothing proves that the broker is the right one. Call it once per start."""
    if address.tls and address.tls_settings.insecure:
        log.warning(
            "mqtt.tls.insecure: the certificate of %s is not checked, so anyone on the way can read and change "
            "messages and password: set mqtt.tls.ca instead",
            address.url,
        )
