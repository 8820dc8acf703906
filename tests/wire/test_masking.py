"""No text shows the password, the token or the secret path of an address."""

from __future__ import annotations

import pytest

from harstream.wire.errors import ConfigError, Misfit, SourceError
from harstream.wire.masking import Secrets, masked, masked_address

SECRET = "geheim17"
ADDRESSES_WITH_SECRET = [
    f"rtsp://anna:{SECRET}@10.0.0.7:554/stream",
    f"rtsp://anna@home.de:{SECRET}@host/",
    f"rtsp://{SECRET}@host/1",
    f"rtsp://anna:{SECRET}/x#y?z@host/1",
    f"rtsp://anna:x/y#z?{SECRET}@host/1",
    f"rtsp://anna:x@{SECRET}/@host/1",
    f"rtsp://anna:12/{SECRET}@host/1",
    f"rtsp://anna:1{SECRET}/@host/1",
    f"rtsp://anna:with space {SECRET}@host/1",
    f"rtsp:/anna:{SECRET}@host",
    f"rtps://anna:{SECRET}@host/1",
    f"rtsp://host/?password=x@{SECRET}",
    f"rtsp://host/?user=a@b&password={SECRET}",
    f"rtsp://host/user=anna&password={SECRET}&channel=1",
    f"rtsp://host/user=admin_password={SECRET}_channel=1_stream=0.sdp",
    f"rtsp://host/1;password={SECRET}",
    *(f"http://host/snap.jpg?{key}={SECRET}" for key in ("authbasic", "token", "passcode", "psw", "loginpas", "Pwd")),
    f"http://host/snap.jpg?channel={SECRET}",
    f"http://host/snap.jpg?{SECRET}",
    f"http://host/snap.jpg#{SECRET}",
    f"rtsps://192.168.1.1:7441/{SECRET}?enableSrtp",
    f"mqtts://anna:{SECRET}@house:8883",
    f"mqtt://anna:x@house:{SECRET}",
    f"ws://house:{SECRET}/mqtt",
    f"rtsp://user:password@{SECRET}@host/1",
    f"rtsps://user:password@host:7441/{SECRET}",
    f"http://user:password@host/snap?token={SECRET}",
    f"rtsp://host/?password=x&{SECRET}",
]


@pytest.mark.parametrize("address", ADDRESSES_WITH_SECRET)
def test_no_part_of_a_secret_is_shown(address: str) -> None:
    secrets = Secrets()
    secrets.add([address])
    for text in (masked_address(address), secrets.mask(f"cannot open {address}: refused")):
        assert SECRET not in text
        assert "***" in text


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://anna:geheim@10.0.0.7:554/stream", "rtsp://***@10.0.0.7:554/stream"),
        ("rtsp://anna@home.de:geheim@host/", "rtsp://***@host/"),
        ("rtsp://anna:ge/h#ei@host/1", "rtsp://***@host/1"),
        ("rtsp://h/cam/realmonitor?channel=1&authbasic=YWRt", "rtsp://h/cam/realmonitor?channel=1&authbasic=***"),
        ("rtsps://192.168.1.1:7441/AbCdEf0123456789?enableSrtp", "rtsps://192.168.1.1:7441/***?enableSrtp"),
        ("rtsp://anna:geheim@[fe80::1%eth0]:554/1", "rtsp://***@[fe80::1%eth0]:554/1"),
    ],
)
def test_host_and_known_words_stay_readable(address: str, shown: str) -> None:
    assert masked_address(address) == shown


@pytest.mark.parametrize(
    "address",
    [
        "0",
        "clips/yard.mp4",
        "scene?seed=8&seconds=60",
        "rtsp://camera/Streaming/Channels/101",
        "rtsp://camera/h264Preview_01_main",
        "rtsp://camera/live/ch00_0",
        "rtsp://camera/axis-media/media.amp?resolution=1280x720",
        "http://127.0.0.1:8080/",
        "mqtt://house:1883",
        "rtsp://user:password@host/path",
    ],
)
def test_a_source_without_a_secret_is_shown_as_it_is(address: str) -> None:
    assert masked_address(address) == masked(address) == address


def test_each_address_of_a_sentence_is_masked() -> None:
    text = "rtsp://a:geheim@host/1: refused; write rtsp://user:password@host/path, not (mqtt://b:geheim@house)."
    assert masked(text) == "rtsp://***@host/1: refused; write rtsp://user:password@host/path, not (mqtt://***@house)."


def test_known_secrets_are_masked_without_their_address() -> None:
    secrets = Secrets()
    secrets.add(["rtsp://anna:p%40ss-geheim@host/1", "mqtt://user:password@host"])
    assert secrets.mask("login anna, password p@ss-geheim or p%40ss-geheim") == "login anna, password *** or ***"


@pytest.mark.parametrize(
    "text",
    [
        "no such camera: rtsp://anna:my geheim17@host/1, and nothing else",
        "got '192.168.1.5:554/user=admin&password=geheim17'",
        "got ring:?device_id=1&refresh_token=geheim17",
        "cannot open rtsp://host/1234a5678geheim17 or http://host/a1b2c3d4geheim17",
    ],
)
def test_no_secret_of_a_sentence_is_shown(text: str) -> None:
    assert "geheim17" not in masked(text)


@pytest.mark.parametrize("path", ["1234a5678", "a1b2c3e4a5b6c7e8", "12345678"])
def test_many_digits_are_not_shown(path: str) -> None:
    assert masked_address(f"rtsp://host/{path}") == "rtsp://host/***"


def test_a_sentence_about_harmless_addresses_stays_as_it_is() -> None:
    text = "live view http://127.0.0.1:8080/ and http://127.0.0.1:8080/healthz; broker mqtt://host:1883, write a@b.de"
    assert masked(text) == text


@pytest.mark.parametrize("error", [SourceError, ConfigError, Misfit])
def test_an_error_masks_its_own_message(error: type[Exception]) -> None:
    assert str(error("no answer from rtsp://anna:geheim@host/1")) == "no answer from rtsp://***@host/1"


def test_a_value_that_is_secret_as_a_whole_is_hidden_everywhere() -> None:
    secrets = Secrets()
    secrets.add([], ["ge heim@42"])
    assert secrets.mask("got ge heim@42 and ge%20heim%4042") == "got *** and ***"


def test_the_address_of_mqtt_over_websockets_stays_readable() -> None:
    assert masked("wss://nuc.home:9001/mqtt") == "wss://nuc.home:9001/mqtt"
