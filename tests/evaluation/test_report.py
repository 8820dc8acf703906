from __future__ import annotations

import io
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, sync_playwright
from rich.console import Console

from harstream.evaluation.compute_metrics import compute_metrics, emission
from harstream.evaluation.labelled_scores import LabelledScores
from harstream.evaluation.lasting_errors import LastingErrors
from harstream.evaluation.metrics import Metrics
from harstream.evaluation.report import Confusion, best_epoch, confusions, table, write_html, write_json
from harstream.models.catalogue import TRAINED
from harstream.models.contract import ModelContract

CHROMIUM = Path("/usr/bin/chromium")
PROVENANCE = {"command": "harstream evaluate model.onnx", "date": "2026-11-20 09:41 UTC"}
LASTING = LastingErrors(0.9, 40, 12, 5, 2.0, 6.0, 8.0, 0.75, 0.5)
HISTORY = [
    {"epoch": 0, "loss": 2.0, "accuracy": 0.2, "val_loss": 1.8, "val_accuracy": 0.3, "learning_rate": 0.001},
    {"epoch": 1, "loss": 1.0, "accuracy": 0.6, "val_loss": 0.9, "val_accuracy": 0.7, "learning_rate": 0.001},
    {"epoch": 2, "loss": 0.5, "accuracy": 0.8, "val_loss": 1.1, "val_accuracy": 0.8, "learning_rate": 0.001},
]
SCRIPT = "<script>fetch('http://evil.example')</script>"
HOSTILE = ("' onmouseover='alert(1)", '" onerror="alert(1)', "$\\frac{{{ 7 * 7 }} [red]")
"""Labels that a contract takes. It refuses markup."""


def contract_of(metrics: Metrics) -> ModelContract:
    return ModelContract("lrcn", "1.0.0", metrics.labels, metrics.labels[-1:])


def hostile(predictions: LabelledScores) -> Metrics:
    groups = tuple(f"<b>{group}</b>" for group in predictions.groups)
    return compute_metrics(
        LabelledScores(HOSTILE, HOSTILE[2:], predictions.clips, groups, predictions.truth, predictions.scores),
        unknown_threshold=0.7,
    )


def thirteen_classes() -> Metrics:
    """Returns metrics of 1,300 noisy windows, so that every curve has many points."""
    rng = np.random.default_rng(27)
    truth = np.repeat(np.arange(13), 100)
    logits = rng.normal(size=(1300, 13)) + 3 * np.eye(13)[truth]
    scores = (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).astype(np.float32)
    clips = tuple(f"clip {row // 5}" for row in range(1300))
    groups = tuple(f"group {row // 25}" for row in range(1300))
    labels = tuple(f"activity number {index}" for index in range(13))
    return compute_metrics(LabelledScores(labels, labels[-1:], clips, groups, truth, scores), unknown_threshold=0.8)


@pytest.fixture
def metrics(predictions: LabelledScores) -> Metrics:
    return compute_metrics(predictions, unknown_threshold=0.7)


@pytest.fixture
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        assert not os.environ.get("CI"), f"{CHROMIUM} is missing; CI must install it"
        pytest.skip(f"{CHROMIUM} is missing")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield opened
        opened.close()


def test_the_page_shows_the_headline_figures(tmp_path: Path, metrics: Metrics) -> None:
    write_html(tmp_path / "report.html", "lrcn", metrics, contract_of(metrics), PROVENANCE, HISTORY)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<b>100.0\N{NO-BREAK SPACE}%</b><span>clips right</span>" in page
    assert "<b>72.2\N{NO-BREAK SPACE}%</b><span>windows right</span>" in page
    assert "best epoch, 1" in page
    assert "2026-11-20 09:41 UTC" in page


def test_the_page_has_no_training_section_without_a_history(tmp_path: Path, metrics: Metrics) -> None:
    write_html(tmp_path / "report.html", "lrcn", metrics, contract_of(metrics), PROVENANCE, None)
    assert "<h2>Training</h2>" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_page_of_thirteen_classes_is_small(tmp_path: Path) -> None:
    metrics = thirteen_classes()
    write_html(tmp_path / "report.html", "lrcn", metrics, contract_of(metrics), PROVENANCE, HISTORY)
    assert (tmp_path / "report.html").stat().st_size < 400_000


def test_markup_in_names_is_shown_and_not_run(tmp_path: Path, predictions: LabelledScores) -> None:
    metrics = hostile(predictions)
    provenance = {"<i>key</i>": "<i>value</i>", "script": SCRIPT, "image": '"><img src=x onerror=alert(1)>'}
    write_html(tmp_path / "report.html", "<u>title</u>", metrics, contract_of(metrics), provenance, HISTORY)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for markup in ("<script", "<img", "<i>key", "<i>value", "<u>", "<b>g1"):
        assert markup not in page
    assert "&lt;script&gt;fetch(" in page
    assert "{{ 7 * 7 }}" in page


@pytest.mark.browser
def test_the_page_opens_without_errors_or_requests(
    tmp_path: Path, predictions: LabelledScores, browser: Browser
) -> None:
    metrics = hostile(predictions)
    path = tmp_path / "report.html"
    write_html(path, SCRIPT, metrics, contract_of(metrics), PROVENANCE, HISTORY)
    page = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme="dark")
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri(), wait_until="networkidle")
    assert complaints == []
    assert [url for url in requests if not url.startswith("data:")] == [path.as_uri()]
    assert page.locator("h1").inner_text() == SCRIPT
    assert page.locator("figure svg").count() == 6
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.browser
@pytest.mark.parametrize("folder", sorted(TRAINED.iterdir()), ids=lambda folder: folder.name)
def test_the_report_of_every_shipped_model_opens_and_shows_the_figures_of_its_json(
    folder: Path, browser: Browser
) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((folder / "report.html").as_uri(), wait_until="networkidle")
    report = json.loads((folder / "report.json").read_text())
    shown = page.locator("body").inner_text().replace("\N{NO-BREAK SPACE}", " ")
    assert complaints == []
    assert f"{report['contract']['name']} {report['contract']['version']}" in page.locator("h1").inner_text()
    for figure in (report["metrics"]["clips"]["accuracy"], report["metrics"]["top1"]):
        assert f"{100 * figure:.1f} %" in shown
    assert f"harstream evaluate --model {folder.name} " in shown
    assert (folder / "report.html").stat().st_size < 400_000


@pytest.mark.browser
def test_the_plots_follow_the_colour_scheme(tmp_path: Path, metrics: Metrics, browser: Browser) -> None:
    write_html(tmp_path / "report.html", "lrcn", metrics, contract_of(metrics), PROVENANCE, HISTORY)
    page = browser.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    fills = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        fills.append(page.evaluate("getComputedStyle(document.querySelector('figure svg text')).fill"))
    # The variable --muted of the page is #667085 or #94a0b4.
    assert fills == ["rgb(102, 112, 133)", "rgb(148, 160, 180)"]


def test_the_best_epoch_has_the_lowest_validation_loss() -> None:
    assert best_epoch(HISTORY, {}) == 1
    assert best_epoch([*HISTORY, {"epoch": 3, "val_loss": math.nan}], {}) == 1


def test_a_given_best_epoch_is_used() -> None:
    assert best_epoch(HISTORY, {"best_epoch": "2"}) == 2
    with pytest.raises(ValueError, match="got 'last'"):
        best_epoch(HISTORY, {"best_epoch": "last"})


def test_best_epoch_is_undefined_without_validation() -> None:
    assert best_epoch([{"epoch": 0, "loss": 2.0, "accuracy": 0.2}], {}) is None


def test_mistakes_are_listed_by_their_share(metrics: Metrics) -> None:
    assert confusions(metrics) == [Confusion("sit", "walk", 1, 1 / 2), Confusion("nobody", "sit", 1, 1 / 3)]


def test_the_json_is_complete_and_has_each_matrix_row_on_one_line(tmp_path: Path, metrics: Metrics) -> None:
    contract = contract_of(metrics)
    write_json(tmp_path / "report.json", metrics, LASTING, contract, PROVENANCE)
    text = (tmp_path / "report.json").read_text(encoding="utf-8")
    content = json.loads(text)
    assert content["schema"] == "harstream.evaluation/1"
    assert content["provenance"] == PROVENANCE
    assert content["contract"]["labels"] == ["sit", "walk", "nobody"]
    assert content["metrics"] == metrics.to_dict()
    assert content["emission"] == emission(metrics, 0.9)
    assert content["emission"]["lasting"] == 0.9
    assert content["lasting_errors"] == LASTING.to_dict()
    assert "[0.4, 0.4, 0.2]" in text


def test_metrics_of_another_model_are_refused(tmp_path: Path, metrics: Metrics) -> None:
    other = ModelContract("other", "1", ("run", "jump"))
    with pytest.raises(ValueError, match="contract's labels"):
        write_json(tmp_path / "report.json", metrics, LASTING, other, {})
    with pytest.raises(ValueError, match="contract's labels"):
        write_html(tmp_path / "report.html", "title", metrics, other, {}, None)


def test_a_write_that_fails_leaves_the_old_report(
    tmp_path: Path, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "report.json"
    path.write_text("old")
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_json(path, metrics, None, contract_of(metrics), {})
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]


def test_the_terminal_table_shows_a_name_that_looks_like_markup(predictions: LabelledScores) -> None:
    printed = io.StringIO()
    Console(file=printed, width=160).print(table(hostile(predictions)))
    assert "{{ 7 * 7 }} [red]" in printed.getvalue()
    assert "66.7\N{NO-BREAK SPACE}%" in printed.getvalue()
