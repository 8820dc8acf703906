"""TLS, client certificates and WebSockets with a real mosquitto, and what a failed connection says."""

from __future__ import annotations

import getpass
import logging
import re
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harstream.mqtt.broker.address import BrokerAddress, TlsSettings
from harstream.mqtt.broker.connection import Connection
from harstream.mqtt.broker.tls import warn_if_insecure
from harstream.wire.errors import BrokerError
from tests.support.broker import Mosquitto
from tests.support.certificates import Authority, Certificate
from tests.support.waiting import wait_until

pytestmark = pytest.mark.mosquitto


def start_with_tls(broker: Mosquitto, certificate: Certificate, more: str = "") -> None:
    broker.configure(
        f"listener {broker.port} 127.0.0.1\nallow_anonymous true\nuser {getpass.getuser()}\n"
        f"certfile {certificate.file}\nkeyfile {certificate.key}\n{more}"
    )
    broker.start()


def failure(address: BrokerAddress) -> str:
    with pytest.raises(BrokerError) as caught:
        Connection(address).open()
    return str(caught.value)


def version(address: BrokerAddress) -> str:
    connection = Connection(address)
    connection.open()
    connection.close()
    return connection.version


def tls_address(port: int, settings: TlsSettings, host: str = "127.0.0.1") -> BrokerAddress:
    return replace(BrokerAddress.parse(f"mqtts://{host}:{port}"), tls_settings=settings)


def test_a_private_authority_is_trusted_once_it_is_configured(
    stopped_mosquitto: Mosquitto, authority: Authority
) -> None:
    start_with_tls(stopped_mosquitto, authority.sign("broker"))
    port = stopped_mosquitto.port
    assert version(tls_address(port, TlsSettings(ca=authority.certificate.file))) == "5"
    line = failure(tls_address(port, TlsSettings()))
    assert "unknown authority" in line
    assert "set mqtt.tls.ca" in line
    assert "start it" not in line


def test_a_certificate_for_another_host_names_its_hosts(stopped_mosquitto: Mosquitto, authority: Authority) -> None:
    start_with_tls(stopped_mosquitto, authority.sign("broker", "DNS:nuc.home,IP:192.0.2.1"))
    line = failure(tls_address(stopped_mosquitto.port, TlsSettings(ca=authority.certificate.file)))
    assert "another host (nuc.home, 192.0.2.1): write one of these in mqtt.broker" in line


def test_a_certificate_without_a_host_says_how_to_make_one(stopped_mosquitto: Mosquitto, authority: Authority) -> None:
    start_with_tls(stopped_mosquitto, authority.sign("127.0.0.1", ""))
    line = failure(tls_address(stopped_mosquitto.port, TlsSettings(ca=authority.certificate.file)))
    assert "subjectAltName" in line


def test_an_expired_certificate_is_named(stopped_mosquitto: Mosquitto, authority: Authority) -> None:
    start_with_tls(stopped_mosquitto, authority.sign("broker", expired=True))
    line = failure(tls_address(stopped_mosquitto.port, TlsSettings(ca=authority.certificate.file)))
    assert "an expired certificate: renew it on the broker" in line


@pytest.mark.parametrize("tls_version", ["tlsv1.2", "tlsv1.3"])
def test_a_broker_may_demand_a_client_certificate(
    stopped_mosquitto: Mosquitto, authority: Authority, tls_version: str, tmp_path: Path
) -> None:
    ca = authority.certificate.file
    demand = f"cafile {ca}\nrequire_certificate true\ntls_version {tls_version}\n"
    start_with_tls(stopped_mosquitto, authority.sign("broker"), demand)
    port, own = stopped_mosquitto.port, authority.sign("client")
    assert "got a demand for a client certificate: set mqtt.tls.certificate" in failure(
        tls_address(port, TlsSettings(ca=ca))
    )
    assert version(tls_address(port, TlsSettings(ca=ca, certificate=own.file, key=own.key))) == "5"
    both = tmp_path / "both.pem"
    both.write_bytes(own.file.read_bytes() + own.key.read_bytes())
    assert version(tls_address(port, TlsSettings(ca=ca, certificate=both))) == "5"
    foreign = Authority(tmp_path, "foreign").sign("client-of-others")
    line = failure(tls_address(port, TlsSettings(ca=ca, certificate=foreign.file, key=foreign.key)))
    assert "a refusal of the client certificate" in line


def test_an_unchecked_certificate_is_accepted_with_a_warning(
    stopped_mosquitto: Mosquitto, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    start_with_tls(stopped_mosquitto, authority.sign("broker", "DNS:elsewhere"))
    address = tls_address(stopped_mosquitto.port, TlsSettings(insecure=True))
    assert version(address) == "5"
    warn_if_insecure(address)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "mqtt.tls.insecure" in record.getMessage()


def test_tls_on_the_plain_port_is_named(mosquitto: Mosquitto) -> None:
    line = failure(BrokerAddress.parse(f"mqtts://127.0.0.1:{mosquitto.port}"))
    assert f"got one without TLS: write mqtt://127.0.0.1:{mosquitto.port}, or the broker's port for TLS" in line


def test_plain_mqtt_on_the_tls_port_is_named(stopped_mosquitto: Mosquitto, authority: Authority) -> None:
    start_with_tls(stopped_mosquitto, authority.sign("broker"))
    line = failure(BrokerAddress.parse(f"mqtt://127.0.0.1:{stopped_mosquitto.port}"))
    assert f"got one with TLS: write mqtts://127.0.0.1:{stopped_mosquitto.port}, or its plain port" in line


@pytest.fixture
def websocket_port(
    stopped_mosquitto: Mosquitto, authority: Authority, new_port: Callable[[], int]
) -> tuple[Mosquitto, int, int]:
    """A broker with MQTT on its port, and with WebSockets on two others, the second one with TLS."""
    plain, secure, certificate = new_port(), new_port(), authority.sign("broker")
    stopped_mosquitto.configure(
        f"user {getpass.getuser()}\nper_listener_settings false\nallow_anonymous true\n"
        f"listener {stopped_mosquitto.port} 127.0.0.1\nlistener {plain}\nprotocol websockets\n"
        f"listener {secure}\nprotocol websockets\ncertfile {certificate.file}\nkeyfile {certificate.key}\n"
    )
    stopped_mosquitto.start()
    wait_until(lambda: is_open(plain) and is_open(secure), "the ports for WebSockets to open")
    return stopped_mosquitto, plain, secure


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_websockets_carry_mqtt(websocket_port: tuple[Mosquitto, int, int], authority: Authority) -> None:
    _, plain, secure = websocket_port
    assert version(BrokerAddress.parse(f"ws://127.0.0.1:{plain}/mqtt")) == "5"
    address = BrokerAddress.parse(f"wss://127.0.0.1:{secure}")
    assert address.path == "/mqtt"
    assert version(replace(address, tls_settings=TlsSettings(ca=authority.certificate.file))) == "5"


def test_ports_for_websockets_and_for_mqtt_are_told_apart(websocket_port: tuple[Mosquitto, int, int]) -> None:
    broker, plain, secure = websocket_port
    url = f"127.0.0.1:{plain}"
    assert f"a WebSocket port without TLS: write ws://{url}/mqtt" in failure(BrokerAddress.parse(f"mqtt://{url}"))
    assert f"a WebSocket port without TLS: write ws://{url}/mqtt" in failure(BrokerAddress.parse(f"mqtts://{url}"))
    mqtt = f"127.0.0.1:{broker.port}"
    assert f"got one without TLS: write mqtt://{mqtt}" in failure(BrokerAddress.parse(f"ws://{mqtt}/mqtt"))
    assert "a WebSocket port with TLS: write wss://" in failure(BrokerAddress.parse(f"mqtt://127.0.0.1:{secure}"))


class NotFound(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def http_server() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), NotFound) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield server.server_port
        server.shutdown()
        serving.join()


@pytest.mark.parametrize("scheme", ["mqtt", "mqtts", "ws"])
def test_an_http_server_is_named(scheme: str) -> None:
    with http_server() as port:
        assert "got an HTTP server without TLS: correct the port" in failure(
            BrokerAddress.parse(f"{scheme}://127.0.0.1:{port}")
        )


@pytest.mark.parametrize("scheme", ["mqtt", "mqtts", "ws", "wss"])
def test_a_closed_port_gets_the_advice_about_the_own_broker_on_this_machine_only(scheme: str, free_port: int) -> None:
    line = failure(BrokerAddress.parse(f"{scheme}://127.0.0.1:{free_port}"))
    assert "connection refused: start it" in line
    assert "`harstream run` without mqtt.broker has its own" in line
    assert "has its own" not in failure(BrokerAddress.parse(f"{scheme}://no.such.host.invalid"))


def test_files_that_cannot_be_used_are_named(authority: Authority, tmp_path: Path) -> None:
    missing, own = tmp_path / "missing.pem", authority.sign("client")
    other, locked = authority.sign("other"), tmp_path / "locked.key"
    subprocess.run(
        ["openssl", "ec", "-aes256", "-passout", "pass:geheim", "-in", str(own.key), "-out", str(locked)],
        check=True, capture_output=True,
    )  # fmt: skip
    wrong = {
        f"mqtt.tls.ca: expected certificates in {missing}, got no such file": TlsSettings(ca=missing),
        f"mqtt.tls.ca: expected certificates in {own.key}, got no certificate": TlsSettings(ca=own.key),
        "got the key of another certificate": TlsSettings(certificate=own.file, key=other.key),
        "expected a key without a passphrase": TlsSettings(certificate=own.file, key=locked),
        f"a key in {missing}, got no such file": TlsSettings(certificate=own.file, key=missing),
        f"a certificate in {missing}, got no such file": TlsSettings(certificate=missing, key=own.key),
        f"a certificate in {missing}, got no such file or": TlsSettings(certificate=missing),
    }
    for expected, settings in wrong.items():
        assert re.search(re.escape(expected), failure(tls_address(1, settings)))
