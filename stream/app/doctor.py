"""`harstream doctor`: reports what this machine has and what is missing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from harstream.stream.app.common_options import ConfigOption, read_config
from harstream.stream.app.terminal import console, one_line_errors

if TYPE_CHECKING:
    from harstream.stream.app.doctor_checks import Finding


def doctor(
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Report accelerator, cameras, broker, screen and versions of this machine, with advice for what is missing.

    Exit code 0 if `harstream run` can work with the configuration, 1 otherwise.
    """
    with one_line_errors():
        from harstream.stream.app.doctor_checks import run_checks

        findings = run_checks(read_config(config))
        if as_json:
            console.print_json(json.dumps([_facts(finding) for finding in findings]))
        else:
            console.print(_table(findings))
        raise typer.Exit(0 if all(finding.is_fine or not finding.is_needed for finding in findings) else 1)


def _facts(finding: Finding) -> dict[str, object]:
    return vars(finding) | ({"advice": ""} if finding.is_fine else {})


def _table(findings: list[Finding]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in findings:
        bad = "[red]lacks[/]" if finding.is_needed else "[yellow]none[/]"
        advice = "" if finding.is_fine else finding.advice
        table.add_row("[green]ok[/]" if finding.is_fine else bad, finding.what, finding.found, advice)
    return table
