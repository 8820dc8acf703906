"""The recipe defines the options of `train`."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from harstream.training.recipes import PRESETS, AugmentationName, Recipe


def test_the_live_preset_is_the_default_recipe() -> None:
    assert PRESETS["live"] == Recipe()


def test_papers_differ_only_in_architecture_epochs_and_early_stopping() -> None:
    rana = PRESETS["rana"]
    for paper in ("hamzah", "jeevakumari", "dheeraj"):
        other = PRESETS[paper]
        assert (
            replace(other, arch=rana.arch, epochs=rana.epochs, patience=rana.patience, schedule=rana.schedule) == rana
        )


@pytest.mark.training
def test_every_augmentation_is_valid_in_a_recipe() -> None:
    from harstream.training.augmentation.presets import AUGMENTATIONS

    assert tuple(AUGMENTATIONS) == get_args(AugmentationName)


@pytest.mark.training
def test_every_field_of_the_recipe_is_an_option_of_train() -> None:
    from harstream.training.cli import app

    shown = CliRunner().invoke(app, ["train", "--help"], env={"COLUMNS": "250"}).stdout
    missing = [field.name for field in fields(Recipe) if f"--{field.name.replace('_', '-')}" not in shown]
    assert missing == []


@pytest.mark.training
@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--preset", "lrcn"], ["--preset", "no preset 'lrcn'", "live", "dheeraj"]),
        (["--epochs", "0"], ["--epochs", "equal to 1"]),
        (["--averaged", "2"], ["--averaged", "equal to 1"]),
        (["--augmentation", "wild"], ["--augmentation", "none", "mild", "strong"]),
    ],
)
def test_an_invalid_option_is_refused_with_the_expected_values(
    arguments: list[str], parts: list[str], tmp_path: Path
) -> None:
    from harstream.training.cli import app

    given = ["train", "--data", str(tmp_path), "--out", str(tmp_path / "run"), *arguments]
    result = CliRunner().invoke(app, given, env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert all(part in result.stderr for part in parts), result.stderr
