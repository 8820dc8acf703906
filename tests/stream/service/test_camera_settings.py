"""Cameras are switched and thresholds set while a service runs. The settings survive a restart."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harstream.models.box import Box
from harstream.models.contract import ModelContract
from harstream.stream.config.camera import CameraConfig
from harstream.stream.config.model import Config
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.stream.recognition.views.settings import ViewSettings
from harstream.stream.service.camera_settings import CameraSettings
from harstream.stream.service.reload import Reload
from harstream.stream.service.service import Service
from harstream.stream.service.settings_file import SettingsFile
from harstream.stream.service.shutdown import Shutdown
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.reader import NewSource
from harstream.wire.errors import ConfigError, ControlError
from harstream.wire.values import CameraChange, CameraControl, CameraState, Frame
from tests.support.waiting import Eventually

HALL, YARD = CameraConfig(name="hall", source="0"), CameraConfig(name="yard", source="1", area="Yard")
CONFIG = Config(cameras=(HALL, YARD))


class RecordingService(Service):
    """A service without recognition. It carries out each call at once."""

    def __init__(self) -> None:
        self.sources: dict[str, str] = {}
        self.settings: dict[str, TrackerSettings] = {}
        self.views: dict[str, ViewSettings] = {}
        self.is_stopped = False
        self.refusing: list[str] = []
        self.opened: list[str] = []

    def refused(self) -> list[str]:
        return self.refusing

    def watch(self, camera: str, new_source: NewSource) -> None:
        (live,) = new_source(threading.Event()).frames()
        assert isinstance(live, CameraChange)
        self.sources[camera] = live.reason
        self.opened.append(camera)

    def disable(self, camera: str) -> None:
        self.sources[camera] = "off"

    def remove(self, camera: str) -> None:
        del self.sources[camera]

    def set_tracker_settings(self, camera: str, settings: TrackerSettings) -> None:
        self.settings[camera] = settings

    def set_view(self, camera: str, settings: ViewSettings) -> None:
        self.views[camera] = settings

    def stop(self) -> None:
        self.is_stopped = True


class Source:
    is_live = True

    def __init__(self, camera: CameraConfig) -> None:
        self.camera, self._text = camera.name, camera.source

    def frames(self) -> Iterator[Frame | CameraChange]:
        yield CameraChange(self.camera, Clock().now(), CameraState.LIVE, self._text)


class Node:
    """The camera settings of one node, with everything that they need and the states that they report."""

    def __init__(self, folder: Path, config: Config = CONFIG, service: RecordingService | None = None) -> None:
        self.memory = folder / "controls.json"
        self.service = service or RecordingService()
        self.file = config
        self.reported: list[CameraControl] = []
        self.taken: list[Config] = []
        self.shutdown = Shutdown(self.service)
        self.settings = CameraSettings(self.service, config, SettingsFile(self.memory), self, self)
        self.contract = ModelContract("m", "1", ("Jump", "Idle"), ("Idle",), view="motion")
        self.has_new_model = False
        self.reload = Reload(
            self.settings, self.shutdown, lambda: self.file, lambda _: None, lambda: self.has_new_model
        )

    def start(self) -> Node:
        self.settings.start(must_open=False)
        return self

    def new_source(self, camera: CameraConfig, *, must_open: bool) -> NewSource:
        if camera.source == "wrong":
            raise ConfigError("no such source")
        return lambda _: Source(camera)

    def tracker_settings(self, config: Config, camera: CameraConfig, threshold: float | None) -> TrackerSettings:
        own = camera.activities.changes() if camera.activities else {}
        configured = {"start_above": 0.8} | config.activities.settings() | own
        start_above = configured["start_above"] if threshold is None else threshold
        return TrackerSettings(start_above=start_above, end_below=start_above / 2)

    def view_settings(self, config: Config, camera: CameraConfig) -> ViewSettings:
        return config.view_settings(self.contract, camera)

    def on_setting(self, setting: CameraControl) -> None:
        self.reported.append(setting)

    def on_config(self, config: Config) -> None:
        self.taken.append(config)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path).start()


def test_all_cameras_are_watched_and_reported(node: Node) -> None:
    assert node.service.sources == {"hall": "0", "yard": "1"}
    assert node.reported == [CameraControl("hall", threshold=0.8), CameraControl("yard", threshold=0.8)]
    assert node.settings.cameras() == node.reported
    assert node.taken == []


def test_a_camera_that_is_switched_off_stays_off_after_a_restart(node: Node, tmp_path: Path) -> None:
    node.settings.switch("hall", on=False)
    assert node.service.sources == {"hall": "off", "yard": "1"}
    assert node.reported[-1] == CameraControl("hall", is_enabled=False, threshold=0.8)
    again = Node(tmp_path).start()
    assert again.service.sources == {"hall": "off", "yard": "1"}
    again.settings.switch("hall", on=True)
    assert again.service.sources == {"hall": "0", "yard": "1"}
    assert Node(tmp_path).start().service.sources == {"hall": "0", "yard": "1"}


def test_switching_on_an_enabled_camera_does_not_reopen_it(node: Node) -> None:
    node.service.sources["hall"] = "untouched"
    node.settings.switch("hall", on=True)
    assert node.service.sources["hall"] == "untouched"


def test_a_threshold_applies_to_one_camera(node: Node, tmp_path: Path) -> None:
    node.settings.set_threshold("yard", 0.6)
    assert node.service.settings["yard"].start_above == 0.6
    assert node.service.settings["hall"].start_above == 0.8
    assert Node(tmp_path).start().settings.cameras()[1].threshold == 0.6
    node.settings.switch("yard", on=False)
    node.settings.set_threshold("yard", None)
    assert node.reported[-1] == CameraControl("yard", is_enabled=False, threshold=0.8)


@pytest.mark.parametrize("threshold", [-0.1, 1.01, float("nan"), float("inf")])
def test_a_threshold_outside_of_0_to_1_is_refused(threshold: float, node: Node) -> None:
    with pytest.raises(ControlError, match="expected a threshold between 0 and 1, got "):
        node.settings.set_threshold("hall", threshold)
    assert not node.memory.exists()


@pytest.mark.parametrize("name", ["attic", "", "#", "hall/enabled", "<b>"])
def test_an_unknown_camera_is_refused(name: str, node: Node) -> None:
    expected = r"there is no camera .*; the cameras are hall, yard"
    with pytest.raises(ControlError, match=expected):
        node.settings.switch(name, on=False)
    with pytest.raises(ControlError, match=expected):
        node.settings.set_threshold(name, 0.5)


def test_a_reload_applies_the_changes(node: Node) -> None:
    moved = YARD.model_copy(update={"source": "2"})
    attic = CameraConfig(name="attic", source="3", area="Attic")
    node.service.sources["hall"] = "untouched"
    assert node.reload() == "nothing changed"
    node.file = Config(cameras=(HALL, moved, attic))
    assert node.reload() == "yard changed, attic is new"
    assert node.service.sources == {"hall": "untouched", "yard": "2", "attic": "3"}
    assert node.taken == [node.file]
    node.file = Config(cameras=(HALL,))
    assert node.reload() == "attic is removed, yard is removed"
    assert node.service.sources == {"hall": "untouched"}


def test_a_reload_applies_thresholds_and_keeps_those_set_at_run_time(node: Node) -> None:
    node.settings.set_threshold("hall", 0.5)
    node.file = Config.model_validate({"cameras": (HALL, YARD), "activities": {"start_above": 0.9}})
    assert node.reload() == "activities changed"
    assert [camera.threshold for camera in node.settings.cameras()] == [0.5, 0.9]
    assert not node.shutdown.is_restart


def test_a_reload_applies_a_cameras_own_activities_without_reopening_it(node: Node) -> None:
    node.service.sources["yard"] = "untouched"
    stricter = CameraConfig.model_validate(YARD.model_dump() | {"activities": {"start_above": 0.9}})
    node.file = Config(cameras=(HALL, stricter))
    assert node.reload() == "activities of yard changed"
    assert node.service.sources["yard"] == "untouched"
    assert [camera.threshold for camera in node.settings.cameras()] == [0.8, 0.9]


def test_a_reload_changes_what_the_model_sees_without_reopening_a_camera(node: Node) -> None:
    node.service.sources["yard"] = "untouched"
    cropped = CameraConfig.model_validate(YARD.model_dump() | {"view": "motion", "crop": [0, 0, 0.5, 1]})
    node.file = Config(cameras=(HALL, cropped), view="person")
    assert node.reload() == "view changed, view of yard changed, crop of yard changed"
    assert node.service.sources["yard"] == "untouched"
    assert node.service.views == {
        "hall": ViewSettings("person"), "yard": ViewSettings("motion", Box(0.0, 0.0, 0.5, 1.0))
    }  # fmt: skip
    assert not node.shutdown.is_restart


def test_a_camera_without_a_view_is_shown_what_the_model_was_made_for(node: Node) -> None:
    assert node.service.views == {"hall": ViewSettings("motion"), "yard": ViewSettings("motion")}
    node.file = Config(cameras=(HALL, YARD), view="picture")
    assert node.reload() == "view changed"
    assert node.service.views == {"hall": ViewSettings("picture"), "yard": ViewSettings("picture")}
    node.file = Config(cameras=(HALL, YARD))
    assert node.reload() == "view changed"
    assert node.service.views == {"hall": ViewSettings("motion"), "yard": ViewSettings("motion")}


def test_a_reload_does_not_switch_a_camera_on(node: Node) -> None:
    node.settings.switch("yard", on=False)
    node.file = Config(cameras=(HALL, YARD.model_copy(update={"source": "2"})))
    node.reload()
    assert node.service.sources["yard"] == "off"


@pytest.mark.parametrize(
    "change", [{"model": "lrcn"}, {"node": "nuc1"}, {"stride": 2}, {"activities": {"smoothing": 1.0}}]
)
def test_a_change_that_a_running_service_cannot_apply_restarts_it(change: dict[str, object], node: Node) -> None:
    node.file = Config.model_validate({"cameras": (HALL, YARD), **change})
    assert node.reload() == "the service restarts"
    assert (node.shutdown.is_restart, node.service.is_stopped) == (True, True)


def test_a_recording_is_not_overwritten_by_a_restart(tmp_path: Path) -> None:
    recorded = Config(cameras=(HALL,), record=tmp_path / "day.mp4")
    node = Node(tmp_path, recorded).start()
    node.file = recorded.model_copy(update={"model": "lrcn"})
    with pytest.raises(ControlError, match=r"overwrite the recording .*day.mp4"):
        node.reload()
    assert (node.shutdown.is_restart, node.service.is_stopped) == (False, False)


def test_a_stopped_service_does_not_restart(node: Node) -> None:
    node.file = Config(cameras=(HALL, YARD), model="lrcn")
    node.reload()
    node.shutdown.stop()
    assert not node.shutdown.is_restart
    node.reload()
    assert not node.shutdown.is_restart


def test_a_mistake_changes_nothing(node: Node) -> None:
    before = dict(node.service.sources)
    node.file = Config(cameras=(YARD, CameraConfig(name="attic", source="wrong")))
    with pytest.raises(ConfigError, match="no such source"):
        node.reload()
    assert node.service.sources == before
    assert [camera.camera for camera in node.settings.cameras()] == ["hall", "yard"]


def test_a_reload_tries_a_refused_login_at_once(node: Node) -> None:
    before = len(node.service.opened)
    node.service.refusing = ["hall"]
    assert node.reload() == "nothing changed, logging in again: hall"
    assert node.service.opened[before:] == ["hall"]


def test_a_settings_file_that_cannot_be_read_is_set_aside_and_reported(
    node: Node, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    node.memory.write_text('{"hall": 3}')
    Node(tmp_path).start()
    (line,) = [text for text in caplog.messages if "controls.json" in text]
    assert "cannot be read" in line
    assert not node.memory.exists()


def test_a_camera_is_switched_off_even_if_the_setting_cannot_be_saved(
    node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    node.memory.mkdir()
    node.settings.switch("hall", on=False)
    node.settings.set_threshold("hall", 0.6)
    assert node.service.sources["hall"] == "off"
    assert node.settings.cameras()[0] == CameraControl("hall", is_enabled=False, threshold=0.6)
    warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [text.split(": ")[:2] for text in warned] == [
        ["camera hall", "this setting will be lost at the next start"]
    ] * 2


def test_saved_settings_are_complete_after_concurrent_requests(node: Node) -> None:
    def ask(name: str) -> Callable[[], None]:
        def switch() -> None:
            for turn in range(50):
                node.settings.switch(name, on=bool(turn % 2))

        return switch

    threads = [threading.Thread(target=ask(name)) for name in ("hall", "yard")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    kept = json.loads(node.memory.read_text())
    assert {name: one["enabled"] for name, one in kept.items()} == {"hall": True, "yard": True}


def test_nothing_is_changed_before_the_service_has_started(tmp_path: Path) -> None:
    early = Node(tmp_path)
    early.settings.close()
    changes: list[Callable[[], object]] = [
        lambda: early.settings.switch("hall", on=False),
        lambda: early.settings.set_threshold("hall", 0.5),
        lambda: early.reload(),
    ]
    for change in changes:
        with pytest.raises(ControlError, match="still starting"):
            change()
    assert not early.memory.exists()


def test_a_change_during_the_start_waits_for_it(tmp_path: Path, eventually: Eventually) -> None:
    node = Node(tmp_path)
    asking = threading.Thread(target=node.settings.switch, args=("hall",), kwargs={"on": False})
    asking.start()
    node.start()
    asking.join(10)
    assert node.service.sources == {"hall": "off", "yard": "1"}


def test_a_reload_restarts_for_new_files_of_the_same_model(node: Node) -> None:
    assert node.reload() == "nothing changed"
    node.has_new_model = True
    assert node.reload() == "the service restarts"
    assert node.shutdown.is_restart
