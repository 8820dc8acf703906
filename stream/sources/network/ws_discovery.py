"""Finds ONVIF cameras in the local network by WS-Discovery: it asks a multicast group, and cameras answer."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import uuid
from collections import Counter
from collections.abc import Collection
from typing import NamedTuple
from urllib.parse import unquote

from onveef.wsdiscovery import DiscoveredDevice, build_probe, parse_probe_matches

from harstream.stream.sources.clock import Clock
from harstream.stream.sources.network.bounded_xml import UnboundedXml, decoded_xml
from harstream.stream.sources.network.onvif_device import DEVICE_SERVICE, PORTS, OnvifDevice, split_url
from harstream.wire.readable import printable

SECONDS, REPEATS = 3.0, 3
"""How long answers are awaited, and how often the question is sent meanwhile: UDP loses packets."""
LARGEST_ANSWER = 65_535
MOST_CAMERAS, MOST_OF_ONE_HOST = 128, 16
CAMERAS = "dn:NetworkVideoTransmitter"


class DiscoveryAddress(NamedTuple):
    """A multicast group, or one host that is asked alone."""

    host: str
    """An IPv4 address."""
    port: int


def find_cameras(
    address: DiscoveryAddress, *, seconds: float = SECONDS, interfaces: Collection[str] | None = None
) -> list[OnvifDevice]:
    """Return the cameras that answer, by their address, without their logins.

    Each is reached where its answer came from, whatever host it names. `interfaces`: the names of those that ask; None
    means all. It takes `seconds` seconds. Only IPv4 is asked.
    """
    clock, found, of_host = Clock(), dict[str, OnvifDevice](), Counter[str]()
    began, sent = clock.now(), 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        while (passed := clock.now() - began) < seconds and len(found) < MOST_CAMERAS:
            if passed >= sent * seconds / REPEATS:
                _ask(asking, address, interfaces)
                sent += 1
            asking.settimeout(max(0.001, min(sent * seconds / REPEATS, seconds) - passed))
            try:
                answer, (host, *_) = asking.recvfrom(LARGEST_ANSWER)
            except OSError:  # nothing came; on Windows also: nobody listens at a host that was asked alone
                continue
            for device in _devices(answer, host):
                if device.url not in found and of_host[host] < MOST_OF_ONE_HOST:
                    found[device.url] = device
                    of_host[host] += 1
    return [found[url] for url in sorted(found)]


def _ask(asking: socket.socket, address: DiscoveryAddress, interfaces: Collection[str] | None) -> None:
    """Send the question through each interface. Some are down or know no multicast."""
    question = build_probe(message_id=f"urn:uuid:{uuid.uuid4()}", types=CAMERAS).encode()
    if interfaces is None:
        with contextlib.suppress(OSError):
            asking.sendto(question, address)
    if not ipaddress.ip_address(address.host).is_multicast:
        return
    for index, name in socket.if_nameindex():
        if interfaces is None or name in interfaces:
            with contextlib.suppress(OSError):  # Windows has another structure, and the default interface alone
                asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("8xi", index))
                asking.sendto(question, address)


def _devices(answer: bytes, host: str) -> list[OnvifDevice]:
    """Return the cameras that an answer of a host names."""
    try:
        matches = parse_probe_matches(decoded_xml(answer))
    except UnboundedXml:
        return []
    return [_device(match, host) for match in matches[:MOST_OF_ONE_HOST]]


def _device(match: DiscoveredDevice, host: str) -> OnvifDevice:
    """Return the camera at this host. Its other addresses may belong to another network, or to somebody else."""
    services = [parts for text in match.xaddrs if (parts := split_url(text)) and parts.scheme in PORTS]
    services.sort(key=lambda parts: parts.hostname != host)
    name = printable(unquote(match.name or match.hardware)).strip()
    if not services:
        return OnvifDevice(host, name=name)
    service = services[0]
    return OnvifDevice(
        host, service.port or PORTS[service.scheme], service.path or DEVICE_SERVICE, service.scheme, name
    )
