"""Each mistake of an operator gives one clear line on stderr and the exit code of its kind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harstream.models.contract import ModelContract
from tests.support.waiting import Eventually

CONFIG, SOURCE, MODEL, BROKER, SINK = 3, 4, 5, 6, 7
CHECK = 2
"""The exit code of `config check`."""

Harstream = Callable[..., tuple[int, Any]]


@pytest.fixture
def fails(harstream: Harstream) -> Callable[..., str]:
    """`fails(4, "run", ...)` runs the command and returns its only line. It fails at another code or more lines."""

    def run(code: int, *arguments: object) -> str:
        ended, running = harstream(*arguments)
        assert (ended, len(running.complaints)) == (code, 1), running.output
        line = str(running.complaints[0])
        assert line.startswith("harstream: ")
        return line.removeprefix("harstream: ")

    return run


def test_a_missing_webcam_is_an_error(fails: Callable[..., str]) -> None:
    assert "expected a webcam at index 63, found none" in fails(SOURCE, "run", "--source", "63")


def test_a_missing_file_is_an_error(fails: Callable[..., str]) -> None:
    assert "there is no such file, got 'film.mp4'" in fails(SOURCE, "run", "--source", "film.mp4")
    assert "found nothing at film.mp4" in fails(SOURCE, "predict", "film.mp4")


def test_a_text_file_named_mp4_is_an_error(fails: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_text("no film\n" * 1000)
    assert "nothing that can be decoded in film.mp4" in fails(SOURCE, "run", "--source", "film.mp4")


def test_a_truncated_mp4_is_an_error(fails: Callable[..., str], film: Callable[..., Path], tmp_path: Path) -> None:
    whole = film("whole.mp4", (2, 200)).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])  # its index is at the end
    assert "nothing that can be decoded in cut.mp4" in fails(SOURCE, "predict", "cut.mp4")


def test_an_unknown_scheme_is_named_without_the_password(fails: Callable[..., str], secret: str) -> None:
    line = fails(CONFIG, "run", "--source", f"ftp://anna:{secret}@127.0.0.1/camera")
    assert all(part in line for part in ("expected a webcam's index", "rtsp://...", "got ftp://..."))


@pytest.mark.parametrize("options", ["sed=8", "seed", "seed=-1", "seconds=nan", "seconds=0"])
def test_invalid_options_of_the_scene_are_an_error(fails: Callable[..., str], options: str) -> None:
    assert "expected scene?seed=1&seconds=60" in fails(CONFIG, "run", "--source", f"scene?{options}")


def test_an_invalid_webcam_index_is_an_error(fails: Callable[..., str]) -> None:
    assert "a webcam's index is 0 to 99" in fails(CONFIG, "run", "--source", "99999999999999999999")


def test_an_empty_source_is_one_mistake(fails: Callable[..., str]) -> None:
    line = fails(CONFIG, "run", "--source", "")
    assert line.startswith("cameras.0.source: expected a webcam's index, rtsp://")
    assert line.endswith(", got nothing")


@pytest.mark.parametrize("option", ["--events", "--record"])
@pytest.mark.parametrize("command", [["predict", "yard.mp4"], ["run", "--source", "yard.mp4"]])
def test_the_watched_video_is_not_overwritten(
    fails: Callable[..., str], film: Callable[..., Path], command: list[str], option: str
) -> None:
    yard = film("yard.mp4", (1, 200))
    before = yard.read_bytes()
    assert "yard.mp4 is the video to watch" in fails(CONFIG, *command, option, "./yard.mp4")
    assert yard.read_bytes() == before


@pytest.mark.skipif(Path("/dev/nvidia0").exists(), reason="there is a GPU")
def test_cuda_on_a_machine_without_it_is_an_error(fails: Callable[..., str]) -> None:
    assert "asked for CUDA, got the CPU" in fails(MODEL, "run", "--source", "scene", "--device", "cuda")


@pytest.mark.skipif("DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ, reason="there is a screen")
def test_a_window_without_a_screen_is_an_error(fails: Callable[..., str]) -> None:
    assert "there is no screen" in fails(SINK, "run", "--source", "scene", "--display")


def test_an_unknown_model_is_refused_with_the_shipped_ones(fails: Callable[..., str]) -> None:
    line = fails(MODEL, "run", "--source", "scene", "--model", "lcrn")
    assert "lrcn" in line
    assert "'lcrn'" in line


def test_a_broken_model_is_an_error(fails: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model" * 100)
    assert "expected an ONNX model in model.onnx" in fails(MODEL, "run", "--source", "scene", "--model", "model.onnx")


def test_a_model_without_a_contract_is_an_error(
    fails: Callable[..., str], make_model: Callable[..., Path], tmp_path: Path
) -> None:
    make_model(tmp_path / "model.onnx", contract=None)
    line = fails(MODEL, "run", "--source", "scene", "--model", "model.onnx")
    assert "model.onnx has no harstream contract" in line


@pytest.mark.parametrize(
    ("changes", "labels", "expected"),
    [
        ({"frames": 20}, 2, "input must have shape (N, (20, 8, 8, 3)), got (N, [5, 8, 8, 3])"),
        ({"height": 64}, 2, "input must have shape (N, (5, 64, 8, 3)), got (N, [5, 8, 8, 3])"),
        ({}, 3, "output must have shape (N, (2,)), got (N, [3])"),
    ],
)
def test_a_contract_that_does_not_fit_the_tensors_is_an_error(
    fails: Callable[..., str],
    make_model: Callable[..., Path],
    light_contract: ModelContract,
    tmp_path: Path,
    changes: dict[str, Any],
    labels: int,
    expected: str,
) -> None:
    make_model(tmp_path / "model.onnx", contract=replace(light_contract, **changes), labels=labels)
    line = fails(MODEL, "run", "--source", "scene", "--model", "model.onnx")
    assert f"model.onnx does not fit its contract: {expected}" in line


def test_a_model_that_does_not_output_probabilities_is_an_error(
    fails: Callable[..., str], make_model: Callable[..., Path], tmp_path: Path
) -> None:
    make_model(tmp_path / "model.onnx", last="LogSoftmax")
    line = fails(MODEL, "run", "--source", "scene", "--model", "model.onnx")
    assert "expected 2 scores from 0 to 1 that sum to 1" in line
    assert "got -9 to -0.000123" in line


def test_run_and_check_report_every_mistake_of_the_configuration_with_its_place(
    harstream: Harstream, secret: str, tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_text(
        "node: my house\n"
        "cameras:\n"
        "  - name: hall\n"
        "    source: scene\n"
        "    rotate: 90\n"
        "mqtt:\n"
        f"  broker: mqtt://anna:{secret}@house:mqtt\n"
        "web:\n"
        "  port: 80800\n"
        "activities:\n"
        "  overrides:\n"
        "    pushups: {start_above: 0.4, end_below: 0.7}\n"
        "record: a.mp4\n"
        "record: b.mp4\n"
    )
    expected = [
        ["config.yaml:1:7", "node"],
        ["config.yaml:5:5", "cameras.0.rotate"],
        ["config.yaml:7:11", "mqtt.broker"],
        ["config.yaml:9:9", "web.port"],
        ["config.yaml:12:5", "activities.overrides.pushups"],
        ["config.yaml:12:44", "activities.overrides.pushups.end_below"],
        ["config.yaml:14:1", "record"],
    ]
    for code, command in ((CONFIG, ["run"]), (CHECK, ["config", "check"])):
        ended, running = harstream(*command)
        assert ended == code
        assert [line.split(": ", 2)[:2] for line in running.complaints] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cameras: []\n", "config.yaml:1:10: cameras"),
        ("mqtt: {broker: 'mqtt://anna:${HARSTREAM_NO_SUCH_VARIABLE}@house'}\n",
         "config.yaml:1:16: mqtt.broker: the environment variable HARSTREAM_NO_SUCH_VARIABLE is not set"),
        ("cameras: [\n", "config.yaml:2:1: not valid YAML"),
        ("activities: {overrides: {Sleeping: {start_above: 0.6, end_below: 0.4}}}\n",
         "config.yaml:1:26: activities.overrides.Sleeping: model flow_tcn knows"),
        ("model: flow_tnc\n", "did you mean flow_tcn?"),
        ("model: model.onnx\n", "expected an ONNX model in model.onnx"),
    ],
)  # fmt: skip
def test_a_configuration_that_cannot_work_is_an_error(
    harstream: Harstream, tmp_path: Path, text: str, expected: str
) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model" * 100)
    (tmp_path / "config.yaml").write_text(text)
    for code, command in ((CONFIG, ["run", "--source", "scene", "--no-web"]), (CHECK, ["config", "check"])):
        ended, running = harstream(*command)
        assert (ended, len(running.complaints)) == (code, 1), running.output
        assert expected in running.complaints[0]


def test_a_missing_film_of_the_configuration_is_an_error(
    harstream: Harstream, configure: Callable[..., None], light_model: Path
) -> None:
    configure(cameras=[{"name": "hall", "source": "film.mp4"}])
    code, running = harstream("run", "--model", light_model)
    (line,) = running.complaints
    assert code == CONFIG
    assert line.startswith("config.yaml:3:11: cameras.0.source: expected a webcam's index")
    assert line.endswith("there is no such file, got 'film.mp4'")
    code, _ = harstream("run", "--source", "scene?seconds=1", "--model", light_model)
    assert code == 0


@pytest.fixture
def taken_port() -> Any:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_live_view_port_in_use_is_an_error(fails: Callable[..., str], taken_port: int) -> None:
    line = fails(SINK, "run", "--source", "scene", "--port", taken_port)
    assert str(taken_port) in line
    assert "in use" in line


def test_a_broker_port_in_use_is_an_error(
    fails: Callable[..., str], configure: Callable[..., None], taken_port: int
) -> None:
    configure(mqtt={"embedded_port": taken_port})
    assert f"port {taken_port} is in use, perhaps by a broker" in fails(SINK, "run", "--source", "scene")


def test_a_missing_broker_is_an_error(fails: Callable[..., str], new_port: Callable[[], int]) -> None:
    port = new_port()
    line = fails(BROKER, "run", "--source", "scene", "--broker", f"mqtt://127.0.0.1:{port}")
    assert f"expected a broker at mqtt://127.0.0.1:{port}, got connection refused" in line


@pytest.mark.mosquitto
@pytest.mark.parametrize("login", ["", "anna:{secret}@", "anna:{secret}%40home@"])
def test_a_broker_that_refuses_the_login_is_an_error(
    fails: Callable[..., str], stopped_mosquitto: Any, secret: str, login: str
) -> None:
    stopped_mosquitto.require_login("anna", "another")
    stopped_mosquitto.start()
    broker = f"mqtt://{login.format(secret=secret)}127.0.0.1:{stopped_mosquitto.port}"
    assert "login" in fails(BROKER, "run", "--source", "scene", "--broker", broker)


@pytest.mark.parametrize("option", ["--events", "--record"])
@pytest.mark.parametrize("file", ["no-folder/out.mp4", "folder.mp4"])
def test_an_output_that_cannot_be_written_is_an_error(
    fails: Callable[..., str], tmp_path: Path, option: str, file: str
) -> None:
    (tmp_path / "folder.mp4").mkdir()
    assert file in fails(SINK, "run", "--source", "scene", option, file)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_an_error(fails: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    assert "permission denied" in fails(SINK, "run", "--source", "scene", "--events", "locked/events.jsonl")


def test_a_second_harstream_on_the_same_state_is_an_error(
    fails: Callable[..., str], start: Callable[..., Any], configure: Callable[..., None], light_model: Path,
    new_port: Callable[[], int], eventually: Eventually,
) -> None:  # fmt: skip
    first = start("run", "--source", "scene", "--model", light_model)
    eventually(lambda: "▶ start" in first.output, "the first event of the first one", 40)
    configure(mqtt={"embedded_port": new_port()})
    assert "is another harstream running with it?" in fails(SINK, "run", "--source", "scene", "--model", light_model)


def test_help_lists_every_command_without_loading_libraries() -> None:
    """The help imports neither TensorFlow nor OpenCV nor ONNX Runtime."""
    script = "import sys\nfrom harstream.__main__ import main\nsys.argv = ['harstream', '--help']\n"
    script += "try: main()\nexcept SystemExit: pass\n"
    script += "print(sorted({'tensorflow', 'cv2', 'onnxruntime', 'pydantic'} & sys.modules.keys()), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=40)
    assert done.stderr.strip() == "[]"
    assert all(command in done.stdout for command in ("run", "cameras", "config", "doctor", "train", "evaluate"))
