"""The section `web` of config.yaml: the page, and who may open it."""

from __future__ import annotations

import re
import ssl
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from argon2 import Type, extract_parameters
from argon2.exceptions import InvalidHashError
from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from harstream.mqtt.broker.certificate_files import load_certificate
from harstream.stream.config.loopback import is_loopback
from harstream.stream.config.section import Name, Port, Section
from harstream.stream.config.validation_context import ValidationContext
from harstream.wire.errors import Misfit

SHORTEST_TOKEN = 32
"""Characters of the shortest API token. Shorter ones could be guessed, because tokens are hashed without a salt."""
HASHED_TOKEN = re.compile(r"sha256:[0-9a-f]{64}")
HOST_NAME = r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$"
FRAME_SOURCE = r"^(https?://)?(\*\.)?([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:(\d{1,5}|\*))?$"
"""Source: the host-source of Content Security Policy Level 3, section 2.3.1, without a path."""
HEADER_NAME = r"^[A-Za-z][A-Za-z0-9-]{0,63}$"

Role = Literal["viewer", "operator"]


def _check_password_hash(text: str) -> str:
    try:
        parameters = extract_parameters(text)
    except (InvalidHashError, ValueError):
        parameters = None
    if parameters is None or parameters.type is not Type.ID:
        raise Misfit("expected an Argon2id hash in quotes, which `harstream config hash-password` makes")
    return text


def _check_token(text: str) -> str:
    if HASHED_TOKEN.fullmatch(text) or (len(text) >= SHORTEST_TOKEN and re.fullmatch(r"[\x21-\x7e]+", text)):
        return text
    raise Misfit(
        f"expected a token of {SHORTEST_TOKEN} printable characters or more, or sha256: and its hash; "
        "`harstream config new-token` makes both"
    )


def _check_network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError as error:
        raise Misfit(
            "expected an IP address or a network, such as 172.30.32.2 or 172.30.32.0/23", repr(text)
        ) from error
    return text


class WebUser(Section):
    name: str = Field(pattern=r"^[A-Za-z0-9_.@-]{1,64}$", description="the name to log in with")
    password_hash: Annotated[str, AfterValidator(_check_password_hash)] = Field(
        description="what `harstream config hash-password` prints, in quotes, or !file and its file"
    )
    role: Role = Field(default="viewer", description="viewer: sees the cameras; operator: also changes settings")


class WebToken(Section):
    name: Name = Field(description="the program that has the token")
    token: Annotated[str, AfterValidator(_check_token)] = Field(
        description="!file and the token's file, or sha256: and its hash; `harstream config new-token` makes both"
    )
    role: Literal["metrics", "viewer", "operator"] = Field(
        default="viewer", description="metrics: /metrics alone; viewer and operator: like those of users"
    )


class WebTls(Section):
    certificate: Path = Field(description="file with the certificate and its chain, as PEM")
    key: Path = Field(description="file with the certificate's key, as PEM, without a password")

    @model_validator(mode="after")
    def _check_files(self, info: ValidationInfo) -> Self:
        if isinstance(info.context, ValidationContext):
            self.context()
        return self

    def context(self) -> ssl.SSLContext:
        """Return the context for a server. Raises Misfit if the files cannot be used."""
        made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        load_certificate(made, self.certificate, self.key)
        return made


class WebProxy(Section):
    addresses: tuple[Annotated[str, AfterValidator(_check_network)], ...] = Field(
        min_length=1, description="addresses or networks of the proxies; a header from elsewhere is ignored"
    )
    user_header: str | None = Field(
        default=None, pattern=HEADER_NAME, description="header in which the proxy names the user; null: none"
    )
    role: Role = Field(default="viewer", description="role of the proxy's users whom `users` does not name")


class WebConfig(Section):
    enabled: bool = Field(default=True, description="serve the live view")
    host: str = Field(
        default="127.0.0.1",
        description="0.0.0.0 shows the page to other machines, which then need a login: see users, tokens, proxy, auth",
    )
    port: Port = Field(default=8080, description="port of the page; 0: any free port")
    control: bool | None = Field(
        default=None,
        description="the page may change settings; null: where there is a login, or no other machine",
    )
    auth: Literal["login", "none"] = Field(
        default="login",
        description="login: a page for other machines needs a user, token or proxy; none: everybody sees the cameras",
    )
    users: tuple[WebUser, ...] = Field(
        default=(), description="people who may log in, e.g. [{name: anna, password_hash: ..., role: operator}]"
    )
    tokens: tuple[WebToken, ...] = Field(
        default=(), description="programs that may ask, e.g. [{name: prometheus, token: !file token, role: metrics}]"
    )
    proxy: WebProxy | None = Field(
        default=None, description="a proxy in front, e.g. {addresses: [172.30.32.2], user_header: X-Remote-User-Name}"
    )
    tls: WebTls | None = Field(
        default=None, description="HTTPS, e.g. {certificate: cert.pem, key: key.pem}; null: HTTP"
    )
    hosts: tuple[Annotated[str, Field(pattern=HOST_NAME)], ...] = Field(
        default=(), description="more names under which browsers open the page, such as cameras.example.org"
    )
    frame_ancestors: tuple[Annotated[str, Field(pattern=FRAME_SOURCE)], ...] = Field(
        default=(), description="sites that may show the page in a frame, e.g. [http://homeassistant.local:8123]"
    )

    @model_validator(mode="after")
    def _check_access(self) -> Self:
        names = [user.name for user in self.users]
        if len(set(names)) < len(names):
            raise Misfit("each user needs a unique name")
        if self.auth == "login" and self.is_open_to_all:
            raise Misfit(
                "host, hosts or proxy show the cameras to other machines, so a login is needed: write `users` (their "
                "hashes come from `harstream config hash-password`), `tokens`, `proxy` with a user_header, or "
                "`auth: none` for no login"
            )
        return self

    @property
    def needs_login(self) -> bool:
        """Whether the page is only for known users, programs and proxies."""
        has_accounts = bool(self.users or self.tokens or (self.proxy and self.proxy.user_header))
        return self.auth == "login" and has_accounts

    @property
    def is_shared(self) -> bool:
        """Whether other machines can open the page: by its host, or through a proxy, which `hosts` and `proxy` show."""
        return not is_loopback(self.host) or bool(self.hosts) or self.proxy is not None

    @property
    def is_open_to_all(self) -> bool:
        """Whether other machines see the cameras without a login."""
        return self.enabled and not self.needs_login and self.is_shared

    @property
    def may_control(self) -> bool:
        """Whether the page may change settings. With a login, only operators may."""
        return (self.needs_login or not self.is_shared) if self.control is None else self.control

    @property
    def secrets(self) -> list[str]:
        return [*(user.password_hash for user in self.users), *(token.token for token in self.tokens)]
