"""An ONVIF camera: SOAP over HTTP with logins checked by digest, and answers to WS-Discovery, on loopback alone."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import pytest

ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:ter="http://www.onvif.org/ver10/error" '
    'xmlns:w="http://www.onvif.org/ver10/any"><s:Body>{}</s:Body></s:Envelope>'
)
FAULT = (
    "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:{}</s:Value></s:Subcode></s:Code>"
    '<s:Reason><s:Text xml:lang="en">{}</s:Text></s:Reason></s:Fault>'
)
MATCH = (
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl">'
    "<s:Header><a:RelatesTo>{question}</a:RelatesTo></s:Header><s:Body><d:ProbeMatches><d:ProbeMatch>"
    "<a:EndpointReference><a:Address>urn:uuid:1419d68a-1dd2-11b2-a105-000000000000</a:Address></a:EndpointReference>"
    "<d:Types>dn:NetworkVideoTransmitter</d:Types>"
    "<d:Scopes>onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/{name}</d:Scopes>"
    "<d:XAddrs>{addresses}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion>"
    "</d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"
)
POLL = 0.02
"""Seconds until a server notices that it ends."""
LONGEST_SKEW = 300.0
"""Seconds by which the time of a login may differ from the camera's clock."""


class StreamProfile(NamedTuple):
    """A profile. `channel`: which of a recorder's cameras it shows."""

    token: str
    width: int
    height: int
    rate: int = 25
    codec: str = "H264"
    channel: str = "channel1"


Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class OnvifCamera:
    """What the camera is like. `requests` holds all that it received."""

    profiles: list[StreamProfile]
    login: tuple[str, str] | None = None
    uri: str = "rtsp://{host}:8554/{token}"
    """The address of a stream. `{host}` is the host that the camera believes to have."""
    named_host: str = "127.0.0.1"
    media: int = 1
    """The version of the media service."""
    knows_services: bool = True
    clock_error: timedelta = timedelta()
    hostile: Answer | None = None
    """Answers each request in place of the camera."""
    port: int = 0
    requests: list[str] = field(default_factory=list)
    seen_nonces: set[str] = field(default_factory=set)

    @property
    def address(self) -> str:
        return f"onvif://127.0.0.1:{self.port}"

    def answer(self, request: str) -> tuple[int, str]:
        """Return the HTTP status and the body of the answer."""
        body = re.search(r":Body>\s*<(?:\w+:)?(\w+)", request)
        operation = body[1] if body else ""
        if operation == "GetSystemDateAndTime":
            return 200, self._time()
        if self.login and not self._may(request):
            said = "The action requested requires authorization and the sender is not authorized"
            return 400, FAULT.format("NotAuthorized", said)
        handlers: dict[str, Callable[[], str]] = {
            "GetServices": self._services,
            "GetCapabilities": self._capabilities,
            "GetProfiles": self._profiles,
            "GetStreamUri": lambda: self._stream(request),
        }
        handler = handlers.get(operation)
        if handler is None or (operation == "GetServices" and not self.knows_services):
            return 500, FAULT.format("ActionNotSupported", "Optional Action Not Implemented")
        return 200, handler()

    def _may(self, request: str) -> bool:
        """Return whether the UsernameToken is right, fresh and new. Source: WS-Security UsernameToken Profile 1.0."""
        parts = {
            name: found[1]
            for name in ("Username", "Password", "Nonce", "Created")
            if (found := re.search(rf"<\w+:{name}(?: [^>]*)?>([^<]*)<", request))
        }
        if len(parts) < 4 or "#PasswordDigest" not in request or parts["Nonce"] in self.seen_nonces:
            return False
        self.seen_nonces.add(parts["Nonce"])
        user, password = self.login or ("", "")
        created = datetime.fromisoformat(parts["Created"])
        text = base64.b64decode(parts["Nonce"]) + parts["Created"].encode() + password.encode()
        return (
            parts["Username"] == user
            and parts["Password"] == base64.b64encode(hashlib.sha1(text).digest()).decode()  # noqa: S324
            and abs((created - self._now()).total_seconds()) < LONGEST_SKEW
        )

    def _now(self) -> datetime:
        return datetime.now(UTC) + self.clock_error

    def _time(self) -> str:
        now = self._now()
        return (
            "<w:GetSystemDateAndTimeResponse><w:SystemDateAndTime><tt:UTCDateTime>"
            f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute><tt:Second>{now.second}</tt:Second>"
            f"</tt:Time><tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day>"
            "</tt:Date></tt:UTCDateTime></w:SystemDateAndTime></w:GetSystemDateAndTimeResponse>"
        )

    def _services(self) -> str:
        return (
            "<w:GetServicesResponse><w:Service>"
            f"<w:Namespace>http://www.onvif.org/ver{self.media}0/media/wsdl</w:Namespace>"
            f"<w:XAddr>http://{self.named_host}:{self.port}/onvif/media</w:XAddr></w:Service></w:GetServicesResponse>"
        )

    def _capabilities(self) -> str:
        return (
            "<w:GetCapabilitiesResponse><w:Capabilities><tt:Media>"
            f"<tt:XAddr>http://{self.named_host}:{self.port}/onvif/media</tt:XAddr>"
            "</tt:Media></w:Capabilities></w:GetCapabilitiesResponse>"
        )

    def _profiles(self) -> str:
        described = "".join(map(self._profile, self.profiles))
        return f"<w:GetProfilesResponse>{described}</w:GetProfilesResponse>"

    def _profile(self, profile: StreamProfile) -> str:
        size = f"<tt:Width>{profile.width}</tt:Width><tt:Height>{profile.height}</tt:Height>"
        source = f"<tt:SourceToken>{profile.channel}</tt:SourceToken>"
        video = (
            f"<tt:Encoding>{profile.codec}</tt:Encoding><tt:Resolution>{size}</tt:Resolution>"
            f"<tt:RateControl><tt:FrameRateLimit>{profile.rate}</tt:FrameRateLimit></tt:RateControl>"
        )
        if self.media == 2:
            configurations = (
                f"<w:Configurations><w:VideoSource>{source}</w:VideoSource>"
                f"<w:VideoEncoder>{video}</w:VideoEncoder></w:Configurations>"
            )
        else:
            configurations = (
                f"<tt:VideoSourceConfiguration>{source}</tt:VideoSourceConfiguration>"
                f"<tt:VideoEncoderConfiguration>{video}</tt:VideoEncoderConfiguration>"
            )
        return f'<w:Profiles token="{profile.token}"><tt:Name>{profile.token}</tt:Name>{configurations}</w:Profiles>'

    def _stream(self, request: str) -> str:
        token = re.search(r"ProfileToken>([^<]*)<", request)
        uri = self.uri.format(host=self.named_host, token=token[1] if token else "")
        inner = f"<tt:Uri>{uri}</tt:Uri>"
        media = f"<w:MediaUri>{inner}</w:MediaUri>" if self.media == 1 else f"<w:Uri>{uri}</w:Uri>"
        return f"<w:GetStreamUriResponse>{media}</w:GetStreamUriResponse>"


class _Handler(BaseHTTPRequestHandler):
    camera: OnvifCamera

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""

    def do_POST(self) -> None:
        request = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.camera.requests.append(f"{self.path}\n{self.headers}\n{request}")
        with contextlib.suppress(OSError):
            if self.camera.hostile:
                self.camera.hostile(self)
                return
            status, body = self.camera.answer(request)
            self.send(ENVELOPE.format(body).encode(), status)

    def send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/soap+xml; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


def sends(body: bytes, status: int = 200, **headers: str) -> Answer:
    """Return an answer that is the same for all requests."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        assert isinstance(handler, _Handler)
        handler.send(body, status, **headers)

    return answer


def sends_nothing(_: BaseHTTPRequestHandler) -> None:
    time.sleep(15)


def sends_a_byte_at_a_time(handler: BaseHTTPRequestHandler) -> None:
    """Each byte comes in time, and the whole answer never."""
    handler.wfile.write(b"HTTP/1.0 200 OK\r\n")
    for _ in range(60):
        handler.wfile.write(b"X")
        time.sleep(0.25)


class OnvifNetwork:
    """The cameras of a test, and what answers to WS-Discovery."""

    def __init__(self) -> None:
        self._leave = contextlib.ExitStack()

    def add(self, camera: OnvifCamera) -> OnvifCamera:
        """Serve the camera on a free port."""
        handler = type("Handler", (_Handler,), {"camera": camera})
        server = ThreadingHTTPServer(("127.0.0.1", camera.port), handler)
        server.daemon_threads = True
        camera.port = server.server_port
        self._serve(partial(server.serve_forever, POLL), server.shutdown, server.server_close)
        return camera

    def answer_discovery(self, *answers: Callable[[str], bytes], group: str = "") -> int:
        """Answer each question with all answers, and return the port. `group`: a multicast group on loopback."""
        asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        asked.bind((group or "127.0.0.1", 0))
        asked.settimeout(0.05)
        if group:
            loopback = struct.pack("4s4si", socket.inet_aton(group), b"\0" * 4, socket.if_nametoindex("lo"))
            asked.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, loopback)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    question, client = asked.recvfrom(65_535)
                    identity = re.search(r"MessageID>([^<]+)<", question.decode())
                    assert identity
                    assert "NetworkVideoTransmitter" in question.decode()
                    for answer in answers:
                        asked.sendto(answer(identity[1]), client)

        self._serve(serve, over.set, asked.close)
        return int(asked.getsockname()[1])

    def close(self) -> None:
        self._leave.close()

    def _serve(self, work: Callable[[], None], stop: Callable[[], None], close: Callable[[], None]) -> None:
        thread = threading.Thread(target=work)
        thread.start()
        self._leave.callback(close)
        self._leave.callback(thread.join)
        self._leave.callback(stop)


def says(name: str, *addresses: str) -> Callable[[str], bytes]:
    """Return an answer to WS-Discovery with a name, as it is in a URL, and the addresses of the device service."""
    return lambda question: MATCH.format(question=question, name=name, addresses=" ".join(addresses)).encode()


@pytest.fixture
def onvif_network() -> Iterator[OnvifNetwork]:
    network = OnvifNetwork()
    yield network
    network.close()
