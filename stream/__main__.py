"""`python -m stream`: run, predict, listen, cameras, config, doctor."""

import typer

from stream.cli import cameras, doctor, listen, predict, run
from stream.config_cli import config

app = typer.Typer(no_args_is_help=True, add_completion=False)
for command in (run, predict, listen, cameras, doctor):
    app.command()(command)
app.add_typer(config, name="config")
app()
