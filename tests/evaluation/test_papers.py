"""The papers' table: what is run, and what is written of it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from evaluation.papers import REPORTED, all_runs, commands, ours, theirs
from evaluation.papers_table import Finished, markdown
from evaluation.reproducing import app
from models.catalogue import TRAINED


def invoke(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


def test_a_run_that_two_papers_share_is_done_once() -> None:
    names = [run.name for run in all_runs()]
    assert len(names) == len(set(names))
    assert theirs(REPORTED[0], "random") == theirs(REPORTED[2], "random")


def test_shown_commands_are_those_of_every_run_in_the_order_they_must_go() -> None:
    result = invoke("--data", "clips", "--split", "SPLIT.tsv", "--show")
    assert result.exit_code == 0
    verbs = [shlex.split(line)[1] for line in result.stdout.splitlines()]
    assert verbs == ["train", "export", "evaluate"] * len(all_runs())


@pytest.mark.training
def test_every_train_command_is_one_that_train_takes(tmp_path: Path) -> None:
    from training.cli import app as train

    for run in all_runs():
        command = commands(run, tmp_path / "nothing", tmp_path / "SPLIT.tsv", tmp_path / "runs")[0]
        result = CliRunner().invoke(train, command[2:])
        assert "expected a folder of class folders" in result.stderr, command  # nothing but the clips was missing


def test_only_an_unknown_run_is_refused_with_those_there_are() -> None:
    result = invoke("--data", "clips", "--split", "SPLIT.tsv", "--only", "resnet")
    assert result.exit_code == 2
    assert "rana-lrcn-4classes-random" in result.stderr


def test_table_has_the_papers_figure_beside_ours_and_the_command_of_each() -> None:
    run = theirs(REPORTED[0], "random")
    finished = Finished(
        report=json.loads((TRAINED / "lrcn" / "report.json").read_text())["metrics"],
        parameters=73_060,
        model=TRAINED / "lrcn",
        commands=("harstream train --data clips",),
    )
    text = markdown(REPORTED, {run: finished})
    row = next(line for line in text.splitlines() if line.startswith("| rana | lrcn | 4 | 73,060 |"))
    assert "| 86.9 % | " + finished.accuracy in row
    assert row.endswith("|  |  |  |")  # the other three runs are not there yet
    assert "    harstream train --data clips" in text
    assert "1 of " in text


def test_shipped_recipe_is_trained_on_the_papers_classes() -> None:
    assert ours(REPORTED[0], "cluster").classes == REPORTED[0].classes
