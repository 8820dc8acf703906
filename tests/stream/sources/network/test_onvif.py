"""ONVIF cameras report their streams, and broken and hostile ones do no harm. An imitation answers on loopback."""

from __future__ import annotations

import base64
import gzip
import time
from datetime import timedelta

import pytest

from harstream.stream.sources.network.onvif import DEADLINE, LARGEST_ANSWER, ask_cameras, recommended
from harstream.stream.sources.network.onvif_device import OnvifCamera, OnvifDevice, OnvifProfile
from harstream.wire.errors import Misfit, SourceError, Trouble
from tests.support.cameras import onvif_camera as imitation
from tests.support.cameras.onvif_camera import ENVELOPE, OnvifNetwork, StreamProfile

MAIN, SUB, TINY = StreamProfile("main", 2688, 1520), StreamProfile("sub", 640, 360, 15), StreamProfile("tiny", 176, 144)


def device(camera: imitation.OnvifCamera, user: str = "", password: str = "") -> OnvifDevice:
    return OnvifDevice.parse(camera.address).with_login(user, password)


def asked(camera: imitation.OnvifCamera, user: str = "", password: str = "") -> OnvifCamera | SourceError:
    (answer,) = ask_cameras([device(camera, user, password)])
    return answer


def refusal(answer: OnvifCamera | SourceError, trouble: Trouble) -> str:
    assert isinstance(answer, SourceError), answer
    assert answer.trouble is trouble, answer
    (line,) = str(answer).splitlines()
    return line


def profile(name: str, width: int, height: int, rate: float | None = 25.0, source: str = "") -> OnvifProfile:
    return OnvifProfile(name, name, source, "H264", width, height, rate)


@pytest.mark.parametrize(
    ("profiles", "chosen"),
    [
        ([profile("a", 1920, 1080), profile("b", 640, 480), profile("c", 320, 240)], "c"),
        ([profile("a", 1920, 1080), profile("b", 640, 480), profile("c", 352, 239)], "b"),
        ([profile("a", 1920, 1080), profile("b", 240, 320)], "b"),
        ([profile("a", 160, 120), profile("b", 176, 144)], "b"),
        ([profile("a", 1920, 1080), profile("b", 640, 480, 5.0)], "a"),
        ([profile("a", 1920, 1080, 5.0), profile("b", 640, 480, 5.0)], "b"),
        ([profile("a", 640, 480, 25.0), profile("b", 640, 480, 15.0)], "b"),
    ],
)
def test_the_smallest_stream_that_is_large_and_fast_enough_is_recommended(
    profiles: list[OnvifProfile], chosen: str
) -> None:
    assert [found.name for found in recommended(profiles)] == [chosen]


def test_a_recorder_has_one_recommended_stream_per_camera() -> None:
    streams = [
        profile(f"{name}{n}", size, size, source=name) for name in ("yard", "hall") for n, size in ((1, 1000), (2, 400))
    ]
    assert [found.name for found in recommended(streams)] == ["yard2", "hall2"]
    assert recommended([]) == []


@pytest.mark.parametrize("media", [1, 2])
@pytest.mark.parametrize("clock_error", [timedelta(), timedelta(days=-300)])
def test_streams_are_listed_after_a_login_by_digest(
    onvif_network: OnvifNetwork, secret: str, media: int, clock_error: timedelta
) -> None:
    camera = imitation.OnvifCamera([MAIN, SUB, TINY], ("anna", secret), media=media, clock_error=clock_error)
    answer = asked(onvif_network.add(camera), "anna", secret)
    assert isinstance(answer, OnvifCamera), answer
    assert [str(one) for one in answer.profiles] == [
        "main H264 2688x1520, 25 frames/s", "sub H264 640x360, 15 frames/s", "tiny H264 176x144, 25 frames/s",
    ]  # fmt: skip
    (stream,) = answer.recommended
    assert stream.camera.url == f"rtsp://anna:{secret}@127.0.0.1:8554/sub"
    assert secret not in str(answer) + "".join(camera.requests)


def test_a_camera_without_a_login_and_without_get_services_is_asked_for_its_capabilities(
    onvif_network: OnvifNetwork,
) -> None:
    answer = asked(onvif_network.add(imitation.OnvifCamera([SUB], knows_services=False)))
    assert isinstance(answer, OnvifCamera), answer
    assert answer.recommended[0].camera.url == "rtsp://127.0.0.1:8554/sub"


def test_a_refused_login_is_one_line_and_few_attempts(onvif_network: OnvifNetwork, secret: str) -> None:
    """Cameras lock an account after five to seven wrong logins."""
    camera = onvif_network.add(imitation.OnvifCamera([SUB], ("anna", "another")))
    line = refusal(asked(camera, "anna", secret), Trouble.LOGIN_REFUSED)
    assert f"onvif://127.0.0.1:{camera.port} refuses the user name or password" in line
    assert secret not in line
    assert len(camera.requests) <= 4
    line = refusal(asked(camera), Trouble.LOGIN_REFUSED)
    assert all(part in line for part in ("only with a login", "onvif://user:password@host"))


def test_a_password_with_special_characters_is_written_so_that_it_can_be_read_again(
    onvif_network: OnvifNetwork,
) -> None:
    camera = onvif_network.add(imitation.OnvifCamera([SUB], ("an na", "p@ss/w:rd#%?")))
    address = camera.address.replace("//", "//an%20na:p%40ss%2Fw%3Ard%23%25%3F@")
    (answer,) = ask_cameras([OnvifDevice.parse(address)])
    assert isinstance(answer, OnvifCamera), answer
    assert answer.recommended[0].camera.url == "rtsp://an%20na:p%40ss%2Fw%3Ard%23%25%3F@127.0.0.1:8554/sub"


def test_only_the_camera_itself_is_asked_whatever_host_it_names(onvif_network: OnvifNetwork, secret: str) -> None:
    foreign = imitation.OnvifCamera(
        [SUB], ("anna", secret), named_host="127.0.0.9", uri="rtsp://eve:e@{host}:9554/{token}"
    )
    answer = asked(onvif_network.add(foreign), "anna", secret)
    assert isinstance(answer, OnvifCamera), answer
    assert answer.recommended[0].camera.url == f"rtsp://anna:{secret}@127.0.0.1:9554/sub"


@pytest.mark.parametrize("uri", ["http://{host}/x", "file:///etc/passwd", "", "rtsp://[::1"])
def test_a_stream_that_is_not_rtsp_is_refused(onvif_network: OnvifNetwork, uri: str) -> None:
    camera = onvif_network.add(imitation.OnvifCamera([SUB], uri=uri))
    assert "expected rtsp://..." in refusal(asked(camera), Trouble.OTHER)


def test_a_camera_that_asks_for_a_plain_password_does_not_get_it(onvif_network: OnvifNetwork, secret: str) -> None:
    basic = imitation.sends(b"", 401, WWW_Authenticate='Basic realm="camera"')
    camera = onvif_network.add(imitation.OnvifCamera([], hostile=basic))
    refusal(asked(camera, "anna", secret), Trouble.LOGIN_REFUSED)
    everything = "".join(camera.requests)
    assert "Authorization" not in everything
    for form in (secret, base64.b64encode(f"anna:{secret}".encode()).decode()):
        assert form not in everything


ENTITIES = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]><x>&j;</x>"
)
HOSTILE = {
    "entities that expand": imitation.sends(ENTITIES),
    "a foreign file": imitation.sends(b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'),
    "no XML": imitation.sends(b"\0\xff<html>" * 1000),
    "nothing": imitation.sends(b""),
    "gigabytes": imitation.sends(b"<x>" + b"a" * (100 * LARGEST_ANSWER)),
    "gigabytes, compressed": imitation.sends(gzip.compress(b"a" * (100 * LARGEST_ANSWER)), Content_Encoding="gzip"),
    "a redirection": imitation.sends(b"", 302, Location="http://127.0.0.9/"),
    "an error with a page": imitation.sends(b"<html>\x1b[2J\n\n" + b"e" * 5000, 404),
    "an XML fault with escape codes": imitation.sends(
        ENVELOPE.format(imitation.FAULT.format("X", "\u009b2J [bold]rtsp://anna:geheim@host/" + "e" * 5000)).encode(),
        500,
    ),
    "silence": imitation.sends_nothing,
    "a byte at a time": imitation.sends_a_byte_at_a_time,
}


def test_hostile_cameras_take_little_time_and_give_one_line_each(onvif_network: OnvifNetwork, secret: str) -> None:
    cameras = [onvif_network.add(imitation.OnvifCamera([], hostile=hostile)) for hostile in HOSTILE.values()]
    good = onvif_network.add(imitation.OnvifCamera([SUB]))
    began = time.monotonic()
    answers = ask_cameras([device(camera, "anna", secret) for camera in [*cameras, good]])
    assert time.monotonic() - began < DEADLINE + 3
    for name, answer in zip(HOSTILE, answers, strict=False):
        assert isinstance(answer, SourceError), (name, answer)
        line = str(answer)
        assert line.isprintable(), name
        assert "internal error" not in line, (name, line)
        assert secret not in line, name
        assert len(line) < 300, name
    assert isinstance(answers[-1], OnvifCamera)


def test_profiles_within_each_other_take_no_time(onvif_network: OnvifNetwork) -> None:
    """The library searches each of them for all that it contains."""

    class Nested(imitation.OnvifCamera):
        def _profiles(self) -> str:
            return "<w:Profiles>" * 9_000 + "</w:Profiles>" * 9_000

    began = time.monotonic()
    assert "too many elements" in refusal(asked(onvif_network.add(Nested([]))), Trouble.OTHER)
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "sizes",
    [
        "<tt:Width>inf</tt:Width>",
        f"<tt:Width>{'9' * 5000}</tt:Width><tt:Height>1</tt:Height>",
        "<tt:Width>-5</tt:Width>",
    ],
)
@pytest.mark.parametrize("rate", ["1e999", "nan", "-1", "9" * 5000])
def test_impossible_numbers_are_one_line(onvif_network: OnvifNetwork, sizes: str, rate: str) -> None:
    class Impossible(imitation.OnvifCamera):
        def _profile(self, profile: StreamProfile) -> str:
            limit = f"<tt:RateControl><tt:FrameRateLimit>{rate}</tt:FrameRateLimit></tt:RateControl>"
            video = f"<tt:Resolution>{sizes}</tt:Resolution>{limit}"
            return f'<w:Profiles token="a"><w:VideoEncoder>{video}</w:VideoEncoder></w:Profiles>'

    answer = asked(onvif_network.add(Impossible([SUB])))
    line = refusal(answer, answer.trouble if isinstance(answer, SourceError) else Trouble.OTHER)
    assert "internal error" not in line


def test_a_port_without_a_server_is_named(free_port: int) -> None:
    (answer,) = ask_cameras([OnvifDevice("127.0.0.1", free_port)])
    assert "nothing listens at onvif://127.0.0.1" in refusal(answer, Trouble.UNREACHABLE)


@pytest.mark.parametrize(
    ("text", "url", "address"),
    [
        ("onvif://anna:pw@camera", "http://camera:80/onvif/device_service", "onvif://camera"),
        ("ONVIFS://camera:8443/onvif/other", "https://camera:8443/onvif/other", "onvifs://camera:8443/onvif/other"),
        ("onvif://[fe80::1]:8080/", "http://[fe80::1]:8080/onvif/device_service", "onvif://[fe80::1]:8080"),
    ],
)
def test_an_address_has_a_usual_port_and_path(text: str, url: str, address: str) -> None:
    parsed = OnvifDevice.parse(text)
    assert (parsed.url, parsed.address) == (url, address)
    assert "pw" not in repr(parsed)


@pytest.mark.parametrize("text", ["onvif://", "onvif://camera:x", "onvif://a b", "rtsp://camera", "onvif://camera:0"])
def test_what_is_no_address_of_a_camera_is_refused(text: str) -> None:
    with pytest.raises(Misfit, match="expected onvif://user:password@host"):
        OnvifDevice.parse(text)
