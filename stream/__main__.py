"""`python -m stream`: run, predict, listen, cameras, history, config, doctor."""

import typer

from stream.cli import cameras, doctor, history, listen, predict, run
from stream.config_cli import config

app = typer.Typer(no_args_is_help=True, add_completion=False)
for command in (run, predict, listen, cameras, history, doctor):
    app.command()(command)
app.add_typer(config, name="config")
app()
