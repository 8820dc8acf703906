"""`harstream config export-files` writes the deployment files."""

from __future__ import annotations

from pathlib import Path

from tests.support.command import Harstream

REPOSITORY = Path(__file__).parents[4]


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_every_file_is_written_as_it_is_in_the_repository(harstream: Harstream, tmp_path: Path) -> None:
    code, ran = harstream("config", "export-files", "home")
    assert code == 0, ran.output
    assert files_below(tmp_path / "home" / "systemd") == files_below(REPOSITORY / "deploy" / "systemd")
    blueprints = REPOSITORY / "deploy" / "home-assistant" / "blueprints"
    assert files_below(tmp_path / "home" / "blueprints") == files_below(blueprints)
    assert {folder.name for folder in (tmp_path / "home").iterdir()} == {
        "blueprints", "docker", "grafana", "prometheus", "systemd",
    }  # fmt: skip


def test_a_second_export_changes_nothing(harstream: Harstream, tmp_path: Path) -> None:
    for _ in range(2):
        code, _ = harstream("config", "export-files", "home", "--only", "blueprints")
        assert code == 0
    assert [folder.name for folder in (tmp_path / "home").iterdir()] == ["blueprints"]


def test_an_edited_file_is_kept_and_nothing_is_written(harstream: Harstream, tmp_path: Path) -> None:
    unit = tmp_path / "home" / "systemd" / "harstream.service"
    unit.parent.mkdir(parents=True)
    unit.write_text("mine")
    code, ran = harstream("config", "export-files", "home")
    assert code == 3
    assert "harstream.service exists and differs" in ran.output
    assert unit.read_text() == "mine"
    assert [folder.name for folder in (tmp_path / "home").iterdir()] == ["systemd"]


def test_an_unknown_kind_is_refused_with_the_known_ones(harstream: Harstream) -> None:
    code, ran = harstream("config", "export-files", "home", "--only", "helm")
    assert code == 3
    assert "blueprints, systemd, docker, grafana, prometheus" in ran.output
    assert "'helm'" in ran.output
