"""`harstream predict` replays video files of many kinds as fast as possible; `doctor` examines the machine."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import onnxruntime
import pytest

from tests.support.films import WriteFilm
from tests.support.waiting import Eventually

Harstream = Callable[..., Any]


def events_in(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def spans(file: Path) -> list[tuple[str, float, float]]:
    """Returns activity, start and end in seconds of each event that has ended."""
    ends = [event for event in events_in(file) if event["event_type"] == "end"]
    return [(event["activity"], seconds(event["started_at"]), seconds(event["ended_at"])) for event in ends]


def seconds(stamp: str) -> float:
    date, _, clock = stamp.rstrip("Z").partition("T")
    assert date == "1970-01-01"
    hours, minutes, rest = clock.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(rest)


def test_replaying_a_file_gives_the_same_bytes(
    harstream: Harstream, film: Callable[..., Path], light_model: Path, tmp_path: Path
) -> None:
    film("yard.mp4", (1, 0), (3, 200), (4, 0), (3, 200))
    for name in ("one.jsonl", "two.jsonl"):
        assert harstream("predict", "yard.mp4", "--model", light_model, "--events", name)[0] == 0
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
    # The smoothed score, exp(-t / 0.5 s), passes end_below = 0.375 0.24 s after the light begins, and 0.49 s after
    # it ends. Half a window of 0.4 s is subtracted, and about as much added: two light frames of five are enough.
    first, second = spans(tmp_path / "one.jsonl")
    assert first == ("Light", pytest.approx(1.2, abs=0.3), pytest.approx(4.6, abs=0.3))
    assert second == ("Light", pytest.approx(8.2, abs=0.3), pytest.approx(11, abs=0.3))


def test_files_of_one_name_in_two_folders_have_different_event_ids(
    harstream: Harstream, film: WriteFilm, light_model: Path, tmp_path: Path
) -> None:
    ids = []
    for camera in ("cam1", "cam2"):
        (tmp_path / camera).mkdir()
        film(f"{camera}/0800.mp4", (3, 200))
        assert harstream("predict", f"{camera}/0800.mp4", "--model", light_model, "--events", f"{camera}.jsonl")[0] == 0
        ids.append({event["id"] for event in events_in(tmp_path / f"{camera}.jsonl")})
    assert [len(each) for each in ids] == [1, 1]
    assert ids[0] != ids[1]


@pytest.mark.parametrize(
    ("name", "options"),
    [("yard.mp4", ("--start-time", "2026-11-20T13:05:09Z")), ("yard_2026-11-20_13-05-09.mp4", ())],
)
def test_events_carry_the_date_of_the_option_or_of_the_files_name(
    harstream: Harstream, film: WriteFilm, light_model: Path, tmp_path: Path, name: str, options: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("TZ", "UTC")
    film(name, (3, 200))
    code, running = harstream("predict", name, "--model", light_model, "--events", "events.jsonl", *options)
    assert (code, running.complaints) == (0, [])
    started = {event["started_at"] for event in events_in(tmp_path / "events.jsonl")}
    assert all(moment.startswith("2026-11-20T13:05:09.") for moment in started)
    row = running.stdout[1].split()
    assert float(row[2]) == pytest.approx(0, abs=0.5)  # the table counts from the first frame


def test_an_invalid_start_time_is_refused_in_one_line(harstream: Harstream, film: WriteFilm) -> None:
    film("yard.mp4", (1, 0))
    code, running = harstream("predict", "yard.mp4", "--start-time", "yesterday")
    assert code == 3
    (line,) = running.complaints
    assert "--start-time" in line
    assert "'yesterday'" in line


def test_a_truncated_avi_is_played_to_its_last_picture_and_then_reported(
    harstream: Harstream, film: Callable[..., Path], light_model: Path, tmp_path: Path
) -> None:
    whole = film("whole.avi", (6, 200), codec="MJPG").read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    code, running = harstream("predict", "cut.avi", "--model", light_model, "--events", "events.jsonl")
    assert code == 4
    (complaint,) = running.complaints
    assert "cut.avi breaks after" in complaint
    ((activity, start, end),) = spans(tmp_path / "events.jsonl")
    assert (activity, start, end) == ("Light", pytest.approx(0, abs=0.5), pytest.approx(3, abs=0.5))


def test_predict_goes_on_after_files_that_cannot_be_read(
    harstream: Harstream, film: Callable[..., Path], light_model: Path, tmp_path: Path
) -> None:
    film("yard.mp4", (3, 200))
    (tmp_path / "hall.mp4").write_bytes(b"no video at all " * 100)
    code, running = harstream("predict", "hall.mp4", "none.mp4", "yard.mp4", "--model", light_model)
    assert code == 4
    assert any("yard.mp4" in line and "Light" in line for line in running.stdout)
    first, second = running.complaints
    assert "hall.mp4" in first
    assert "none.mp4" in second


def test_a_broken_file_does_not_end_the_other_files(
    harstream: Harstream, film: Callable[..., Path], light_model: Path, tmp_path: Path, mosquitto: Any,
    subscribe: Callable[[int], Any],
) -> None:  # fmt: skip
    film("yard.mp4", (3, 200))
    (tmp_path / "hall.mp4").write_bytes(b"no video at all " * 100)
    subscriber = subscribe(mosquitto.port)
    options = "--model", light_model, "--events", "events.jsonl", "--broker", mosquitto.url
    code, running = harstream("run", "--source", "hall.mp4", "--source", "yard.mp4", *options)
    assert [event["event_type"] for event in events_in(tmp_path / "events.jsonl")] == ["start", "end"]
    assert code == 4
    (complaint,) = running.complaints
    assert complaint.startswith("harstream: camera file: ")
    assert sum("; the other cameras continue" in line for line in running.stderr) == 1
    assert "undecodable" in [one.json["code"] for one in subscriber.of("camera/file/health")]


def test_an_event_continues_when_the_picture_size_changes(
    harstream: Harstream, film: Callable[..., Path], light_model: Path, tmp_path: Path
) -> None:
    small, large = film("a.mp4", (2, 200)), film("b.mp4", (2, 200), size=(320, 240))
    joined = b""
    for part in (small, large):
        segment = part.with_suffix(".ts")
        codec = ["-c:v", "mpeg2video", "-q:v", "3"]
        subprocess.run(["ffmpeg", "-v", "error", "-i", str(part), *codec, str(segment)], check=True)
        joined += segment.read_bytes()
    (tmp_path / "both.ts").write_bytes(joined)
    options = ("--events", "events.jsonl", "--record", "seen.mp4")
    code, running = harstream("predict", "both.ts", "--model", light_model, *options)
    assert (code, running.complaints) == (0, [])
    ((activity, start, end),) = spans(tmp_path / "events.jsonl")
    assert (activity, start, end) == ("Light", pytest.approx(0, abs=0.5), pytest.approx(4, abs=0.5))
    assert cv2.VideoCapture(str(tmp_path / "seen.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) == pytest.approx(100, abs=3)


def test_several_files_are_listed_with_their_events(
    harstream: Harstream, film: Callable[..., Path], light_model: Path
) -> None:
    film("light.mp4", (3, 200))
    film("dark.mp4", (3, 0))
    code, running = harstream("predict", "light.mp4", "dark.mp4", "--model", light_model)
    assert (code, running.complaints) == (0, [])
    heading, light, dark = [line.split() for line in running.stdout if line.strip()]
    assert heading == ["file", "activity", "start", "end", "seconds", "confidence"]
    assert light[:2] == ["light.mp4", "Light"]
    assert dark == ["dark.mp4", "nothing", "recognized"]


def findings(running: Any) -> dict[str, dict[str, Any]]:
    return {finding["what"]: finding for finding in json.loads("\n".join(running.stdout))}


def lacking(running: Any) -> set[str]:
    return {what for what, finding in findings(running).items() if finding["is_needed"] and not finding["is_fine"]}


def test_doctor_reports_in_json(harstream: Harstream, configure: Callable[..., None]) -> None:
    configure(cameras=[{"name": "hall", "source": "scene"}], events="events.jsonl", record="film.mp4")
    code, running = harstream("doctor", "--json")
    found = findings(running)
    assert (code, lacking(running)) == (0, set())
    assert running.complaints == []
    assert {"Python", "versions", "model", "webcams", "own broker", "state", "disk"} <= found.keys()
    assert found["own broker"]["is_fine"]
    assert found["camera"]["found"] == "hall scene: drawn 320x240, 25 frames/s stated"
    assert found["events"]["found"] == "events.jsonl can be written"


def test_doctor_accepts_what_the_running_harstream_uses(
    start: Callable[..., Any], harstream: Harstream, configure: Callable[..., None], light_model: Path,
    eventually: Eventually,
) -> None:  # fmt: skip
    configure(cameras=[{"name": "hall", "source": "scene"}], web={"enabled": True})
    running = start("run", "--model", light_model)
    eventually(lambda: "live view http" in running.output, "the run to start", 40)
    code, examined = harstream("doctor", "--json")
    found = findings(examined)
    assert (code, lacking(examined)) == (0, set())
    assert found["service"]["found"] == "harstream is running, with the state in harstream-state"
    assert "is in use while harstream is running" in found["live view"]["found"]
    assert "is in use while harstream is running" in found["own broker"]["found"]
    running.signal(signal.SIGTERM)
    assert running.wait(10) == 0
    assert "service" not in findings(harstream("doctor", "--json")[1])


@pytest.fixture
def half_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, need: Callable[[bool, str], None]) -> None:
    """Provides a driver that can be found and CUDA libraries that cannot be loaded."""
    capi = Path(onnxruntime.__file__).parent / "capi"
    library = next(capi.glob("libonnxruntime_providers_shared.so"), None)
    need(library is not None and (capi / "libonnxruntime_providers_cuda.so").exists(), "needs onnxruntime-gpu on Linux")
    (tmp_path / "driver").mkdir()
    (tmp_path / "driver" / "libcuda.so.1").symlink_to(str(library))  # any library that can be loaded
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path / "driver"))


@pytest.mark.usefixtures("half_a_gpu")
def test_a_gpu_that_does_not_work_is_reported_and_the_cpu_used(
    harstream: Harstream, film: Callable[..., Path], light_model: Path
) -> None:
    film("light.mp4", (3, 200))
    code, running = harstream("run", "--source", "light.mp4", "--model", light_model)
    assert code == 0
    (warning,) = (line for line in running.stderr if "WARNING" in line)
    assert "there is an NVIDIA driver, but ONNX Runtime could not use the GPU and uses the CPU" in warning
    assert running.complaints == []
    assert any(line.startswith("model light on CPU") for line in running.stdout)


@pytest.mark.usefixtures("half_a_gpu")
def test_doctor_reports_a_gpu_that_does_not_work_in_json_without_other_output(harstream: Harstream) -> None:
    _, running = harstream("doctor", "--json")
    accelerator = findings(running)["accelerator"]
    assert (accelerator["found"], accelerator["is_fine"]) == ("CPU", False)
    assert running.complaints == []


def test_doctor_reports_what_is_missing(
    harstream: Harstream, configure: Callable[..., None], tmp_path: Path, secret: str
) -> None:
    (tmp_path / "state").touch()
    (tmp_path / "folder.mp4").mkdir()
    configure(
        model="lcrn",
        mqtt={"broker": "mqtt://127.0.0.1:1"},
        cameras=[{"name": "hall", "source": f"rtsp://anna:{secret}@127.0.0.1:1/hall"}],
        events="no-folder/events.jsonl",
        record="folder.mp4",
        state="state/of/it",
    )
    code, running = harstream("doctor", "--json")
    assert code == 1
    assert lacking(running) == {"model", "broker", "camera", "events", "record", "state"}
    assert findings(running)["camera"]["found"].startswith("hall: nothing listens at rtsp://***@127.0.0.1:1/hall")


def test_doctor_accepts_one_missing_camera_of_two_because_run_waits_for_it(
    harstream: Harstream, configure: Callable[..., None]
) -> None:
    configure(cameras=[{"name": "yard", "source": "rtsp://127.0.0.1:1/"}, {"name": "hall", "source": "scene"}])
    code, running = harstream("doctor", "--json")
    assert (code, lacking(running)) == (0, set())
