"""The section `web` says who may open the page, and refuses to show cameras to everybody by accident."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harstream.models.contract import ModelContract
from harstream.stream.config.file import load_config, with_overrides
from harstream.stream.config.model import Config
from harstream.stream.config.validation_context import ValidationContext
from harstream.stream.config.web import WebConfig
from harstream.wire.errors import ConfigError, ConfigFileError
from harstream.wire.masking import Secrets
from tests.support.accounts import PASSWORD_HASH, TOKEN, USERS
from tests.support.certificates import Authority

ANNA = {"name": "anna", "password_hash": PASSWORD_HASH}


def web(**values: Any) -> WebConfig:
    return with_overrides(Config(), {"web": values}).web


def test_a_page_for_other_machines_without_any_login_is_one_mistake_that_says_what_to_write(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("web:\n  host: 0.0.0.0\n")
    with pytest.raises(ConfigFileError) as caught:
        load_config(file)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{file}:2:3: web: ")
    assert all(part in line for part in ("users", "hash-password", "tokens", "proxy", "auth: none"))
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "nuc1.lan", ""])
def test_any_host_but_loopback_needs_a_login(host: str) -> None:
    with pytest.raises(ConfigError):
        web(host=host)
    with pytest.raises(ConfigError):
        web(host=host, proxy={"addresses": ["127.0.0.1"]})  # it names no users
    assert web(host=host, enabled=False)


@pytest.mark.parametrize("more", [{"hosts": ["cameras.example.org"]}, {"proxy": {"addresses": ["127.0.0.1"]}}])
def test_a_page_behind_a_proxy_on_this_machine_needs_a_login(more: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        web(**more)
    assert web(auth="none", **more).is_open_to_all
    assert not web(auth="none", **more).may_control
    assert web(users=[ANNA], **more).needs_login


@pytest.mark.parametrize(
    "more",
    [{"users": [ANNA]}, {"tokens": [{"name": "grafana", "token": TOKEN}]},
     {"proxy": {"addresses": ["10.0.0.1"], "user_header": "X-User"}}],
)  # fmt: skip
def test_each_kind_of_account_makes_a_login(more: dict[str, Any]) -> None:
    made = web(host="0.0.0.0", **more)
    assert (made.needs_login, made.is_open_to_all, made.may_control) == (True, False, True)
    assert web(**more).needs_login


def test_no_login_must_be_written() -> None:
    made = web(host="0.0.0.0", auth="none", users=[ANNA])
    assert (made.needs_login, made.is_open_to_all, made.may_control) == (False, True, False)
    assert not web(auth="none").is_open_to_all


@pytest.mark.parametrize("values", [
    {"users": [ANNA, ANNA]},
    {"users": [ANNA | {"password_hash": "geheim"}]},
    {"users": [ANNA | {"password_hash": "$2b$12$" + "a" * 53}]},
    {"users": [ANNA | {"password_hash": PASSWORD_HASH.replace("argon2id", "argon2i")}]},
    {"users": [ANNA | {"role": "admin"}]},
    {"users": [ANNA | {"name": "anna b"}]},
    {"tokens": [{"name": "grafana", "token": "short"}]},
    {"tokens": [{"name": "grafana", "token": TOKEN + " "}]},
    {"tokens": [{"name": "grafana", "token": "sha256:" + "z" * 3}]},
    {"proxy": {"addresses": []}},
    {"proxy": {"addresses": ["nuc1"]}},
    {"proxy": {"addresses": ["10.0.0.1"], "user_header": "X User"}},
    {"hosts": ["*"]},
    {"hosts": ["a/b"]},
    {"frame_ancestors": ["*; script-src *"]},
    {"frame_ancestors": ["http://a b"]},
    {"tls": {"certificate": "cert.pem"}},
])  # fmt: skip
def test_a_value_that_does_not_fit_is_refused_without_showing_a_secret(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        web(**values)
    assert not any(secret in str(caught.value) for secret in ("geheim", TOKEN, PASSWORD_HASH))


def test_no_log_shows_hashes_and_tokens() -> None:
    config = with_overrides(Config(), {"web": {"users": USERS, "tokens": [{"name": "grafana", "token": TOKEN}]}})
    secrets = Secrets()
    secrets.add(config.addresses, config.secrets)
    assert secrets.mask(f"{PASSWORD_HASH} {TOKEN}") == "*** ***"


def test_config_check_tries_the_certificate_and_its_key(tmp_path: Path, authority: Authority) -> None:
    context = ValidationContext(lambda _: ModelContract("light", "1", ("PushUps",)))

    def checked(**tls: str) -> str:
        try:
            with_overrides(Config(), {"web": {"tls": tls}}, context)
        except ConfigError as error:
            return str(error)
        return ""

    own, other = ({"certificate": str(one.file), "key": str(one.key)} for one in map(authority.sign, ("own", "other")))
    assert checked(**own) == ""
    assert f"in {other['key']}, got the key of another certificate" in checked(**own | {"key": other["key"]})
    missing = str(tmp_path / "none.key")
    assert f"a key in {missing}, got no such file" in checked(**own | {"key": missing})
    assert f"a certificate in {missing}, got no such file" in checked(**own | {"certificate": missing})
