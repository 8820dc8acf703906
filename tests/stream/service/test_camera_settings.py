"""Cameras are switched off and on and thresholds set while a service runs, and all of it is remembered."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harstream.stream.config.model import CameraConfig, Config
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.stream.service.camera_settings import CameraSettings
from harstream.stream.service.ending import Ending
from harstream.stream.service.reload import Reload
from harstream.stream.service.service import Service
from harstream.stream.service.settings_file import SettingsFile
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.reader import NewSource
from harstream.wire.errors import ConfigError, ControlError, SinkError
from harstream.wire.values import CameraChange, CameraControl, CameraState, Frame

HALL, YARD = CameraConfig(name="hall", source="0"), CameraConfig(name="yard", source="1", area="Yard")
CONFIG = Config(cameras=(HALL, YARD))


class Watched(Service):
    """A service without recognition: what it is told to do is done at once."""

    def __init__(self) -> None:
        self.sources: dict[str, str] = {}
        self.settings: dict[str, TrackerSettings] = {}
        self.is_stopped = False

    def watch(self, camera: str, new_source: NewSource) -> None:
        (live,) = new_source(threading.Event()).frames()
        assert isinstance(live, CameraChange)
        self.sources[camera] = live.reason

    def switch_off(self, camera: str) -> None:
        self.sources[camera] = "off"

    def unwatch(self, camera: str) -> None:
        del self.sources[camera]

    def retune(self, camera: str, settings: TrackerSettings) -> None:
        self.settings[camera] = settings

    def stop(self) -> None:
        self.is_stopped = True


class Source:
    is_live = True

    def __init__(self, camera: CameraConfig) -> None:
        self.camera, self._text = camera.name, camera.source

    def frames(self) -> Iterator[Frame | CameraChange]:
        yield CameraChange(self.camera, Clock().now(), CameraState.LIVE, self._text)


class House:
    """Camera settings with all they need, and what they report."""

    def __init__(self, folder: Path, config: Config = CONFIG, service: Watched | None = None) -> None:
        self.memory = folder / "controls.json"
        self.service = service or Watched()
        self.file = config
        self.told: list[CameraControl] = []
        self.taken: list[Config] = []
        self.ending = Ending(self.service)
        self.settings = CameraSettings(self.service, config, SettingsFile(self.memory), self, self)
        self.reload = Reload(self.settings, self.ending, lambda: self.file, lambda _: None)

    def start(self) -> House:
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

    def show_setting(self, setting: CameraControl) -> None:
        self.told.append(setting)

    def take_config(self, config: Config) -> None:
        self.taken.append(config)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path).start()


def test_all_cameras_are_watched_and_told_of(house: House) -> None:
    assert house.service.sources == {"hall": "0", "yard": "1"}
    assert house.told == [CameraControl("hall", threshold=0.8), CameraControl("yard", threshold=0.8)]
    assert house.settings.cameras() == house.told
    assert house.taken == []


def test_a_camera_that_is_switched_off_stays_so_when_the_service_is_started_again(house: House, tmp_path: Path) -> None:
    house.settings.switch("hall", on=False)
    assert house.service.sources == {"hall": "off", "yard": "1"}
    assert house.told[-1] == CameraControl("hall", is_enabled=False, threshold=0.8)
    again = House(tmp_path).start()
    assert again.service.sources == {"hall": "off", "yard": "1"}
    again.settings.switch("hall", on=True)
    assert again.service.sources == {"hall": "0", "yard": "1"}
    assert House(tmp_path).start().service.sources == {"hall": "0", "yard": "1"}


def test_switching_on_what_is_on_opens_nothing_anew(house: House) -> None:
    house.service.sources["hall"] = "untouched"
    house.settings.switch("hall", on=True)
    assert house.service.sources["hall"] == "untouched"


def test_a_threshold_is_of_one_camera(house: House, tmp_path: Path) -> None:
    house.settings.set_threshold("yard", 0.6)
    assert house.service.settings["yard"].start_above == 0.6
    assert house.service.settings["hall"].start_above == 0.8
    assert House(tmp_path).start().settings.cameras()[1].threshold == 0.6
    house.settings.switch("yard", on=False)
    house.settings.set_threshold("yard", None)
    assert house.told[-1] == CameraControl("yard", is_enabled=False, threshold=0.8)


@pytest.mark.parametrize("threshold", [-0.1, 1.01, float("nan"), float("inf")])
def test_a_threshold_that_is_no_share_is_refused(threshold: float, house: House) -> None:
    with pytest.raises(ControlError, match="expected a threshold between 0 and 1, got "):
        house.settings.set_threshold("hall", threshold)
    assert not house.memory.exists()


@pytest.mark.parametrize("name", ["attic", "", "#", "hall/enabled", "<b>"])
def test_an_unknown_camera_is_refused(name: str, house: House) -> None:
    expected = r"there is no camera .*; there are hall, yard"
    with pytest.raises(ControlError, match=expected):
        house.settings.switch(name, on=False)
    with pytest.raises(ControlError, match=expected):
        house.settings.set_threshold(name, 0.5)


def test_a_reload_changes_what_has_changed(house: House) -> None:
    moved = YARD.model_copy(update={"source": "2"})
    attic = CameraConfig(name="attic", source="3", area="Attic")
    house.service.sources["hall"] = "untouched"
    assert house.reload() == "nothing changed"
    house.file = Config(cameras=(HALL, moved, attic))
    assert house.reload() == "yard changed, attic is new"
    assert house.service.sources == {"hall": "untouched", "yard": "2", "attic": "3"}
    assert house.taken == [house.file]
    house.file = Config(cameras=(HALL,))
    assert house.reload() == "attic is removed, yard is removed"
    assert house.service.sources == {"hall": "untouched"}


def test_a_reload_takes_thresholds_and_leaves_those_that_were_set(house: House) -> None:
    house.settings.set_threshold("hall", 0.5)
    house.file = Config.model_validate({"cameras": (HALL, YARD), "activities": {"start_above": 0.9}})
    assert house.reload() == "activities changed"
    assert [camera.threshold for camera in house.settings.cameras()] == [0.5, 0.9]
    assert not house.ending.is_restart


def test_a_reload_takes_a_cameras_own_activities_without_opening_it_anew(house: House) -> None:
    house.service.sources["yard"] = "untouched"
    stricter = CameraConfig.model_validate(YARD.model_dump() | {"activities": {"start_above": 0.9}})
    house.file = Config(cameras=(HALL, stricter))
    assert house.reload() == "activities of yard changed"
    assert house.service.sources["yard"] == "untouched"
    assert [camera.threshold for camera in house.settings.cameras()] == [0.8, 0.9]


def test_a_reload_does_not_switch_a_camera_on(house: House) -> None:
    house.settings.switch("yard", on=False)
    house.file = Config(cameras=(HALL, YARD.model_copy(update={"source": "2"})))
    house.reload()
    assert house.service.sources["yard"] == "off"


@pytest.mark.parametrize(
    "change", [{"model": "lrcn"}, {"node": "nuc1"}, {"stride": 2}, {"activities": {"smoothing": 1.0}}]
)
def test_what_a_running_service_cannot_take_begins_it_anew(change: dict[str, object], house: House) -> None:
    house.file = Config.model_validate({"cameras": (HALL, YARD), **change})
    assert house.reload() == "the service restarts"
    assert (house.ending.is_restart, house.service.is_stopped) == (True, True)


def test_a_recording_is_not_overwritten_by_a_restart(tmp_path: Path) -> None:
    recorded = Config(cameras=(HALL,), record=tmp_path / "day.mp4")
    house = House(tmp_path, recorded).start()
    house.file = recorded.model_copy(update={"model": "lrcn"})
    with pytest.raises(ControlError, match=r"day.mp4 is being recorded"):
        house.reload()
    assert (house.ending.is_restart, house.service.is_stopped) == (False, False)


def test_a_service_that_is_ended_does_not_begin_anew(house: House) -> None:
    house.file = Config(cameras=(HALL, YARD), model="lrcn")
    house.reload()
    house.ending.stop()
    assert not house.ending.is_restart
    house.reload()
    assert not house.ending.is_restart


def test_a_mistake_leaves_all_as_it_was(house: House) -> None:
    before = dict(house.service.sources)
    house.file = Config(cameras=(YARD, CameraConfig(name="attic", source="wrong")))
    with pytest.raises(ConfigError, match="no such source"):
        house.reload()
    assert house.service.sources == before
    assert [camera.camera for camera in house.settings.cameras()] == ["hall", "yard"]


def test_a_memory_that_cannot_be_read_is_told(house: House, tmp_path: Path) -> None:
    house.memory.write_text('{"hall": 3}')
    with pytest.raises(SinkError, match=r"expected the cameras' settings in .*controls.json"):
        House(tmp_path).start()


def test_a_camera_is_switched_off_even_where_it_cannot_be_remembered(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.memory.mkdir()
    house.settings.switch("hall", on=False)
    house.settings.set_threshold("hall", 0.6)
    assert house.service.sources["hall"] == "off"
    assert house.settings.cameras()[0] == CameraControl("hall", is_enabled=False, threshold=0.6)
    warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [text.split(": ")[:2] for text in warned] == [["camera hall", "this setting is lost at the next start"]] * 2


def test_what_is_remembered_is_whole_however_many_ask(house: House) -> None:
    def ask(name: str) -> Callable[[], None]:
        def switch() -> None:
            for turn in range(50):
                house.settings.switch(name, on=bool(turn % 2))

        return switch

    threads = [threading.Thread(target=ask(name)) for name in ("hall", "yard")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    kept = json.loads(house.memory.read_text())
    assert {name: one["enabled"] for name, one in kept.items()} == {"hall": True, "yard": True}


def test_before_the_service_has_started_nothing_is_changed(tmp_path: Path) -> None:
    early = House(tmp_path)
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


def test_a_change_during_the_start_waits_for_it(tmp_path: Path, eventually: Callable[..., None]) -> None:
    house = House(tmp_path)
    asking = threading.Thread(target=house.settings.switch, args=("hall",), kwargs={"on": False})
    asking.start()
    house.start()
    asking.join(10)
    assert house.service.sources == {"hall": "off", "yard": "1"}
