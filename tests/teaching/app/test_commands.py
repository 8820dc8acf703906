"""`harstream teach` from examples to a model that recognizes them, and every mistake in one line."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

import harstream
from harstream.models.box import Box
from harstream.models.catalogue import TRAINED, find_model
from harstream.stream.app.common_options import read_config
from harstream.stream.config.model import Config
from harstream.stream.recognition.onnx_runtime import load_engine
from harstream.stream.recognition.views.settings import ViewSettings
from harstream.teaching import taught_model
from harstream.teaching.app.options import view_of
from harstream.teaching.known_windows import KnownWindows, write_known_windows
from harstream.teaching.lesson import new_reader
from harstream.wire.errors import ModelError
from tests.support.films import WriteFilm
from tests.support.row_model import BRIGHTNESS, ENCODER, write_row_model
from tests.support.teach_command import GREYS, Command

SEEN = "the examples are seen with view: picture"


def test_a_taught_activity_is_recognized_in_a_stream_beside_the_shipped_one(
    command: Command, greys: list[Path], ordinary: Path, film: WriteFilm
) -> None:
    assert command("add", "--activity", "Grey", *greys) == (
        0,
        f"{SEEN} Grey has 5 examples in harstream-state/examples",
    )
    assert command("list") == (0, "Grey 5: grey116.mp4, grey120.mp4, grey124.mp4, grey128.mp4, grey132.mp4")
    code, output = command("fit", "--ordinary", ordinary)
    assert code == 0, output
    assert "Grey 5 5 5" in output
    assert "0 false event(s) of the new activities" in output
    assert "of the others: Light 2" in output
    assert "model: harstream-state/taught activities: overrides: Grey: start_above: 0.55" in output
    day = film("day.mp4", (3, 30), (4, 126), (3, 30), (4, 250), (3, 30))
    events = [*harstream.recognize(day, model="harstream-state/taught", start_above=0.5)]
    assert [event.activity for event in events if event.type == "start"] == ["Grey", "Light"]


def test_a_taught_model_says_what_it_is(command: Command, greys: list[Path], ordinary: Path, row_model: Path) -> None:
    command("add", "--activity", "Grey", *greys)
    command("fit", "--ordinary", ordinary)
    contract = harstream.load("harstream-state/taught").contract
    assert contract.labels == ("Dark", "Light", "Grey")
    assert contract.background == ("Dark",)
    assert contract.taught == ("Grey",)
    assert contract.version == "1.0.0+taught"
    report = json.loads(Path("harstream-state/taught/export.json").read_text())
    assert report["taught_on"] == str(row_model)
    assert report["examples"] == {"Grey": [f"grey{level}.mp4" for level in GREYS]}


def test_teaching_goes_on_from_a_configuration_with_the_taught_model(
    command: Command, greys: list[Path], ordinary: Path, film: WriteFilm
) -> None:
    command("add", "--activity", "Grey", *greys)
    command("fit", "--ordinary", ordinary)
    overrides = {"overrides": {"Grey": {"start_above": 0.7}}}
    Path("config.yaml").write_text(yaml.safe_dump({"model": "harstream-state/taught", "activities": overrides}))
    dim = [film(f"dim{level}.mp4", (2, level)) for level in (70, 72, 74, 76, 78)]
    assert command("add", "--activity", "Dim", *dim)[0] == 0
    code, output = command("fit", "--ordinary", ordinary)
    assert code == 0, output
    assert harstream.load("harstream-state/taught").contract.taught == ("Dim", "Grey")


def test_a_model_without_footage_of_its_own_needs_ordinary_footage(command: Command, greys: list[Path]) -> None:
    command("add", "--activity", "Grey", *greys)
    assert command("fit") == (3, (
        "harstream: expected --ordinary, footage of ordinary hours: the model brightness brings no footage of its own, "
        "so nothing shows what is none of the activities"
    ))  # fmt: skip
    assert not Path("harstream-state/taught").exists()


def test_known_background_keeps_the_shipped_activities_without_ordinary_footage(
    command: Command, greys: list[Path], film: WriteFilm, row_model: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    shutil.copytree(row_model, model)
    write_known(model, film, Dark=30, Light=250, walk=20, sit=35, run=40)
    command("add", "--activity", "Grey", *greys, "--model", model)
    code, output = command("fit", "--model", model)
    assert code == 0, output
    assert "there is no ordinary footage: what your rooms look like" in output
    day = film("day.mp4", (3, 30), (4, 126), (3, 30), (4, 250), (3, 30))
    events = [*harstream.recognize(day, model="harstream-state/taught", start_above=0.5)]
    assert [event.activity for event in events if event.type == "start"] == ["Grey", "Light"]


def test_known_background_that_looks_like_the_new_activity_is_not_learned_as_nothing(
    command: Command, greys: list[Path], film: WriteFilm, row_model: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    shutil.copytree(row_model, model)
    write_known(model, film, Dark=30, Light=250, walk=20, sit=35, paint=126)
    command("add", "--activity", "Grey", *greys, "--model", model)
    code, output = command("fit", "--model", model)
    assert code == 0, output
    assert "Grey looks like paint, which the model learned as background; now it may be taken for Grey" in output
    assert "Grey 5 5 5" in output


def write_known(model: Path, film: WriteFilm, **levels: int) -> None:
    """Writes known windows of the small model: for each class eight, of films of about this grey level."""
    reader = new_reader(load_engine(str(model), "cpu"), Config())
    films = [(name, film(f"{name}{near}.mp4", (1, level + near))) for name, level in levels.items() for near in (-2, 2)]
    features = [reader.read(path).features[:4] for _, path in films]
    classes = tuple(np.repeat([name for name, _ in films], 4))
    write_known_windows(find_model(str(model)), KnownWindows(np.concatenate(features), classes))


def test_activities_that_cannot_be_told_apart_are_named(
    command: Command, greys: list[Path], ordinary: Path, film: WriteFilm
) -> None:
    others = [film(f"same{level}.mp4", (2, level)) for level in (117, 121, 125, 129, 133)]
    command("add", "--activity", "Grey", *greys)
    command("add", "--activity", "Silver", *others)
    code, output = command("fit", "--ordinary", ordinary)
    assert code == 0
    assert "Grey and Silver cannot be told apart: " in output


def test_examples_of_one_evening_get_a_warning(command: Command, ordinary: Path, film: WriteFilm) -> None:
    files = [film(f"2026-11-20_19-0{number}-00.mp4", (2, level)) for number, level in enumerate(GREYS)]
    command("add", "--activity", "Grey", *files)
    output = command("fit", "--ordinary", ordinary)[1]
    assert "all examples of Grey were recorded within 6 hours" in output
    command("add", "--activity", "Grey", film("2026-11-22_09-00-00.mp4", (2, 127)))
    assert "within 6 hours" not in command("fit", "--ordinary", ordinary)[1]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Light", "--activity: the model brightness has Light already: choose another name"),
        ("light", "--activity: the model brightness has Light already: choose another name"),
        ("unknown", "--activity: the model brightness has unknown already: choose another name"),
        ("../x", "--activity: expected 1 to 60 letters, digits, spaces, - and _, such as Cooking, got '../x'"),
        ("", "--activity: expected 1 to 60 letters, digits, spaces, - and _, such as Cooking, got ''"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(command: Command, greys: list[Path], name: str, expected: str) -> None:
    assert command("add", "--activity", name, *greys) == (3, f"harstream: {expected}")
    assert not Path("harstream-state").exists()


def test_one_bad_file_keeps_all_out(command: Command, greys: list[Path], film: WriteFilm) -> None:
    short = film("short.mp4", (0.2, 100))
    code, output = command("add", "--activity", "Grey", *greys, short)
    assert (code, output.startswith(f"harstream: {short} has no window: expected 0.4 seconds or more")) == (4, True)
    Path("text.mp4").write_text("no video")
    code, output = command("add", "--activity", "Grey", *greys, "text.mp4")
    assert (code, output) == (4, "harstream: expected a video, found nothing that can be decoded in text.mp4")
    code, output = command("add", "--activity", "Grey", "missing.mp4")
    assert (code, output) == (4, "harstream: expected a video file, found nothing at missing.mp4")
    assert command("list")[1].startswith("there are no examples")


def test_an_example_is_added_once(command: Command, greys: list[Path]) -> None:
    command("add", "--activity", "Grey", greys[0])
    code, output = command("add", "--activity", "Silver", greys[1], greys[0])
    assert code == 3
    assert "is an example of Grey already" in output
    assert command("list")[1] == "Grey 1: grey116.mp4"


def test_too_few_examples_are_refused(command: Command, greys: list[Path], ordinary: Path) -> None:
    assert command("fit", "--ordinary", ordinary)[1].startswith("harstream: expected examples, got none")
    assert command("add", "--activity", "Grey", *greys[:4])[1].endswith("; 1 more are needed")
    code, output = command("fit", "--ordinary", ordinary)
    assert code == 3
    assert "each activity needs at least 5 examples, Grey has 4: add more" in output


def test_removed_examples_are_not_learned(command: Command, greys: list[Path]) -> None:
    command("add", "--activity", "Grey", *greys)
    assert command("remove", "--activity", "Grey", "grey116.mp4") == (0, "deleted 1 example(s) of Grey")
    assert "has no example 'x.mp4'" in command("remove", "--activity", "Grey", "x.mp4")[1]
    assert command("remove", "--activity", "Grey") == (0, "deleted 4 example(s) of Grey")
    assert "there is no example of 'Grey'" in command("remove", "--activity", "Grey")[1]
    assert not Path("harstream-state/examples/Grey").exists()


@pytest.mark.parametrize(
    ("model", "code", "expected"),
    [
        ("convlstm", 5, "expected a model with encoder.onnx and head.onnx"),
        ("flow_tcm", 3, "did you mean flow_tcn?"),
    ],
)
def test_a_model_that_cannot_be_taught_is_refused(command: Command, model: str, code: int, expected: str) -> None:
    found, output = command("fit", "--model", model)
    assert (found, expected in output) == (code, True), output


def test_a_folder_of_other_files_is_not_replaced(command: Command, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").touch()
    code, output = command("fit", "--out", "photos")
    assert (code, "got photos, which holds other files" in output) == (3, True)
    assert command("fit", "--out", TRAINED / "flow_tcn")[0] == 3


def test_an_interruption_leaves_the_earlier_model(
    command: Command, greys: list[Path], ordinary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("add", "--activity", "Grey", *greys)
    command("fit", "--ordinary", ordinary)
    state = Path("harstream-state")
    before = {path: path.read_bytes() for path in state.rglob("*") if path.is_file()}

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(taught_model, "_write", interrupted)
    assert command("fit", "--ordinary", ordinary)[0] != 0
    assert {path: path.read_bytes() for path in state.rglob("*") if path.is_file()} == before


def test_a_head_beside_another_encoder_is_refused(
    command: Command, greys: list[Path], ordinary: Path, tmp_path: Path
) -> None:
    command("add", "--activity", "Grey", *greys)
    command("fit", "--ordinary", ordinary)
    other = tmp_path / "other"
    other.mkdir()
    write_row_model(other, encoder=ENCODER.replace("{255}", "{200}"))
    shutil.copyfile("harstream-state/taught/head.onnx", other / "head.onnx")
    with pytest.raises(ModelError, match="was taught on another encoder"):
        harstream.load(other)


def test_the_extra_is_named_where_it_is_missing(
    command: Command, greys: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    code, output = command("add", "--activity", "Grey", *greys)
    assert code == 3
    assert output.endswith("which is not installed: pip install 'harstream[teach]'")


def test_a_camera_that_cannot_record_is_one_line(command: Command, row_model: Path) -> None:
    cameras = [{"name": "hall", "source": "http://127.0.0.1:9/stream"}]
    Path("config.yaml").write_text(yaml.safe_dump({"model": str(row_model), "cameras": cameras}))
    wanted = ("record", "--activity", "Grey")
    assert command(*wanted, "--camera", "yard") == (3, "harstream: --camera: expected one of hall, got 'yard'")
    code, output = command(*wanted)
    assert (code, output.startswith("harstream: nothing listens at http://127.0.0.1:9/stream")) == (4, True), output
    cameras.append({"name": "yard", "source": "scene"})
    Path("config.yaml").write_text(yaml.safe_dump({"model": str(row_model), "cameras": cameras}))
    assert command(*wanted) == (3, "harstream: --camera: expected one of hall, yard, got none")
    assert not Path("harstream-state").exists()


def test_a_replayed_camera_that_ends_keeps_the_whole_examples(
    command: Command, film: WriteFilm, row_model: Path
) -> None:
    cameras = [{"name": "hall", "source": str(film("hall.mp4", (2, 126)))}]
    Path("config.yaml").write_text(yaml.safe_dump({"model": str(row_model), "cameras": cameras}))
    code, output = command("record", "--activity", "Grey", "--number", 3, "--seconds", 1, "--pause", 0)
    assert (code, "the source of hall ended after 1 of 3 examples" in output) == (4, True), output
    assert "Grey 1: hall_" in command("list")[1]


def test_examples_are_seen_with_the_view_of_the_camera(
    command: Command, film: WriteFilm, row_model: Path, ordinary: Path
) -> None:
    path = film("half.mp4", (2, 126))
    cameras = [{"name": "hall", "source": str(path), "crop": [0.0, 0.0, 0.5, 1.0], "view": "motion"}]
    Path("config.yaml").write_text(yaml.safe_dump({"model": str(row_model), "cameras": cameras}))
    assert view_of(read_config(None), BRIGHTNESS, "hall") == ViewSettings("motion", Box(0.0, 0.0, 0.5, 1.0))
    assert view_of(read_config(None), BRIGHTNESS, None) == ViewSettings("picture")
    assert view_of(read_config(None), replace(BRIGHTNESS, view="motion"), None) == ViewSettings("motion")
    code, output = command("add", "--activity", "Grey", path, "--camera", "hall")
    assert (code, "seen with view: motion" in output) == (0, True), output
    assert "seen with view: picture" in command("add", "--activity", "Grey", film("again.mp4", (2, 120)))[1]
