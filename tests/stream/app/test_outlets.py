from __future__ import annotations

import pytest

from harstream.mqtt.address import BrokerAddress
from harstream.stream.app.outlets import page_for_others
from harstream.stream.config.model import Config


@pytest.mark.parametrize(
    ("host", "page"),
    [("127.0.0.1", None), ("localhost", None), ("0.0.0.0", None), ("192.168.1.5", "http://192.168.1.5:8080/"),
     ("nuc1.lan", "http://nuc1.lan:8080/"), ("fd00::5", "http://[fd00::5]:8080/")],
)  # fmt: skip
def test_the_page_is_linked_where_another_machine_can_open_it(host: str, page: str | None) -> None:
    config = Config.model_validate({"web": {"host": host}})
    # 0.0.0.0 is where the broker is reached from: here that is this machine.
    assert page_for_others(config, BrokerAddress("127.0.0.1", 1883)) == page


@pytest.mark.parametrize("web", [{"enabled": False}, {"port": 0}])
def test_no_page_is_linked_where_none_can_be(web: dict[str, object]) -> None:
    assert (
        page_for_others(Config.model_validate({"web": {"host": "nuc1.lan"} | web}), BrokerAddress("127.0.0.1", 1883))
        is None
    )
