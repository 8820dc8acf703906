"""The section `mqtt`: login, TLS, and the keys of other programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from harstream.models.contract import ModelContract
from harstream.mqtt.broker.address import TlsSettings
from harstream.stream.config.file import load_config, with_overrides
from harstream.stream.config.model import Config
from harstream.stream.config.mqtt import MqttConfig
from harstream.stream.config.validation_context import ValidationContext
from harstream.wire.errors import ConfigError
from tests.support.certificates import Authority


def config_of(folder: Path, text: str) -> MqttConfig:
    file = folder / "config.yaml"
    file.write_text(text)
    return load_config(file).mqtt


def mistakes(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        config_of(folder, text)
    return str(caught.value).replace(f"{folder}/", "")


def test_login_and_files_of_tls_are_part_of_the_address(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("geheim42\n")
    section = config_of(
        tmp_path,
        "mqtt: {broker: 'mqtts://nuc', user: anna, password: !file password, tls: {ca: ca.pem, certificate: me.pem}}",
    )
    address = section.address
    assert (address.url, address.username, address.password) == ("mqtts://nuc:8883", "anna", "geheim42")
    assert address.tls_settings == TlsSettings(Path("ca.pem"), Path("me.pem"))
    assert "geheim42" not in repr(section)


def test_another_broker_does_not_get_the_login(tmp_path: Path) -> None:
    section = config_of(tmp_path, "mqtt: {broker: 'mqtts://nuc', user: anna, password: geheim42, tls: {ca: ca.pem}}")
    elsewhere = MqttConfig.model_validate(section.with_broker("mqtts://other:1")).address
    assert (elsewhere.username, elsewhere.password, elsewhere.tls_settings.ca) == (None, None, Path("ca.pem"))
    assert MqttConfig.model_validate(section.with_broker("mqtt://other")).address.tls_settings == TlsSettings()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{user: anna}", "mqtt.user: expected broker: mqtt://host:1883 beside user"),
        ("{broker: 'mqtt://a:b@h', user: anna}", "mqtt.user: expected the login in broker or in user and password"),
        ("{broker: 'mqtt://h', password: geheim42}", "mqtt.password: expected user beside password"),
        ("{broker: 'mqtt://h', user: a, password: 424242}", "mqtt.password: expected a text"),
        ("{broker: 'mqtt://h', tls: {ca: ca.pem}}", "mqtt.tls: expected broker: mqtts://host:8883"),
        ("{broker: 'mqtts://h', tls: {key: k.pem}}", "mqtt.tls.key: expected certificate beside key"),
    ],
)
def test_settings_that_do_not_fit_each_other_are_mistakes(tmp_path: Path, text: str, expected: str) -> None:
    found = mistakes(tmp_path, f"mqtt: {text}\n")
    assert expected in found
    assert "geheim42" not in found
    assert "424242" not in found


def test_host_and_port_of_other_programs_get_the_address_to_write(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "mqtt:\n  host: 192.168.1.2\n  port: 8883\n  user: anna\n  password: geheim42\n")
    for key, line in (("host", 2), ("port", 3)):
        assert f"config.yaml:{line}:9: mqtt.{key}: expected host and port together in broker" in found
    assert "did you mean broker: mqtts://192.168.1.2:8883?" in found
    assert "mqtt.user" not in found
    assert "geheim42" not in found


def test_mistakes_beside_the_keys_of_other_programs_are_reported_together(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "mqtt: {host: nuc, tls_ca_certs: ca.pem, observations: perhaps}\n")
    assert "did you mean broker: mqtt://nuc:1883?" in found
    assert "did you mean tls: {ca: ...}?" in found
    assert "mqtt.observations: expected true or false" in found


@pytest.mark.parametrize(
    ("broker", "meant"),
    [
        ("192.168.1.2", "mqtt://192.168.1.2:1883"),
        ("nuc:1884", "mqtt://nuc:1884"),
        ("nuc.home:8883", "mqtts://nuc.home:8883"),
        ("tcp://nuc:1883", "mqtt://"),
        ("ssl://nuc:1883", "mqtts://"),
        ("https://nuc/mqtt", "wss://"),
    ],
)
def test_an_address_without_its_scheme_gets_the_address_to_write(tmp_path: Path, broker: str, meant: str) -> None:
    found = mistakes(tmp_path, f"mqtt: {{broker: '{broker}'}}\n")
    assert "mqtt.broker: expected a broker like mqtt://host:1883" in found
    assert f"did you mean {meant}?" in found


def test_config_check_opens_the_files_of_tls(tmp_path: Path, authority: Authority) -> None:
    context = ValidationContext(lambda _: ModelContract("light", "1", ("PushUps",)))
    own, other = authority.sign("own"), authority.sign("other")

    def checked(**tls: Path) -> str:
        try:
            section = {"broker": "mqtts://nuc", "tls": {name: str(file) for name, file in tls.items()}}
            with_overrides(Config(), {"mqtt": section}, context)
        except ConfigError as error:
            return str(error)
        return ""

    missing = tmp_path / "missing.pem"
    assert checked(ca=authority.certificate.file, certificate=own.file, key=own.key) == ""
    assert f"certificates in {missing}, got no such file" in checked(ca=missing)
    assert f"certificates in {own.key}, got no certificate" in checked(ca=own.key)
    assert f"a certificate in {missing}, got no such file" in checked(certificate=missing, key=own.key)
    assert f"a key in {missing}, got no such file" in checked(certificate=own.file, key=missing)
    assert f"in {other.key}, got the key of another certificate" in checked(certificate=own.file, key=other.key)
