"""`harstream config`: checks and writes config.yaml, and prints its schema."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.prompt import Confirm

from harstream.stream.app.common_options import DEFAULT_CONFIG, validation_context
from harstream.stream.app.config.deployment_files import KINDS, copy_deployment_files
from harstream.stream.app.config.password_prompt import check_password, new_password
from harstream.stream.app.config.wizard import Answers, ConfigWizard
from harstream.stream.app.onvif_cameras import MULTICAST, DiscoveryOption
from harstream.stream.app.terminal import one_line_errors
from harstream.stream.config.file import load_config
from harstream.stream.config.json_schema import config_schema
from harstream.stream.config.model import Config
from harstream.stream.config.writer import config_text
from harstream.stream.web.access import passwords, tokens
from harstream.wire.errors import ConfigError, ConfigFileError

config = typer.Typer(no_args_is_help=True, help="Write and check config.yaml.")
console = Console(highlight=False, soft_wrap=True)

File = Annotated[Path, typer.Argument(help="The configuration.")]
EXIT_INVALID_CONFIG, EXIT_INTERRUPTED = 2, 130


@config.command()
def check(file: File = DEFAULT_CONFIG) -> None:
    """Report every mistake with line and column, and suggest a correction. It opens no camera and no connection.

    Exit code 2 if there is a mistake.
    """
    with one_line_errors():
        fitting = validation_context()
        try:
            checked = load_config(file, fitting)
        except ConfigFileError as error:
            error.exit_code = EXIT_INVALID_CONFIG
            raise
        console.print(f"{file} is valid: {_summary(checked, len(fitting.contract_of(checked.model).activities))}")


@config.command()
def schema() -> None:
    """Print the JSON Schema, with which editors explain and check each key."""
    sys.stdout.write(_schema_text())


@config.command()
def export_files(
    folder: Annotated[Path, typer.Argument(help="The folder to write into.")],
    only: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(KINDS)}. May be given several times. Default: all.")
    ] = None,
) -> None:
    """Write the files for deployment: Home Assistant's blueprints, the systemd unit, and the files for Docker, Grafana
    and Prometheus."""
    with one_line_errors():
        if unknown := [kind for kind in only or () if kind not in KINDS]:
            raise ConfigError(f"--only: expected {', '.join(KINDS)}, got {unknown[0]!r}")
        for path in copy_deployment_files(only or list(KINDS), folder):
            console.print(f"wrote {escape(str(path))}")


@config.command()
def hash_password() -> None:
    """Ask for a password and print its hash for `web.users`. Without a terminal, read the password from the input."""
    with one_line_errors():
        try:
            password = new_password(console) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
        except (EOFError, KeyboardInterrupt):
            raise typer.Exit(EXIT_INTERRUPTED) from None
        check_password(password)
        sys.stdout.write(f"{passwords.hash_password(password)}\n")


@config.command()
def new_token() -> None:
    """Make a token for a program, and print it with its hash for `web.tokens`."""
    token = tokens.new_token()
    sys.stdout.write(f"token for the program   {token}\nhash for config.yaml    {tokens.token_hash(token)}\n")


@config.command()
def init(file: File = DEFAULT_CONFIG, discovery: DiscoveryOption = MULTICAST) -> None:
    """Ask for cameras and broker, try them, and write a commented file and its JSON Schema for editors."""
    with one_line_errors():
        if not sys.stdin.isatty():
            raise ConfigError("`harstream config init` asks questions, but its input is not a terminal: run it in one")
        try:
            if file.exists() and not Confirm.ask(f"Overwrite {escape(str(file))}?", default=False, console=console):
                raise typer.Exit
            answers = ConfigWizard(console, file.parent, discovery).ask()
            written = _write(file, answers)
        except (EOFError, KeyboardInterrupt):
            console.print("\nnothing was written")
            raise typer.Exit(EXIT_INTERRUPTED) from None
        for name in written:
            console.print(f"wrote {escape(str(name))}")
        for variable, what in answers.variables.items():
            console.print(f"set the environment variable {variable} to the address {escape(what)}")
        console.print(f"next: harstream run{'' if file == DEFAULT_CONFIG else f' --config {escape(str(file))}'}")


def _write(file: Path, answers: Answers) -> list[Path]:
    """Write all files, config.yaml last, so that it never refers to a missing file. Return their paths.

    Raises EOFError, KeyboardInterrupt and ConfigError.
    """
    schema = file.with_suffix(".schema.json")
    secrets = {file.parent / name: f"{secret}\n" for name, secret in answers.secrets.items()}
    for path, text in (secrets | {schema: _schema_text()}).items():
        is_other = path.exists() and path.read_text(encoding="utf-8", errors="replace") != text
        if is_other and not Confirm.ask(f"Overwrite {escape(str(path))}?", default=False, console=console):
            raise ConfigError(f"{path} was kept and nothing was written: move it away or choose other names")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        for path, text in secrets.items():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            path.unlink(missing_ok=True)  # an existing file would keep its permissions
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
                out.write(text)
        schema.write_text(_schema_text(), encoding="utf-8")
        file.write_text(config_text(answers.values, schema.name), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write {error.filename}: {(error.strerror or str(error)).lower()}") from error
    return [*secrets, schema, file]


def _schema_text() -> str:
    return json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n"


def _summary(checked: Config, activities: int) -> str:
    cameras = "1 camera" if len(checked.cameras) == 1 else f"{len(checked.cameras)} cameras"
    url = checked.mqtt.address.url if checked.mqtt.broker else None
    broker = f"broker {url}" if url else f"its own broker on port {checked.mqtt.embedded_port}"
    view = f"live view on {checked.web.host}:{checked.web.port}" if checked.web.enabled else "no live view"
    view += " without a login" if checked.web.is_open_to_all else ""
    return f"{cameras}, model {checked.model} with {activities} activities, {broker}, {view}"
