"""The address of an ONVIF camera, onvif://user:password@host, and what the camera offers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, quote, unquote, urlsplit

from harstream.stream.sources.address import ONVIF_SCHEMES, NetworkCamera
from harstream.wire.errors import Misfit
from harstream.wire.masking import masked_address

DEVICE_SERVICE = "/onvif/device_service"
"""The usual path. Source: ONVIF Core Specification, section 5.1.1."""
PORTS = {"http": 80, "https": 443}
LONGEST_PATH = 256


@dataclass(frozen=True)
class OnvifDevice:
    """Where an ONVIF camera answers, and the login for it."""

    host: str
    """Name or IP address, without brackets."""
    port: int = PORTS["http"]
    path: str = DEVICE_SERVICE
    scheme: str = "http"
    name: str = ""
    """What the camera calls itself; empty if unknown."""
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, text: str) -> OnvifDevice:
        """Parse onvif:// or onvifs://, which is over TLS. Raises Misfit."""
        parts = split_url(text)
        if parts is None or parts.scheme not in ONVIF_SCHEMES or not parts.hostname:
            raise Misfit(
                "expected onvif://user:password@host, with @ : / ? # % of a password as %40 %3A %2F %3F %23 %25"
            )
        scheme = "https" if parts.scheme == "onvifs" else "http"
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        path = parts.path if parts.path.strip("/") else DEVICE_SERVICE
        return cls(parts.hostname, parts.port or PORTS[scheme], path, scheme, user=user, password=password)

    def with_login(self, user: str, password: str) -> OnvifDevice:
        return replace(self, user=user, password=password)

    @property
    def url(self) -> str:
        """The address of the device service, without the login."""
        return f"{self.scheme}://{bracketed(self.host)}:{self.port}{self.path}"

    @property
    def address(self) -> str:
        """The address as a user writes it, without the login."""
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        path = "" if self.path == DEVICE_SERVICE else self.path
        return f"onvif{'s' if self.scheme == 'https' else ''}://{bracketed(self.host)}{port}{path}"

    def __str__(self) -> str:
        return f"{self.address} {self.name}".rstrip()

    def stream_url(self, uri: str) -> str | None:
        """Return the address of a stream with the login, always at this host. None if `uri` is no RTSP address.

        A camera behind a router, or a hostile one, may name another host.
        """
        parts = split_url(uri)
        if parts is None or parts.scheme not in ("rtsp", "rtsps") or not parts.hostname:
            return None
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if self.user else ""
        port = f":{parts.port}" if parts.port else ""
        return parts._replace(netloc=f"{login}{bracketed(self.host)}{port}", fragment="").geturl()


@dataclass(frozen=True)
class OnvifProfile:
    """One stream of a camera, as the camera describes it."""

    token: str
    name: str
    video_source: str
    """Which of a recorder's cameras it shows."""
    codec: str
    width: int
    height: int
    rate: float | None
    """The highest number of pictures per second; None if it is not stated."""

    def __str__(self) -> str:
        rate = "" if self.rate is None else f", {self.rate:g} frames/s"
        return f"{self.name} {self.codec} {self.width}x{self.height}{rate}"


@dataclass(frozen=True)
class OnvifStream:
    """The recommended stream of a camera, or of one of a recorder's cameras."""

    profile: OnvifProfile
    camera: NetworkCamera


@dataclass(frozen=True)
class OnvifCamera:
    """What a camera offers."""

    device: OnvifDevice
    profiles: tuple[OnvifProfile, ...]
    recommended: tuple[OnvifStream, ...]

    def __str__(self) -> str:
        streams = ", ".join(f"{stream.profile.name} {masked_address(stream.camera.url)}" for stream in self.recommended)
        return f"{self.device}: {'; '.join(map(str, self.profiles))}; recommended: {streams}"


def split_url(text: str) -> SplitResult | None:
    """Return the parts of an address; None if it is too long, or has spaces, control characters or a wrong port."""
    if len(text) > LONGEST_PATH * 4 or not text.isprintable() or " " in text:
        return None
    try:
        parts = urlsplit(text)
        return parts if parts.port != 0 and len(parts.path) <= LONGEST_PATH else None
    except ValueError:
        return None


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
