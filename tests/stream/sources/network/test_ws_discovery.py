"""Cameras answer to WS-Discovery, on loopback only."""

from __future__ import annotations

import sys
import time

import pytest

from harstream.stream.sources.network.onvif_device import OnvifDevice
from harstream.stream.sources.network.ws_discovery import MOST_OF_ONE_HOST, DiscoveryAddress, find_cameras
from tests.support.cameras.onvif_camera import OnvifNetwork, says

GROUP = "239.255.255.250"


def found(network: OnvifNetwork, *answers: object) -> list[OnvifDevice]:
    port = network.answer_discovery(*answers)  # type: ignore[arg-type]
    return find_cameras(DiscoveryAddress("127.0.0.1", port), seconds=0.3)


def test_a_camera_is_found_with_its_name_and_address(onvif_network: OnvifNetwork) -> None:
    (camera,) = found(onvif_network, says("Front%20Door", "http://127.0.0.1:8080/onvif/device_service"))
    assert str(camera) == "onvif://127.0.0.1:8080 Front Door"
    assert camera.url == "http://127.0.0.1:8080/onvif/device_service"


@pytest.mark.skipif(sys.platform != "linux", reason="multicast on loopback alone is set up for Linux")
def test_cameras_are_found_by_multicast(onvif_network: OnvifNetwork) -> None:
    answers = says("Yard", "http://127.0.0.1/onvif/device_service"), says("Hall", "http://127.0.0.1:81/onvif/hall")
    port = onvif_network.answer_discovery(*answers, group=GROUP)
    cameras = find_cameras(DiscoveryAddress(GROUP, port), seconds=0.3, interfaces=["lo"])
    assert sorted((camera.name, camera.port, camera.path) for camera in cameras) == [
        ("Hall", 81, "/onvif/hall"),
        ("Yard", 80, "/onvif/device_service"),
    ]


@pytest.mark.parametrize(
    ("addresses", "url"),
    [
        (["http://10.0.0.9:8080/a"], "http://127.0.0.1:8080/a"),
        (["http://[fe80::9]/a", "http://127.0.0.1:82/b"], "http://127.0.0.1:82/b"),
        (["https://10.0.0.9/a"], "https://127.0.0.1:443/a"),
        (
            ["ftp://127.0.0.1/a", "http://[", "http://h:x/", "http://h/" + "a" * 5000],
            "http://127.0.0.1:80/onvif/device_service",
        ),
        ([], "http://127.0.0.1:80/onvif/device_service"),
    ],
)
def test_a_camera_is_reached_where_its_answer_came_from(
    onvif_network: OnvifNetwork, addresses: list[str], url: str
) -> None:
    (camera,) = found(onvif_network, says("a", *addresses))
    assert camera.url == url


def test_answers_that_are_broken_or_hostile_are_left_out(onvif_network: OnvifNetwork) -> None:
    good = says("Yard", "http://127.0.0.1/a")
    bad = [
        lambda _: b"\0\xff garbage",
        lambda _: b"",
        lambda _: b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + good("x").partition(b"?>")[2],
        lambda _: b"<ProbeMatch>" * 2_500 + b"</ProbeMatch>" * 2_500,
        lambda _: good("x").replace(b"/a<", b"/\x1b[2J<"),
    ]
    began = time.monotonic()
    cameras = found(onvif_network, *bad, good)
    assert time.monotonic() - began < 2
    assert [str(camera) for camera in cameras] == ["onvif://127.0.0.1/a Yard"]


def test_a_name_cannot_write_to_the_terminal(onvif_network: OnvifNetwork) -> None:
    (camera,) = found(onvif_network, says("%1b[2J" + "x" * 500, "http://127.0.0.1/a"))
    assert camera.name.isprintable()
    assert len(camera.name) <= 64


def test_one_host_cannot_name_any_number_of_cameras(onvif_network: OnvifNetwork) -> None:
    answers = [says("a", f"http://127.0.0.1:{port}/") for port in range(1000, 1200)]
    assert 0 < len(found(onvif_network, *answers)) <= MOST_OF_ONE_HOST


def test_no_answer_is_no_camera(free_port: int) -> None:
    assert find_cameras(DiscoveryAddress("127.0.0.1", free_port), seconds=0.1) == []
