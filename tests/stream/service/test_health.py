"""The health of cameras, second by second. Overload is logged once, with what helps against it."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from harstream.stream.service.health import DARK, ENDED, FROZEN, PERIOD, STALLED, TICK, UNLIT, HealthWatch
from harstream.wire.errors import Trouble
from harstream.wire.health import Health, HealthState
from harstream.wire.values import CameraChange, CameraState
from tests.support.values import MakeNotice

CAMERAS = ("attic", "cellar", "hall", "yard")
REPLAY = "film"


class Machine:
    """Four cameras that drop frames, and a clock that moves only in `second`."""

    def __init__(self) -> None:
        self.arrived: Counter[str] = Counter()
        self.needed = self.arrived
        self.dropped: Counter[str] = Counter()
        self.time = 1_700_000_000.0
        self.watch = HealthWatch(self, lambda: self.time, rate=8)
        for camera in (*CAMERAS, REPLAY):
            self.watch.watch(camera, is_live=camera != REPLAY)
        self.reported: list[Health] = []

    def second(self, fps: int = 10, *, silent: str = "", **dropped: int) -> dict[str, Health]:
        """Lets a second pass: `fps` frames per camera, none of `silent`, `dropped` frames of them dropped."""
        for camera in CAMERAS:
            self.arrived[camera] += fps if camera != silent else 0
            self.dropped[camera] += dropped.get(camera, 0)
        assert self.watch.check() == []
        self.time += TICK
        self.reported = self.watch.check()
        assert self.watch.check() == []
        return {health.camera: health for health in self.reported}

    def a_period(self, **dropped: int) -> None:
        """Lets a period pass with ten frames per second and camera. `dropped` frames are spread over its seconds."""
        for second in range(round(PERIOD)):
            shares: dict[str, Any] = {camera: (count + 9 - second) // 10 for camera, count in dropped.items()}
            self.second(**shares)


@pytest.fixture
def machine(caplog: pytest.LogCaptureFixture) -> Machine:
    caplog.set_level(logging.INFO)
    return Machine()


def test_a_refused_login_is_remembered_until_the_camera_is_live(machine: Machine, make_notice: MakeNotice) -> None:
    refusal = CameraChange("hall", machine.time, CameraState.OFFLINE, "wrong", Trouble.LOGIN_REFUSED)
    machine.watch.observe(replace(make_notice(), camera="hall", change=refusal))
    assert machine.watch.refused() == ["hall"]
    machine.watch.observe(replace(make_notice(), camera="hall", change=CameraChange("hall", 0.0, CameraState.LIVE)))
    assert machine.watch.refused() == []


def test_a_few_dropped_frames_are_not_reported(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        machine.a_period(hall=2)
    assert not any(health.overloaded for health in machine.reported)
    assert caplog.messages == []


def test_overload_and_its_end_are_logged_once(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    machine.a_period()
    for _ in range(3):
        machine.a_period(hall=40, attic=10)
    assert {health.camera for health in machine.reported if health.overloaded} == {"hall", "attic"}
    assert [round(health.dropping, 2) for health in machine.reported] == [0.1, 0, 0.4, 0, 0]
    machine.a_period()
    assert not any(health.overloaded for health in machine.reported)
    begins, ends = caplog.messages
    assert begins.startswith("this machine cannot keep up: hall: ")
    assert "% of the frames are dropped, of one camera after the other. A lighter" in begins
    assert "--model lrcn" in begins
    assert ends == "this machine keeps up again; 150 frames were dropped so far"
    machine.a_period(hall=40)
    assert len(caplog.messages) == 3


def test_overload_near_its_limit_is_logged_once(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(5):
        machine.a_period(hall=3)
        machine.a_period(hall=1)
    assert len(caplog.messages) == 1


def test_the_first_burst_of_a_camera_is_no_overload(
    machine: Machine, make_notice: MakeNotice, caplog: pytest.LogCaptureFixture
) -> None:
    machine.a_period()
    machine.watch.observe(make_notice(state=CameraState.LIVE))
    machine.second(fps=60, hall=50)
    for _ in range(3):
        machine.a_period()
    assert caplog.messages == []


def test_many_cameras_are_counted(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    machine.second()
    machine.a_period(attic=90, cellar=90, hall=90, yard=90)
    assert "keep up: attic, cellar, hall and 1 more: " in caplog.messages[0]


def test_a_replay_that_falls_behind_is_reported(
    machine: Machine, make_notice: MakeNotice, caplog: pytest.LogCaptureFixture
) -> None:
    reported = []
    for late in (0, 1.9, 2.1, 24, 0.6, 0.4, 0):
        machine.watch.observe(make_notice(camera=REPLAY, time=machine.time - late))
        machine.watch.observe(make_notice(time=machine.time - 60))  # the clock of a live camera does not count
        reported.append(machine.second()[REPLAY])
    assert [health.overloaded for health in reported] == [False, False, True, True, True, False, False]
    assert reported[3].behind == pytest.approx(24)
    begins, ends = caplog.messages
    assert begins.startswith("this machine cannot keep up: film: up to 2 s behind. A lighter")
    assert ends.startswith("this machine keeps up again")


def test_a_replay_that_has_ended_is_not_behind(machine: Machine, make_notice: MakeNotice) -> None:
    machine.watch.observe(make_notice(camera=REPLAY, time=machine.time - 9))
    machine.watch.end(REPLAY)
    assert not machine.second()[REPLAY].overloaded


def test_a_camera_passes_through_its_states(machine: Machine, make_notice: MakeNotice) -> None:
    assert machine.second(fps=0)["hall"].state is HealthState.CONNECTING
    machine.watch.observe(make_notice(state=CameraState.LIVE, warming=(0, 20)))
    machine.watch.observe(make_notice(warming=(7, 20)))
    warming = machine.second()["hall"]
    assert (warming.state, warming.warming, warming.frame_age) == (HealthState.WARMING, (7, 20), 0.0)
    machine.watch.observe(make_notice())
    assert machine.second()["hall"].state is HealthState.LIVE
    states = [machine.second(silent="hall")["hall"] for _ in range(int(STALLED) + 1)]
    assert [health.state for health in states] == [HealthState.LIVE] * 3 + [HealthState.STALLED]
    assert states[-1].frame_age == 4.0
    machine.watch.observe(make_notice(state=CameraState.OFFLINE, reason="gave nothing for 5 seconds"))
    offline = machine.second(silent="hall")["hall"]
    assert (offline.state, offline.reason) == (HealthState.OFFLINE, "gave nothing for 5 seconds")
    assert offline.reconnects == 0
    machine.watch.observe(make_notice(state=CameraState.LIVE))
    again = machine.second()["hall"]
    assert (again.state, again.reason, again.reconnects) == (HealthState.LIVE, "", 1)


def test_a_camera_with_too_few_frames_is_logged_once(
    machine: Machine, make_notice: MakeNotice, caplog: pytest.LogCaptureFixture
) -> None:
    reasons = []
    for second in range(20):
        machine.watch.observe(make_notice(warming=(1, 20)))
        reasons.append(machine.second(fps=4 + second % 2)["hall"].reason)
    line = "it sends fewer frames than this model needs, 8 a second: raise the camera's frame rate"
    assert reasons == [""] * 15 + [line] * 5
    assert caplog.messages == [f"camera hall: {line}"]
    machine.watch.observe(make_notice())
    assert machine.second()["hall"].reason == ""


def test_irregular_frames_are_reported(machine: Machine, make_notice: MakeNotice) -> None:
    for _ in range(20):
        machine.watch.observe(make_notice(warming=(1, 20)))
        reported = machine.second(fps=25)["hall"]
    assert "too irregularly" in reported.reason
    assert "8 a second" in reported.reason


def test_frames_that_the_machine_drops_do_not_count_against_the_camera(
    machine: Machine, make_notice: MakeNotice, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(40):
        machine.watch.observe(make_notice(warming=(1, 20)))
        reported = machine.second(fps=25, hall=20)["hall"]
    assert (reported.overloaded, reported.reason) == (True, "")
    assert len(caplog.messages) == 1


def test_reconnecting_an_overloaded_camera_is_no_recovery(
    machine: Machine, make_notice: MakeNotice, caplog: pytest.LogCaptureFixture
) -> None:
    machine.second()
    machine.a_period(hall=40)
    machine.watch.observe(make_notice(state=CameraState.LIVE))
    for _ in range(3):
        machine.a_period(hall=40)
        assert any(health.overloaded for health in machine.reported)
    assert len(caplog.messages) == 1
    machine.watch.observe(make_notice(state=CameraState.OFFLINE))
    machine.second(silent="hall")
    assert not any(health.overloaded for health in machine.reported)


def test_the_frame_rate_covers_the_last_ten_seconds(machine: Machine) -> None:
    for _ in range(20):
        machine.second(fps=25)
    assert machine.second(fps=25)["hall"].fps == 25
    for _ in range(5):
        machine.second(fps=5)
    assert machine.second(fps=5)["hall"].fps == pytest.approx((4 * 25 + 6 * 5) / 10)


def test_a_file_that_has_ended_is_offline(machine: Machine, make_notice: MakeNotice) -> None:
    machine.watch.observe(make_notice())
    machine.watch.end("hall")
    over = machine.second()["hall"]
    assert (over.state, over.reason) == (HealthState.OFFLINE, ENDED)


def test_a_file_that_breaks_is_offline_with_another_reason_than_its_end(
    machine: Machine, make_notice: MakeNotice
) -> None:
    broken = CameraChange("hall", machine.time, CameraState.OFFLINE, "it is torn", Trouble.UNDECODABLE)
    machine.watch.observe(replace(make_notice(), change=broken))
    machine.watch.end("hall")
    over = machine.second()["hall"]
    assert (over.state, over.reason, over.trouble) == (HealthState.OFFLINE, "it is torn", Trouble.UNDECODABLE)


def test_a_camera_that_repeats_its_picture_is_frozen_since_the_first_repetition(
    machine: Machine, make_notice: MakeNotice, caplog: pytest.LogCaptureFixture
) -> None:
    stood_still = machine.time
    states = []
    for second in range(int(FROZEN) + 2):
        machine.watch.observe(make_notice(unchanged=float(second)))
        states.append(machine.second()["hall"])
    assert [health.state for health in states] == [HealthState.LIVE] * 30 + [HealthState.FROZEN] * 2
    frozen = states[-1]
    assert frozen.since == pytest.approx(stood_still, abs=1.0)
    assert (frozen.reason, frozen.trouble) == ("it repeats the same picture: restart the camera", None)
    assert frozen.fps > 0
    machine.watch.observe(make_notice())
    again = machine.second()["hall"]
    assert (again.state, again.since, again.reason) == (HealthState.LIVE, machine.time, "")
    assert caplog.messages == [f"camera hall: {frozen.reason}", "camera hall is no longer frozen"]


def test_a_replay_with_a_still_picture_is_not_frozen(machine: Machine, make_notice: MakeNotice) -> None:
    machine.arrived[REPLAY] += 1
    machine.watch.observe(make_notice(camera=REPLAY, time=machine.time, unchanged=2 * FROZEN))
    assert machine.second()[REPLAY].state is HealthState.LIVE


def test_a_camera_with_a_covered_lens_becomes_dark(
    machine: Machine, make_notice: MakeNotice, caplog: pytest.LogCaptureFixture
) -> None:
    machine.watch.observe(make_notice(lit=UNLIT))
    assert machine.second()["hall"].state is HealthState.LIVE
    covered = machine.time
    states = []
    for _ in range(int(DARK) + 1):
        machine.watch.observe(make_notice(lit=UNLIT / 2, unchanged=2 * FROZEN))
        states.append(machine.second()["hall"])
    assert [health.state for health in states[-2:]] == [HealthState.DARK] * 2
    assert states[0].state is not HealthState.DARK
    assert states[-1].since == covered
    machine.watch.observe(make_notice(lit=0.5))
    assert machine.second()["hall"].state is HealthState.LIVE
    assert caplog.messages[-1] == "camera hall is no longer dark"


def test_a_state_carries_its_begin(machine: Machine, make_notice: MakeNotice) -> None:
    machine.watch.observe(make_notice())
    began = machine.second()["hall"].since
    assert machine.second()["hall"].since == began
    last_frame = machine.time
    for _ in range(int(STALLED) + 3):
        reported = machine.second(silent="hall")["hall"]
    assert (reported.state, reported.since) == (HealthState.STALLED, last_frame)


def test_the_trouble_of_a_camera_has_a_code(machine: Machine, make_notice: MakeNotice) -> None:
    gone = make_notice(state=CameraState.OFFLINE, reason="refuses the password")
    assert gone.change is not None
    machine.watch.observe(replace(gone, change=replace(gone.change, trouble=Trouble.LOGIN_REFUSED)))
    assert machine.second()["hall"].trouble is Trouble.LOGIN_REFUSED
    for _ in range(20):
        machine.watch.observe(make_notice(camera="yard", warming=(1, 20)))
        reported = machine.second(fps=4)
    assert reported["yard"].trouble is Trouble.TOO_FEW_FRAMES
    assert reported["attic"].trouble is None


def test_a_camera_that_is_switched_off_is_disabled_and_nothing_else(machine: Machine, make_notice: MakeNotice) -> None:
    machine.watch.observe(make_notice())
    machine.second()
    machine.watch.observe(make_notice(state=CameraState.DISABLED))
    disabled = machine.second(silent="hall")["hall"]
    assert (disabled.state, disabled.reason, disabled.overloaded) == (HealthState.DISABLED, "", False)
    machine.watch.watch("hall", is_live=True)
    assert machine.second(silent="hall")["hall"].state is HealthState.CONNECTING


def test_a_forgotten_camera_is_no_longer_reported(machine: Machine, make_notice: MakeNotice) -> None:
    machine.watch.forget("hall")
    machine.watch.observe(make_notice())
    machine.watch.end("hall")
    assert set(machine.second()) == {*CAMERAS, REPLAY} - {"hall"}
