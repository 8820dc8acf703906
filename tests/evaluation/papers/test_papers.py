"""The papers' table lists the runs that it needs and their figures."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from harstream.clips.listing import ListingError
from harstream.evaluation.papers.reproduce import app
from harstream.evaluation.papers.runs import (
    REPORTED,
    all_runs,
    commands,
    ours,
    theirs,
    to_the_last_epoch,
    trained_our_way,
)
from harstream.evaluation.papers.table import Figures, papers_page
from harstream.training.recipes import PRESETS

DOCS = Path(__file__).parents[3] / "docs"


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_a_run_that_two_papers_share_runs_once() -> None:
    names = [run.name for run in all_runs()]
    assert len(names) == len(set(names))
    assert theirs(REPORTED[0], "random") == theirs(REPORTED[2], "random")


def test_show_prints_the_commands_of_every_run_in_their_order() -> None:
    result = invoke("--data", "clips", "--split", "SPLIT.tsv", "--show")
    assert result.exit_code == 0
    verbs = [shlex.split(line)[1] for line in result.stdout.splitlines()]
    assert verbs == ["train", "export", "evaluate"] * len(all_runs())


@pytest.mark.training
def test_train_accepts_every_train_command(tmp_path: Path) -> None:
    from harstream.training.cli import app

    for run in all_runs():
        command = commands(run, tmp_path / "nothing", tmp_path / "SPLIT.tsv", tmp_path / "runs")[0]
        result = CliRunner().invoke(app, command[1:])
        assert "expected a folder of class folders" in result.stderr, command  # only the clips are missing


def test_an_unknown_run_is_refused_with_the_names_of_all_runs() -> None:
    result = invoke("--data", "clips", "--split", "SPLIT.tsv", "--only", "resnet")
    assert result.exit_code == 2
    assert "rana-lrcn-4classes-random" in result.stderr


def test_a_complete_name_selects_only_its_run() -> None:
    result = invoke("--data", "c", "--split", "s", "--show", "--only", "rana-lrcn-4classes-random,hamzah-lrcn")
    trained = [line.rsplit("--out ")[-1].split()[0] for line in result.stdout.splitlines() if " train " in line]
    assert [Path(out).name for out in trained] == [
        "rana-lrcn-4classes-random", "hamzah-lrcn-5classes-random", "hamzah-lrcn-5classes-random-all-epochs",
        "hamzah-lrcn-5classes-cluster",
    ]  # fmt: skip


FIGURES = Figures(
    test_clips=81, accuracy=0.815, precision=0.82, recall=0.8, f1=0.81, parameters=73_060, milliseconds=1.8,
    milliseconds_of_default=9.0, epochs=17,
)  # fmt: skip


def test_table_shows_the_figures_of_paper_and_run_and_the_commands() -> None:
    run = theirs(REPORTED[0], "random")
    text = papers_page(REPORTED, {run: FIGURES}, Path("data/ucf12"), Path("data/SPLIT.tsv"), Path("runs/papers"))
    row = next(line for line in _lines(text) if line.startswith("| rana | lrcn | 4 | 73,060 | 1.80 (0.2) |"))
    assert "| 86.9 % | 81.5 % (82.0 % / 80.0 % / 81.0 %) |" in row
    assert row.endswith("|  |  |  |  |  |")  # the other five runs are not finished
    assert f"{run.name}: 81 test clips, 17 epochs" in text
    assert "    harstream train --data data/ucf12 --classes Basketball" in text
    assert "1 of " in text


def test_goals_are_shown_with_the_reached_figure_and_the_difference() -> None:
    finished = {theirs(REPORTED[0], "random"): FIGURES, ours(REPORTED[0], "random"): replace(FIGURES, accuracy=0.9012)}
    text = papers_page(REPORTED, finished, Path("data/ucf12"), Path("data/SPLIT.tsv"), Path("runs/papers"))
    rows = [line for line in _lines(text.split("## Goals")[1]) if line.startswith("| ") and "%" in line]
    assert rows == [  # 81.5 - 86.93, 90.12 - 86.93 and 90.12 - 79.25
        "| lrcn | 4 | 86.9 % | 81.5 % (-5.4) |  | 90.1 % (+3.2) | 81 |",
        "| convlstm | 4 | 79.2 % |  |  | 90.1 % (+10.9) | 81 |",
        "| lrcn_large | 10 | 96.7 % |  |  |  |  |",
        "| convlstm_large | 10 | 87.8 % |  |  |  |  |",
    ]


def test_run_to_the_last_epoch_differs_from_the_papers_only_in_stopping() -> None:
    run = to_the_last_epoch(REPORTED[0])
    assert run is not None
    plain, patient = (
        commands(each, Path("d"), Path("s"), Path("o"))[0] for each in (theirs(REPORTED[0], "random"), run)
    )
    assert patient == [*plain[:-1], f"{plain[-1]}-all-epochs", "--patience", "0"]


def test_their_model_with_our_training_uses_their_windows_and_split() -> None:
    run = trained_our_way(REPORTED[1])
    assert run is not None
    recipe = PRESETS[run.preset]
    assert (run.arch, run.classes, run.way) == ("convlstm", REPORTED[1].classes, "random")
    assert (recipe.sampling, recipe.augmentation) == (PRESETS["rana"].sampling, PRESETS["live"].augmentation)


def test_their_model_gets_our_training_with_at_most_60_epochs_if_a_goal_is_set() -> None:
    ways = {(each.paper, each.arch): trained_our_way(each) for each in REPORTED}
    assert {paper for (paper, _), run in ways.items() if run is None} == {"hamzah"}
    large = ways["jeevakumari", "convlstm_large"]
    assert large is not None
    assert commands(large, Path("d"), Path("s"), Path("o"))[0][-2:] == ["--epochs", "60"]


def test_a_finished_run_is_skipped_and_is_in_the_table(tmp_path: Path) -> None:
    run = theirs(REPORTED[0], "random")
    FIGURES.write(tmp_path / "papers" / run.figures_file)
    result = invoke(
        "--data", "clips", "--split", "SPLIT.tsv", "--only", "rana-lrcn", "--figures",
        str(tmp_path / "papers"), "--out", str(tmp_path / "runs"),
    )  # fmt: skip
    # The clips do not exist. Therefore the first unfinished run fails.
    assert f"1 of 3: {run.name} is finished" in result.stderr
    assert result.exit_code == 2
    assert "all-epochs ended with exit code 2" in result.stderr


def test_committed_table_follows_from_the_committed_figures(tmp_path: Path) -> None:
    """All runs are finished, so the command trains nothing and writes the table."""
    shutil.copytree(DOCS / "papers", tmp_path / "papers")
    committed = {file.relative_to(tmp_path / "papers") for file in (tmp_path / "papers").rglob("*.json")}
    assert committed == {run.figures_file for run in all_runs()}
    result = invoke("--data", "data/ucf12", "--split", "data/SPLIT.tsv", "--figures", str(tmp_path / "papers"))
    assert result.exit_code == 0, result.stderr
    assert (DOCS / "papers.md").read_text() == (tmp_path / "papers.md").read_text()


def test_figures_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    file.write_text('{"accuracy": 0.9}')
    with pytest.raises(ListingError, match=r"cannot read .*figures\.json: delete it to repeat the run"):
        Figures.read(file)
    FIGURES.write(file)
    assert Figures.read(file) == FIGURES


def test_shipped_recipe_is_trained_on_the_papers_classes() -> None:
    assert ours(REPORTED[0], "cluster").classes == REPORTED[0].classes


def _lines(text: str) -> list[str]:
    return text.replace("\N{NO-BREAK SPACE}", " ").splitlines()
