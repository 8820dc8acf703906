"""Only this machine reaches some hosts. Others find the page at another URL."""

from __future__ import annotations

from typing import Any

import pytest

from harstream.mqtt.broker.address import BrokerAddress
from harstream.stream.config.loopback import is_loopback
from harstream.stream.config.web import WebConfig
from harstream.stream.web.addresses import local_page_url, shared_page_url

LOCAL_BROKER = BrokerAddress("127.0.0.1", 1883)
"""The route to this broker gives 127.0.0.1 as this machine's own address."""


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.9.8.7", True), ("localhost", True), ("LOCALHOST.", True), ("::1", True),
     ("[::1]", True), ("::ffff:127.0.0.1", True), ("0.0.0.0", False), ("::", False), ("", False),
     ("192.168.1.5", False), ("127.0.0.1.example.org", False), ("localhost.lan", False)],
)  # fmt: skip
def test_only_this_machine_reaches_a_loopback_host(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def web(host: str, port: int = 8080, **more: Any) -> WebConfig:
    return WebConfig.model_validate({"host": host, "port": port, "auth": "none", **more})


@pytest.mark.parametrize(
    ("host", "page"),
    [("127.0.0.1", None), ("localhost", None), ("0.0.0.0", None), ("192.168.1.5", "http://192.168.1.5:8080/"),
     ("nuc1.lan", "http://nuc1.lan:8080/"), ("fd00::5", "http://[fd00::5]:8080/")],
)  # fmt: skip
def test_the_page_is_linked_if_another_machine_can_open_it(host: str, page: str | None) -> None:
    assert shared_page_url(web(host), LOCAL_BROKER) == page


def test_no_page_is_linked_before_its_port_is_known() -> None:
    assert shared_page_url(web("nuc1.lan", 0), LOCAL_BROKER) is None


def test_the_page_is_at_localhost_for_a_person_on_this_machine() -> None:
    assert local_page_url(web("0.0.0.0"), 8080) == "http://localhost:8080/"
    assert local_page_url(web("::1"), 80) == "http://[::1]:80/"
    tls = {"certificate": "cert.pem", "key": "key.pem"}
    assert local_page_url(web("127.0.0.1", tls=tls), 8443) == "https://127.0.0.1:8443/"
