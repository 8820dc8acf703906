"""Only this machine reaches some hosts. Others find the page at another URL."""

from __future__ import annotations

import pytest

from harstream.mqtt.address import BrokerAddress
from harstream.stream.web.addresses import allowed_hosts, is_loopback, local_page_url, shared_page_url

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


def test_a_server_on_loopback_answers_to_its_own_names_alone() -> None:
    names = allowed_hosts("127.0.0.2")
    assert names is not None
    assert {"localhost", "127.0.0.2", "[::1]"} <= set(names)
    assert allowed_hosts("0.0.0.0") is None
    assert allowed_hosts("192.168.1.5") is None


@pytest.mark.parametrize(
    ("host", "page"),
    [("127.0.0.1", None), ("localhost", None), ("0.0.0.0", None), ("192.168.1.5", "http://192.168.1.5:8080/"),
     ("nuc1.lan", "http://nuc1.lan:8080/"), ("fd00::5", "http://[fd00::5]:8080/")],
)  # fmt: skip
def test_the_page_is_linked_if_another_machine_can_open_it(host: str, page: str | None) -> None:
    assert shared_page_url(host, 8080, LOCAL_BROKER) == page


def test_no_page_is_linked_before_its_port_is_known() -> None:
    assert shared_page_url("nuc1.lan", 0, LOCAL_BROKER) is None


def test_the_page_is_at_localhost_for_a_person_on_this_machine() -> None:
    assert local_page_url("0.0.0.0", 8080) == "http://localhost:8080/"
    assert local_page_url("::1", 80) == "http://[::1]:80/"
