"""The command `harstream`. Each package has its own subcommands, which are imported only if they are called."""

from __future__ import annotations

import gc
import importlib
import re
import sys
from importlib.metadata import version
from keyword import iskeyword
from typing import Annotated, Any

import typer

from harstream.wire.masking import ADDRESS, Secrets, masked_address

COMMANDS = {
    "run": ("stream.app.run", "Watch cameras and publish what people do."),
    "predict": ("stream.app.predict", "Recognize activities in video files, as fast as possible."),
    "listen": ("stream.app.listen", "Print messages from the broker."),
    "forecast": ("forecast.app.commands", "Predict what people do next, and publish it."),
    "cameras": ("stream.app.cameras", "Find webcams and ONVIF cameras, and probe cameras."),
    "config": ("stream.app.config.commands", "Write and check config.yaml."),
    "teach": ("teaching.app.commands", "Teach activities of your own from a few short videos."),
    "get": ("stream.app.get", "List the models that there are, and fetch one."),
    "history": ("stream.app.history", "Print past activities, or write them for other programs."),
    "doctor": ("stream.app.doctor", "Report what this machine has and what is missing, with advice."),
    "train": ("training.cli", "Train an architecture on a folder of clips."),
    "combine": ("training.cli", "Combine several trained runs into one model."),
    "import": ("export.import_cli", "Turn a Keras or ONNX model from elsewhere into a verified one."),
    "export": ("export.cli", "Turn a trained run into verified ONNX files."),
    "evaluate": ("evaluation.cli", "Measure an exported model on labelled clips."),
    "tune": ("evaluation.streams.tune_cli", "Choose thresholds and smoothing on streams of labelled clips."),
    "compare": ("evaluation.compare_cli", "Compare the figures of several evaluations."),
    "reproduce": ("evaluation.papers.reproduce", "Train the papers' recipes and ours, and compare them."),
    "draw": ("scene.cli", "Draw clips of the demo's scene, to train and test with."),
}
"""Module and summary of each subcommand. The module has a function, or a group of functions, of the same name, with
an underscore after a word of Python."""

EXTRAS = {
    "teach": ("onnx", "scipy", "sklearn", "threadpoolctl"),
    "evaluation": ("jinja2", "matplotlib", "scipy", "sklearn"),
    "onvif": ("httpx", "onveef"),
    "training": ("h5py", "keras", "onnx", "tensorboard", "tensorflow", "tf2onnx"),
}
"""The modules that each extra installs."""
PIP_PACKAGES = {module: f"'harstream[{extra}]'" for extra, modules in EXTRAS.items() for module in modules} | {
    "jax": "jax",
    "torch": "torch",
}
"""The package that pip must install for a module: an extra, or another backend of Keras."""


def main() -> None:
    """Run the subcommand that was typed. It imports only that module, so help is instant and `run` needs no TensorFlow.

    If no subcommand handles Ctrl-C, the exit code is 130 without a traceback, also during imports.
    """
    typed = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), None)
    _hide_passwords_from_process_list()
    try:
        raise SystemExit(_run(typed))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in PIP_PACKAGES:
            raise
        typer.echo(
            f"harstream {typed}: needs {missing}, which is not installed: pip install {PIP_PACKAGES[missing]}", err=True
        )
        raise SystemExit(2) from None


def _run(typed: str | None) -> int:
    """Run the subcommand and return the exit code. A mistake in the command line is one line on stderr."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.callback()(_options)
    for name, (module, summary) in COMMANDS.items():
        function = load(module, f"{name}_" if iskeyword(name) else name) if name == typed else _not_typed
        if isinstance(function, typer.Typer):
            app.add_typer(function, name=name, help=summary)
        else:
            app.command(name, help=summary)(function)
    try:
        return app(standalone_mode=False) or 0
    except typer.Abort:
        typer.echo("aborted", err=True)
        return 1
    except typer.TyperException as error:
        return _report_mistake(error)


def _report_mistake(error: typer.TyperException) -> int:
    """Print what is wrong with the command line, without passwords. Return the exit code."""
    context: typer.Context | None = getattr(error, "ctx", None)
    command = context.command_path if context else "harstream"
    secrets = Secrets()
    secrets.add(found[0] for argument in sys.argv if (found := ADDRESS.search(argument)))
    if message := secrets.mask(_in_our_words(error).rstrip(".")):  # it is empty if typer has printed the help instead
        typer.secho(f"{command}: {message}; `{command} --help` lists what is possible", err=True, fg="red")
    return error.exit_code


EXPECTED = (
    (r"Input should be a valid integer.*", "expected a whole number"),
    (r"Input should be a valid number.*", "expected a number"),
    (r"Input should be greater than or equal to (\S+)", r"expected \1 or more"),
    (r"Input should be less than or equal to (\S+)", r"expected \1 or less"),
    (r"Value error, '.*' is not one of (.*)", r"expected one of \1"),
)
"""What typer says of a value, and what we say."""


def _in_our_words(error: typer.TyperException) -> str:
    """Return what was expected, and what came, of a mistake in an option's value."""
    message = error.format_message()
    if not (found := re.fullmatch(r"Invalid value for '(-[\w-]+).*?': (.*?)\.?", message, re.DOTALL)):
        return message
    option, reason = found.groups()
    for pattern, expected in EXPECTED:
        if matched := re.fullmatch(pattern, reason, re.DOTALL):
            return f"{option}: {matched.expand(expected)}{_given(option)}"
    return f"{option}: {reason}"


def _given(option: str) -> str:
    """Return the value that was typed for an option, for an error line."""
    for argument, following in zip(sys.argv, [*sys.argv[1:], ""], strict=True):
        if argument == option:
            return f", got {following!r}"
        if argument.startswith(f"{option}="):
            return f", got {argument.partition('=')[2]!r}"
    return ""


def _hide_passwords_from_process_list() -> None:
    """Mask the addresses in the command line that other users of this machine see."""
    if any("://" in argument for argument in sys.argv):
        from setproctitle import setproctitle

        setproctitle(" ".join(["harstream", *(_masked_argument(argument) for argument in sys.argv[1:])]))


def _masked_argument(argument: str) -> str:
    return ADDRESS.sub(lambda found: masked_address(found[0]), argument)


def load(module: str, name: str) -> Any:
    """Import a subcommand. The garbage collector skips all imported objects.

    That saves a tenth of the import time, and later no frame waits for a search in these objects.
    """
    gc.disable()
    try:
        return getattr(importlib.import_module(f"harstream.{module}"), name)
    finally:
        gc.freeze()
        gc.enable()


def _options(
    show_version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=lambda asked: _say_version(asked))
    ] = False,
) -> None:
    """Real-time recognition of what people do, from ordinary cameras."""


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"harstream {version('harstream')}")
        raise typer.Exit


def _not_typed() -> None:
    """Represents a subcommand that was not typed, in the help."""


if __name__ == "__main__":
    main()
