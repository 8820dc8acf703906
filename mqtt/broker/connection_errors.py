"""Texts for failed connections: what was expected, what came, what to do."""

from __future__ import annotations

import ipaddress
import socket
import ssl

from harstream.mqtt.broker.address import BrokerAddress
from harstream.mqtt.broker.server_probe import Kind, Server, certificate_names, find_alert, find_server
from harstream.wire.errors import BrokerError

# Source: OpenSSL, x509_vfy.h.
NOT_YET_VALID, EXPIRED, OTHER_HOST, OTHER_ADDRESS = 9, 10, 62, 64
UNKNOWN_AUTHORITY = (18, 19, 20, 21)
NO_CERTIFICATE_ALERTS = (
    "TLSV13_ALERT_CERTIFICATE_REQUIRED",
    "SSLV3_ALERT_HANDSHAKE_FAILURE",
    "SSLV3_ALERT_NO_CERTIFICATE",
)
REFUSED_CERTIFICATE_ALERTS = (
    "TLSV1_ALERT_UNKNOWN_CA", "SSLV3_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_CERTIFICATE_EXPIRED",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN", "SSLV3_ALERT_CERTIFICATE_REVOKED", "TLSV1_ALERT_DECRYPT_ERROR",
)  # fmt: skip
NO_ANSWER = "a server that answers neither MQTT 5 nor 3.1.1"


def connection_error(address: BrokerAddress, error: OSError | UnicodeError | None, *, timeout: float) -> BrokerError:
    """Explain a failed attempt to connect. It may ask the server again, which takes a few seconds at most.

    `error`: None if the connection opened and the server did not answer MQTT. `timeout`: that of the attempt.
    """
    match error:
        case ConnectionRefusedError():
            own = "; `harstream run` without mqtt.broker has its own" if _is_this_machine(address.host) else ""
            return _expected(address, "connection refused", f"start it, or correct host and port{own}")
        case socket.gaierror() | UnicodeError():
            return _expected(address, "an unknown host name", "correct the name, or write the machine's IP address")
        case ssl.SSLCertVerificationError():
            return _expected(address, *_certificate_problem(address, error))
    return _answered_otherwise(address) or _unexplained(address, error, timeout)


def login_refused_text(address: BrokerAddress) -> str:
    login = "set mqtt.user and mqtt.password, or write mqtt://user:password@host"
    if address.username is None:
        return f"the broker at {address.url} needs a login, got none: {login}"
    return f"the broker at {address.url} refused the login of {address.username!r}: correct it, or {login}"


def _expected(address: BrokerAddress, got: str, advice: str) -> BrokerError:
    return BrokerError(f"expected a broker at {address.url}, got {got}: {advice}")


def _certificate_problem(address: BrokerAddress, error: ssl.SSLCertVerificationError) -> tuple[str, str]:
    """Return what came and what to do."""
    match error.verify_code:
        case code if code == EXPIRED:
            return "an expired certificate", "renew it on the broker, and check the clock of this machine"
        case code if code == NOT_YET_VALID:
            return "a certificate that is not valid yet", "check the clocks of the broker and of this machine"
        case code if code in (OTHER_HOST, OTHER_ADDRESS):
            if names := certificate_names(address):
                return f"a certificate for another host ({', '.join(names)})", "write one of these in mqtt.broker"
            return "a certificate without a host", "make it again with the broker's name as subjectAltName"
        case code if code in UNKNOWN_AUTHORITY:
            return (
                "a certificate of an unknown authority",
                "set mqtt.tls.ca to the certificate of the authority that signed the broker's certificate",
            )
    return f"an invalid certificate ({error.verify_message})", "make it again on the broker, or set mqtt.tls.ca"


def _answered_otherwise(address: BrokerAddress) -> BrokerError | None:
    """Return what another scheme, port or certificate would mend; None if that is not the reason."""
    if address.tls and (problem := _client_certificate_problem(address)):
        return _expected(address, *problem)
    server = find_server(address)
    if server is None or _is_wanted(server, address):
        return None
    return _expected(address, *_other_server(server, address))


def _client_certificate_problem(address: BrokerAddress) -> tuple[str, str] | None:
    alert = find_alert(address)
    if alert in NO_CERTIFICATE_ALERTS and address.tls_settings.certificate is None:
        return "a demand for a client certificate", "set mqtt.tls.certificate and mqtt.tls.key"
    if alert in (*NO_CERTIFICATE_ALERTS, *REFUSED_CERTIFICATE_ALERTS) and address.tls_settings.certificate is not None:
        return (
            f"a refusal of the client certificate ({alert})",
            "set mqtt.tls.certificate to one that the broker's authority has signed, and that is not expired",
        )
    return None


def _is_wanted(server: Server, address: BrokerAddress) -> bool:
    wanted = Kind.MQTT if address.path is None else Kind.WEBSOCKET
    return server.tls == address.tls and server.kind in (wanted, Kind.OTHER)


def _other_server(server: Server, address: BrokerAddress) -> tuple[str, str]:
    """Return what answers instead, and what to do."""
    through = " with TLS" if server.tls else " without TLS"
    match server.kind:
        case Kind.MQTT:
            port = "the broker's port for TLS (often 8883)" if address.tls else "its plain port (often 1883)"
            if address.path is not None:
                port = "its port for WebSockets (often 9001)"
            return f"one{through}", f"write {address.url_with(tls=server.tls, path=None)}, or {port}"
        case Kind.WEBSOCKET:
            url = address.url_with(tls=server.tls, path=address.path or "/mqtt")
            return f"a WebSocket port{through}", f"write {url}, or the broker's port for MQTT (often 1883 or 8883)"
        case Kind.HTTP:
            path = "" if address.path is None else f"; MQTT may also have another path than {address.path}"
            return f"an HTTP server{through}", f"correct the port; MQTT has 1883 or 8883 on most brokers{path}"
        case Kind.OTHER:
            url = address.url_with(tls=True, path=address.path)
            return "a port with TLS", f"write {url}, or the broker's plain port (often 1883)"


def _unexplained(address: BrokerAddress, error: OSError | UnicodeError | None, timeout: float) -> BrokerError:
    advice = "check host and port, and whether the broker runs"
    match error:
        case None:
            return _expected(address, NO_ANSWER, advice)
        case TimeoutError():
            return _expected(address, f"no answer within {timeout:.0f} s", f"{advice} and a firewall is in the way")
        case ssl.SSLError():
            return _expected(address, f"no secure connection ({error.reason or error})", advice)
        case OSError():
            return _expected(address, (error.strerror or str(error)).lower(), advice)
        case UnicodeError():
            return _expected(address, "an unknown host name", advice)


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
