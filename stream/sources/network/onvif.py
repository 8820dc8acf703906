"""Asks ONVIF cameras for their streams, and recommends the smallest stream that is large enough."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from typing import Any

import httpx
from onveef import (
    AsyncOnvifClient,
    OnvifAuthError,
    OnvifCredentials,
    OnvifEndpoint,
    OnvifError,
    OnvifFaultError,
    OnvifOperationNotSupportedError,
    OnvifTimeoutError,
    OnvifTransportError,
)
from onveef.urls import rewrite_service_map

from harstream.stream.sources.address import NetworkCamera
from harstream.stream.sources.errors import as_source_error
from harstream.stream.sources.network.bounded_xml import UnboundedXml, decoded_xml
from harstream.stream.sources.network.onvif_device import OnvifCamera, OnvifDevice, OnvifProfile, OnvifStream
from harstream.stream.sources.probe import LARGEST_RATE, LOWEST_RATE
from harstream.wire.errors import SourceError, Trouble
from harstream.wire.readable import printable

DEADLINE = 10.0
"""Seconds for all answers of a camera together."""
LARGEST_ANSWER = 512 * 1024
MOST_PROFILES = 256
SMALLEST_SIDES = (240, 320)
"""The least size, shorter side first, also of an upright picture. Models see 64x64 pixels, of a part of the picture."""
LARGEST_SIDE = 16_384
REFUSED = re.compile(r"NotAuthorized|FailedAuthentication|not authorized", re.IGNORECASE)
"""How the faults of cameras say that a login is wrong or missing."""
UNREADABLE = (ArithmeticError, ValueError, httpx.InvalidURL)
"""What the library raises for numbers and addresses that are none."""
REFUSAL = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value>'
    "</s:Code><s:Reason><s:Text>NotAuthorized</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>"
)
"""A refusal in the words that the library knows."""


def ask_cameras(devices: Sequence[OnvifDevice]) -> list[OnvifCamera | SourceError]:
    """Return what each camera offers, or why it does not say so, in the same order. It asks all at the same time.

    It takes DEADLINE seconds at most, whatever the cameras answer. A password is sent as a digest only.
    """
    return asyncio.run(_ask_all(devices))


def recommended(profiles: Iterable[OnvifProfile]) -> list[OnvifProfile]:
    """Return the smallest profile that is large enough, of each camera of a recorder; else the largest one.

    A profile that is too slow for the models counts only if all are.
    """
    by_source: dict[str, list[OnvifProfile]] = {}
    for profile in profiles:
        by_source.setdefault(profile.video_source, []).append(profile)
    return [_smallest(same) for same in by_source.values()]


def _smallest(profiles: list[OnvifProfile]) -> OnvifProfile:
    fast = [profile for profile in profiles if profile.rate is None or profile.rate >= LOWEST_RATE] or profiles
    enough = [profile for profile in fast if _is_large_enough(profile)]
    if not enough:
        return max(fast, key=lambda profile: profile.width * profile.height)
    return min(enough, key=lambda profile: (profile.width * profile.height, profile.rate or 0.0))


def _is_large_enough(profile: OnvifProfile) -> bool:
    sides = sorted((profile.width, profile.height))
    return sides[0] >= SMALLEST_SIDES[0] and sides[1] >= SMALLEST_SIDES[1]


async def _ask_all(devices: Sequence[OnvifDevice]) -> list[OnvifCamera | SourceError]:
    answers = await asyncio.gather(*map(_ask, devices), return_exceptions=True)
    return [_result(device, answer) for device, answer in zip(devices, answers, strict=True)]


def _result(device: OnvifDevice, answer: OnvifCamera | BaseException) -> OnvifCamera | SourceError:
    if isinstance(answer, OnvifCamera):
        return answer
    if not isinstance(answer, Exception):
        raise answer
    return as_source_error(answer, str(device))


async def _ask(device: OnvifDevice) -> OnvifCamera:
    """Raises SourceError."""
    try:
        async with asyncio.timeout(DEADLINE), _client(device) as client:
            await _learn_services(client, device)
            profiles = _profiles(await client.get_profiles())
            streams = [await _stream(client, device, profile) for profile in recommended(profiles)]
    except (OnvifError, TimeoutError, *UNREADABLE) as error:
        raise _source_error(error, device) from error
    if not streams:
        raise SourceError(f"expected video at {device}, found no stream with a size", Trouble.NO_VIDEO)
    return OnvifCamera(device, tuple(profiles), tuple(streams))


def _client(device: OnvifDevice) -> AsyncOnvifClient:
    return AsyncOnvifClient(
        endpoint=OnvifEndpoint(device.url),
        credentials=OnvifCredentials(device.user, device.password),
        timeout_s=DEADLINE / 2,
        http_auth="digest",  # with "auto", a camera that asks for Basic would get the password itself
        retries=0,
        transport=_BoundedTransport(device.host),
    )


async def _learn_services(client: AsyncOnvifClient, device: OnvifDevice) -> None:
    """Ask for the addresses of the camera's services. The client asks them all at the device's own host."""
    try:
        services = await client.get_services() or await client.get_capabilities()
    except (OnvifFaultError, OnvifOperationNotSupportedError):
        services = await client.get_capabilities()
    client.set_endpoint(OnvifEndpoint(device.url, rewrite_service_map(services, device.url)))


def _profiles(described: list[dict[str, Any]]) -> list[OnvifProfile]:
    """Return the profiles that have video of a stated size."""
    found = []
    for profile in described[:MOST_PROFILES]:
        video = profile.get("video_encoder", {})
        W, H, rate = video.get("width", 0), video.get("height", 0), video.get("fps_limit")
        if profile["token"] and 0 < W <= LARGEST_SIDE and 0 < H <= LARGEST_SIDE:
            found.append(
                OnvifProfile(
                    profile["token"],
                    printable(profile["name"] or profile["token"]),
                    profile.get("video_source", {}).get("source_token", ""),
                    printable(video["encoding"]) or "video",
                    W,
                    H,
                    float(rate) if rate and 0 < rate <= LARGEST_RATE else None,
                )
            )
    return found


async def _stream(client: AsyncOnvifClient, device: OnvifDevice, profile: OnvifProfile) -> OnvifStream:
    """Raises OnvifError, and SourceError for an address that is not RTSP."""
    uri = await client.get_stream_uri(profile_token=profile.token)
    if (url := device.stream_url(uri)) is None:
        raise SourceError(f"expected rtsp://... for {profile.name} of {device}, got something else", Trouble.OTHER)
    return OnvifStream(profile, NetworkCamera(url))


class _BoundedTransport(httpx.AsyncBaseTransport):
    """Sends requests to one host only, and refuses answers that are too large, compressed, or XML without bounds.

    It gives each refusal of a login the same form, because the library would take some for other faults.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        # Cameras sign their certificates themselves.
        self._connections = httpx.AsyncHTTPTransport(verify=False, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host != self._host:
            raise httpx.UnsupportedProtocol("another host", request=request)
        response = await self._connections.handle_async_request(request)
        try:
            text = decoded_xml(await _body(response))
        except UnboundedXml as error:
            raise httpx.RemoteProtocolError(str(error), request=request) from error
        finally:
            await response.aclose()
        headers = {"Content-Type": "application/soap+xml; charset=utf-8"}
        challenge = response.headers.get("WWW-Authenticate", "")
        if response.status_code == httpx.codes.UNAUTHORIZED and "digest" in challenge.lower():
            return httpx.Response(response.status_code, headers=headers | {"WWW-Authenticate": challenge})
        if response.status_code in (401, 403) or (response.is_error and REFUSED.search(text)):
            return httpx.Response(httpx.codes.BAD_REQUEST, headers=headers, content=REFUSAL)
        return httpx.Response(response.status_code, headers=headers, content=text.encode())

    async def aclose(self) -> None:
        await self._connections.aclose()


async def _body(response: httpx.Response) -> bytes:
    """Raises UnboundedXml."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise UnboundedXml("a compressed answer, which was not asked for")
    body = bytearray()
    async for part in response.aiter_raw():
        body += part
        if len(body) > LARGEST_ANSWER:
            raise UnboundedXml(f"an answer of more than {LARGEST_ANSWER} bytes")
    return bytes(body)


def _source_error(error: Exception, device: OnvifDevice) -> SourceError:
    match error:
        case OnvifAuthError():
            does = "refuses the user name or password" if device.user else "reports its streams only with a login"
            return SourceError(f"{device} {does}: write onvif://user:password@host", Trouble.LOGIN_REFUSED)
        case OnvifTimeoutError() | TimeoutError():
            return SourceError(f"{device} gave no whole answer in time: check the address", Trouble.TIMEOUT)
        case OnvifTransportError() if isinstance(error.__cause__, httpx.ConnectError):
            return SourceError(
                f"nothing listens at {device}: check address and port, and that the camera is on", Trouble.UNREACHABLE
            )
    said = printable(str(error))
    return SourceError(f"expected the answers of an ONVIF camera at {device}, got: {said}", Trouble.OTHER)
