from __future__ import annotations

import pytest

from harstream.mqtt.broker.address import BrokerAddress, own_address
from harstream.wire.errors import ConfigError


@pytest.mark.parametrize(
    "url", ["localhost", "localhost:1883", "http://u:geheim42@h", "mqtt://u:geheim42@:1883", "mqtt://u:geheim42@h:x",
            "mqtt://u:geheim42@h:0", "mqtt://u:geheim42@::1", "mqtt://u:geheim42@[::1", "mqtt://u:geheim42@[::1]x",
            "mqtt://u:geheim42@:", "mqtt://u:geheim42@h/topic", "mqtt://u:gehe/im42@h"],
)  # fmt: skip
def test_invalid_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        BrokerAddress.parse(url)
    assert str(caught.value).startswith("expected a broker like mqtt://host:1883")
    assert "gehe" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_address_has_the_default_ports() -> None:
    assert BrokerAddress.parse("mqtt://h") == BrokerAddress("h", 1883)
    assert BrokerAddress.parse("mqtts://u:p@h") == BrokerAddress("h", 8883, tls=True, username="u", password="p")
    assert BrokerAddress.parse("mqtt://[::1]:1884").url == "mqtt://[::1]:1884"
    assert BrokerAddress.parse("mqtt://[fe80::1%25eth0]").host == "fe80::1%eth0"


def test_ipv6_address_without_brackets_is_refused_with_the_right_form() -> None:
    with pytest.raises(ConfigError, match=r"an IPv6 address without brackets: write mqtt://\[::1\]:1883"):
        BrokerAddress.parse("mqtt://fe80::1:1883")


def test_url_shows_no_password() -> None:
    assert BrokerAddress.parse("mqtts://user:geheim42@h:1").url == "mqtts://h:1"
    assert "geheim42" not in repr(BrokerAddress.parse("mqtts://user:geheim42@h:1"))


def test_own_address_is_the_one_on_the_route_to_the_broker() -> None:
    assert own_address(BrokerAddress("127.0.0.1", 1883)) == "127.0.0.1"
    assert own_address(BrokerAddress("no.such.host.invalid", 1883)) is None
