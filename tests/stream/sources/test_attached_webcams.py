"""A webcam is found by its name. A folder that looks like Linux's stands for the devices."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from harstream.stream.sources.address import Webcam, WebcamName
from harstream.stream.sources.attached_webcams import AttachedWebcam, DeviceFolders, attached_webcams, index_or_path
from harstream.wire.errors import SourceError, Trouble

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not list webcams in folders")


class Node(NamedTuple):
    """One video device, as a webcam has one or two."""

    number: int
    name: str
    webcam: str
    place: int = 0
    stable: str = ""


C920 = Node(2, "HD Pro Webcam C920", "1-1", 0, "usb-046d_HD_Pro_Webcam_C920_8F0A-video-index0")
SETTINGS = Node(3, "HD Pro Webcam C920", "1-1", 1, "usb-046d_HD_Pro_Webcam_C920_8F0A-video-index1")
BUILT_IN = Node(0, "Integrated Camera: Integrated C", "1-8")
TWIN = Node(4, "HD Pro Webcam C920", "1-3", 0, "usb-046d_HD_Pro_Webcam_C920_77B1-video-index0")


def folders(root: Path, *nodes: Node) -> DeviceFolders:
    made = DeviceFolders(root / "dev", root / "sys", root / "dev/v4l/by-id")
    made.by_id.mkdir(parents=True)
    for node in nodes:
        (made.dev / f"video{node.number}").touch()
        hardware, listed = root / "devices" / node.webcam, made.sysfs / f"video{node.number}"
        hardware.mkdir(parents=True, exist_ok=True)
        listed.mkdir(parents=True)
        (listed / "name").write_text(f"{node.name}\n")
        (listed / "index").write_text(f"{node.place}\n")
        (listed / "device").symlink_to(hardware)
        if node.stable:
            (made.by_id / node.stable).symlink_to(f"../../video{node.number}")
    return made


def index_of(name: str, folders: DeviceFolders) -> int | str:
    return index_or_path(Webcam(WebcamName(name)), folders)


def refusal(name: str, folders: DeviceFolders) -> str:
    with pytest.raises(SourceError) as refused:
        index_of(name, folders)
    assert refused.value.trouble is Trouble.NO_DEVICE
    (line,) = str(refused.value).splitlines()
    return line


@pytest.mark.parametrize("name", ["HD Pro Webcam C920", "hd pro", "C920", "webcam c9"])
def test_a_webcam_is_found_by_a_part_of_its_name_in_any_case(tmp_path: Path, name: str) -> None:
    assert index_of(name, folders(tmp_path, SETTINGS, BUILT_IN, C920)) == 2


def test_a_whole_name_comes_before_a_beginning_and_a_beginning_before_a_part(tmp_path: Path) -> None:
    cameras = Node(0, "Camera", "1"), Node(1, "Camera Two", "2"), Node(2, "My Cam", "3"), Node(3, "Two Cameras", "4")
    made = folders(tmp_path, *cameras)
    assert index_of("camera", made) == 0
    assert index_of("two", made) == 3
    assert index_of("camera t", made) == 1
    assert "Camera Two (1)" in refusal("cam", made)


def test_a_name_of_two_webcams_is_refused_with_the_paths_of_both(tmp_path: Path) -> None:
    made = folders(tmp_path, C920, SETTINGS, TWIN, BUILT_IN)
    line = refusal("c920", made)
    assert all(f"{made.by_id / node.stable}" in line for node in (C920, TWIN))
    assert SETTINGS.stable not in line
    assert "Integrated" not in line


def test_a_name_that_no_webcam_has_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    made = folders(tmp_path / "two", C920, BUILT_IN)
    line = refusal("Brio", made)
    assert all(part in line for part in ("'Brio'", "HD Pro Webcam C920", "Integrated Camera: Integrated C (0)"))
    assert "found none" in refusal("Brio", DeviceFolders(*[tmp_path / "nothing"] * 3))


def test_the_name_of_a_device_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    line = refusal("Brio", folders(tmp_path, Node(0, "\x1b[2Jevil" + "x" * 1000, "1")))
    assert "\x1b" not in line
    assert len(line) < 200


def test_attached_webcams_have_names_and_stable_paths(tmp_path: Path) -> None:
    made = folders(tmp_path, C920, BUILT_IN)
    (made.dev / "video100").touch()
    (made.dev / "video1").touch()
    assert attached_webcams(made) == [
        AttachedWebcam(0, BUILT_IN.name),
        AttachedWebcam(1),
        AttachedWebcam(2, C920.name, str(made.by_id / C920.stable)),
    ]
    assert [str(webcam.source.device) for webcam in attached_webcams(made)] == ["0", "1", str(made.by_id / C920.stable)]


def test_a_stable_path_is_opened_by_the_index_that_it_has_now(tmp_path: Path) -> None:
    made = folders(tmp_path, C920)
    path = made.by_id / C920.stable
    assert index_or_path(Webcam(str(path)), made) == 2
    path.unlink()
    path.symlink_to("../../video5")
    assert index_or_path(Webcam(str(path)), made) == 5
    assert index_or_path(Webcam("/dev/other"), made) == "/dev/other"
    assert index_or_path(Webcam(7), made) == 7
