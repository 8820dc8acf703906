"""`harstream evaluate --stream` joins clips to a stream and refuses invalid options."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harstream.models.contract import ModelContract
from tests.support.light_model import MakeModel

Harstream = Callable[..., Any]


@pytest.fixture
def clips(film: Callable[..., Path], tmp_path: Path) -> Path:
    """Writes two clips of 5 s of light and two of darkness."""
    for label, grey in (("Light", 200), ("Dark", 0)):
        (tmp_path / "clips" / label).mkdir(parents=True)
        for name in ("a", "b"):
            film(f"clips/{label}/{name}.mp4", (5, grey))
    return tmp_path / "clips"


def test_events_of_a_stream_are_measured(harstream: Harstream, clips: Path, light_model: Path, tmp_path: Path) -> None:
    command = ("evaluate", "--stream", "--model", light_model, "--data", clips, "--json", "stream.json")
    code, running = harstream(*command)
    assert (code, running.stderr) == (0, [])
    assert "of 2 activities are found" in running.output
    report = json.loads((tmp_path / "stream.json").read_text())
    assert report["schema"] == "harstream.stream-evaluation/1"
    extent = report["provenance"]["clips"]
    assert extent.startswith("4 of 4")
    assert "1 stream of 20 s" in extent
    assert "seed 1" in extent
    assert report["settings"]["start_above"] == 0.6
    figures = report["metrics"]
    assert (figures["found"], figures["pieces"], figures["false_events"], figures["f1_50"]) == (1, 1, 0, 1)


def test_evaluation_follows_the_models_view_unless_one_is_asked_for(
    harstream: Harstream, clips: Path, make_model: MakeModel, light_contract: ModelContract, tmp_path: Path
) -> None:
    moving = str(make_model(tmp_path / "moving.onnx", replace(light_contract, view="motion")))
    whole = str(make_model(tmp_path / "whole.onnx"))
    command = ("evaluate", "--data", clips, "--json", "report.json")

    def view_of(*options: str) -> list[str]:
        code, running = harstream(*command, *options)
        assert (code, running.stderr) == (0, [])
        report = json.loads((tmp_path / "report.json").read_text())
        said = report.get("models") or [{**report["provenance"], **report.get("settings", {})}]
        if not report.get("models"):
            assert f"measured with view: {said[0]['view']}" in running.output
        return [each["view"] for each in said]

    assert view_of("--model", moving) == ["motion"]
    assert view_of("--model", whole) == ["picture"]
    assert view_of("--model", moving, "--view", "picture") == ["picture"]
    assert view_of("--model", moving, "--stream") == ["motion"]
    assert view_of("--model", moving, "--stream", "--view", "picture") == ["picture"]
    assert view_of("--model", moving, "--model", whole) == ["motion", "picture"]


def test_config_sets_the_tracker(harstream: Harstream, clips: Path, light_model: Path, tmp_path: Path) -> None:
    (tmp_path / "patient.yaml").write_text("activities: {hold: 30}")
    command = ("evaluate", "--stream", "--model", light_model, "--data", clips, "--json", "stream.json")
    assert harstream(*command, "--config", "patient.yaml")[0] == 0
    report = json.loads((tmp_path / "stream.json").read_text())
    assert (report["settings"]["hold"], report["metrics"]["events"]) == (30, 0)


def test_background_alone_measures_false_events(
    harstream: Harstream, clips: Path, light_model: Path, tmp_path: Path
) -> None:
    code, running = harstream(
        "evaluate", "--stream", "--model", light_model, "--background", clips, "--json", "stream.json"
    )
    assert (code, running.stderr) == (0, [])
    figures = json.loads((tmp_path / "stream.json").read_text())["metrics"]
    assert (figures["true_activities"], figures["found"]) == (0, None)
    assert figures["background_seconds"] == pytest.approx(20, abs=0.2)
    assert figures["background_false_events"] == figures["false_events"] == figures["events"] > 0


def test_changed_pictures_are_measured_beside_the_pictures_as_they_are(
    harstream: Harstream, clips: Path, film: Callable[..., Path], light_model: Path, tmp_path: Path
) -> None:
    command = ("evaluate", "--corruptions", "--model", light_model, "--json", "changed.json")
    (tmp_path / "lit" / "Light").mkdir(parents=True)
    for name in ("a", "b"):
        film(f"lit/Light/{name}.mp4", (5, 100))
    code, running = harstream(*command, "--data", tmp_path / "lit")
    assert (code, len(running.stderr)) == (2, 1)  # nobody can stand beside them
    assert "for bystander, found none: give --background" in running.stderr[0]
    code, running = harstream(*command, "--data", tmp_path / "lit", "--data", clips)
    assert (code, running.stderr) == (0, [])
    report = json.loads((tmp_path / "changed.json").read_text())
    assert report["schema"] == "harstream.corruptions/1"
    kinds = {each["kind"]: each for each in report["kinds"]}
    assert next(iter(kinds)) == "clean"
    assert kinds["clean"]["right"] == {"value": 1, "low": 1, "high": 1}
    assert kinds["dark"]["right"]["value"] == 0.5  # the model calls level 60 light, and level 30 dark
    assert "bystander" in running.output


def test_missing_clips_are_refused(harstream: Harstream, light_model: Path) -> None:
    code, running = harstream("evaluate", "--model", light_model)
    (line,) = running.stderr
    assert code == 2
    assert line.startswith("harstream evaluate: expected clips, got none")
    assert "--data" in line
    assert "--background" in line


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--stream", "--html", "report.html"), "--html is for clips"),
        (("--config", "config.yaml"), "--config is for --stream"),
        (("--corruptions", "--stream"), "--corruptions is for clips and one model"),
        (("--corruptions", "--html", "report.html"), "--corruptions is for clips and one model"),
    ],
)
def test_incompatible_options_are_refused_in_one_line(
    harstream: Harstream, clips: Path, light_model: Path, options: tuple[str, ...], complaint: str
) -> None:
    code, running = harstream("evaluate", "--model", light_model, "--data", clips, *options)
    (line,) = running.stderr
    assert code == 2
    assert line.startswith(f"harstream evaluate: {complaint}")
