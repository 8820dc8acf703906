"""How a command ends when it cannot do what was asked."""

from __future__ import annotations

from typing import NoReturn

import typer
from rich.console import Console


def fail(command: str, reason: object, code: int = 2) -> NoReturn:
    """Print one red line, `harstream COMMAND: REASON`, to stderr, and end with this exit code."""
    Console(stderr=True, soft_wrap=True).print(f"harstream {command}: {reason}", style="red", markup=False)
    raise typer.Exit(code)
