"""`harstream get`: lists the models that ship and those that can be fetched, and fetches one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from harstream.models.catalogue import find_model, shipped
from harstream.models.contract import ModelContract
from harstream.models.fetchable.table import Fetchable, fetchable
from harstream.stream.app.fetching.fetched_model import Origin, fetch, kept, take
from harstream.stream.app.terminal import console, one_line_errors
from harstream.stream.service.log import print_error
from harstream.wire.errors import ConfigError

OWN_LICENCE = "Apache-2.0"
NAMED = 5
"""How many activities of a model the list names."""
INTERRUPTED = 130
"""The exit code after Ctrl-C, as of a shell."""


def get(
    name: Annotated[str | None, typer.Argument(help="The model to fetch. Without it, all models are listed.")] = None,
    out: Annotated[Path | None, typer.Option(help="The model's folder. Default: its name, in this folder.")] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", help="Another address, or a file that you have. Its SHA-256 is checked all the same."),
    ] = None,
    sha256: Annotated[
        str | None, typer.Option(help="The SHA-256 to expect, in place of the one that harstream knows.")
    ] = None,
) -> None:
    """List the models that ship and those that can be fetched, or fetch one."""
    with one_line_errors():
        if name is None:
            for line in _lines():
                console.print(line, markup=False)
            return
        model = _chosen(name, sha256)
        folder = out or Path(model.name)
        origin = _got(model, source, folder)
        console.print(f"{folder}: {origin.size:,} bytes, SHA-256 {origin.sha256} as expected", markup=False)
        console.print(
            f"{len(model.contract.activities)} activities; `harstream run --model {folder}` recognizes them, and needs "
            "LiteRT: pip install ai-edge-litert",
            markup=False,
        )


def _chosen(name: str, sha256: str | None) -> Fetchable:
    if name in shipped():
        raise ConfigError(f"{name} ships with harstream: `harstream run --model {name}` uses it")
    if name not in fetchable():
        raise ConfigError(f"expected a model that can be fetched ({', '.join(fetchable())}), got {name!r}")
    model = fetchable()[name]
    return replace(model, sha256=sha256.lower()) if sha256 else model


def _got(model: Fetchable, source: str | None, folder: Path) -> Origin:
    if source and "://" not in source:
        return take(model, Path(source), folder)
    addressed = replace(model, addresses=(source,)) if source else model
    try:
        return fetch(addressed, folder, lambda line: console.print(line, markup=False))
    except KeyboardInterrupt:
        partials = " and ".join(map(str, kept(folder)))
        print_error(f"harstream: interrupted; {partials or 'no file'} keeps what arrived, and the same command goes on")
        raise typer.Exit(INTERRUPTED) from None


def _lines() -> Iterator[str]:
    """Yield the list: name, size, licence and purpose of each model."""
    from harstream.stream.recognition.onnx_runtime import load_engine

    engines = [(name, load_engine(name, "cpu")) for name in shipped()]
    yield "These ship with harstream:"
    for name, engine in engines:
        yield _line(name, find_model(name).size, OWN_LICENCE, _recognized(engine.contract))
    yield "These can be fetched with `harstream get NAME`:"
    for model in fetchable().values():
        yield _line(model.name, model.size, model.licence, f"{model.summary}. {_recognized(model.contract)}")


def _line(name: str, size: int, licence: str, purpose: str) -> str:
    return f"  {name:<18} {size / 1e6:4.1f} MB  {licence:<21} {purpose}"


def _recognized(contract: ModelContract) -> str:
    names = ", ".join(contract.activities[:NAMED])
    more = ", ..." if len(contract.activities) > NAMED else ""
    number = len(contract.activities)
    return f"{number} {'activity' if number == 1 else 'activities'}: {names}{more}"
