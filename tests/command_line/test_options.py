"""The fields of dataclasses define the options of a command."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer
from typer import Option
from typer.testing import CliRunner

from harstream.command_line.options import MeansNone, with_options

app = typer.Typer()


@dataclass(frozen=True)
class Films:
    folders: Annotated[tuple[str, ...], Option(help="A folder; may be given several times.")]


@dataclass(frozen=True)
class Oven:
    heat: Annotated[int, Option(min=50, max=250, help="Degrees Celsius.")] = 180
    mode: Annotated[Literal["fan", "grill"], Option(help="What heats.")] = "fan"
    is_lit: Annotated[bool, Option("--lit/--dark", help="Whether the lamp is on.")] = True
    door_open: Annotated[bool, Option(help="Whether the door is open.")] = False
    timer: Annotated[int | None, Option(help="Minutes; 0: none."), MeansNone(0)] = 30
    serial: str = "no option"


@app.command()
@with_options(films=Films, oven=Oven)
def bake(
    out: Annotated[Path, Option(help="Where it goes.")] = Path("plate"),
    *,
    films: Mapping[str, Any],
    oven: Mapping[str, Any],
) -> None:
    """Bake a cake."""
    print(json.dumps({"out": str(out), "films": dict(films), "oven": dict(oven)}))


def given(*arguments: str) -> Any:
    result = CliRunner().invoke(app, ["--folders", "a", *arguments])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_only_options_that_are_given_reach_the_command() -> None:
    assert given() == {"out": "plate", "films": {"folders": ["a"]}, "oven": {}}


def test_values_have_the_types_of_their_fields() -> None:
    values = given("--out", "tin", "--folders", "b", "--heat", "200", "--mode", "grill", "--dark", "--door-open")
    assert values == {
        "out": "tin",
        "films": {"folders": ["a", "b"]},
        "oven": {"heat": 200, "mode": "grill", "is_lit": False, "door_open": True},
    }


def test_a_value_can_mean_none() -> None:
    assert given("--timer", "0")["oven"] == {"timer": None}
    assert given("--timer", "5")["oven"] == {"timer": 5}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--heat", "300"], ["--heat", "equal to 250"]),
        (["--heat", "hot"], ["--heat", "valid integer"]),
        (["--mode", "steam"], ["--mode", "fan", "grill"]),
        (["--serial", "7"], ["No such option", "--serial"]),
    ],
)
def test_an_invalid_value_is_refused_with_the_expected_ones(arguments: list[str], expected: list[str]) -> None:
    result = CliRunner().invoke(app, ["--folders", "a", *arguments], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert all(part in result.stderr for part in expected), result.stderr


def test_a_field_without_default_is_a_required_option() -> None:
    result = CliRunner().invoke(app, [])
    assert result.exit_code == 2
    assert "--folders" in result.stderr


def test_help_shows_each_group_in_its_panel_with_the_help_of_its_fields() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).stdout
    places = [shown.index(text) for text in ("Bake a cake.", "Where it goes.", "─ Films", "─ Oven", "Degrees Celsius.")]
    assert places == sorted(places)
    assert "serial" not in shown
