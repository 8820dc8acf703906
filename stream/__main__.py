"""`python -m stream`: run, predict, listen, doctor."""

import typer

from stream.cli import doctor, listen, predict, run

app = typer.Typer(no_args_is_help=True, add_completion=False)
for command in (run, predict, listen, doctor):
    app.command()(command)
app()
