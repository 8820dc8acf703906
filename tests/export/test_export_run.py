"""The export keeps one of two graphs of a model, and leaves nothing of the model that was there."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("tensorflow")

from harstream.export.export_run import is_as_fast, write_model


@pytest.mark.parametrize(
    ("fused", "plain", "is_kept"), [(0.013, 0.02, True), (0.0140, 0.0134, True), (0.018, 0.0134, False)]
)
def test_the_graph_with_fewer_nodes_is_kept_unless_it_is_slower_by_more_than_noise(
    fused: float, plain: float, is_kept: bool
) -> None:
    assert is_as_fast(fused, plain) is is_kept


def test_an_export_leaves_no_network_of_the_model_that_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    write_model(folder, {"encoder.onnx": b"e", "head.onnx": b"h", "part_pose.onnx": b"p"}, None, {})
    (folder / "CARD.md").write_text("a card")
    write_model(folder, {"model.onnx": b"m"}, None, {})
    assert {file.name for file in folder.iterdir()} == {"CARD.md", "export.json", "model.onnx"}
