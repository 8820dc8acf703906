"""The report of an evaluation: one HTML page that needs no other file, the same figures as JSON, and a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from harstream.evaluation import plots
from harstream.evaluation.compute_metrics import emission
from harstream.evaluation.corruptions.measure import KindFigures
from harstream.evaluation.lasting_errors import LastingErrors
from harstream.evaluation.metrics import ClassMetrics, Metrics, rounded
from harstream.evaluation.number_format import decimal, percent
from harstream.evaluation.page import page_environment
from harstream.evaluation.report_json import write_report
from harstream.models.contract import ModelContract
from harstream.resilience.whole_file import write_whole

SCHEMA = "harstream.evaluation/1"
CONFUSIONS_NAMED = 6
GROUPS_SHOWN = 10
THRESHOLDS_SHOWN = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class Headline:
    figure: str
    name: str
    note: str


@dataclass(frozen=True)
class Cell:
    """One cell of the confusion matrix."""

    count: int
    share: float
    """Share of the windows of its true class; 0 for a class without windows."""
    is_right: bool


@dataclass(frozen=True)
class Confusion:
    """How often one class is taken for another."""

    truth: str
    recognized: str
    count: int
    share: float
    """Share of the windows of `truth`."""


def write_html(
    path: Path,
    title: str,
    metrics: Metrics,
    contract: ModelContract,
    provenance: dict[str, str],
    history: list[dict[str, float]] | None,
) -> None:
    """Write the page. The folder must exist.

    The page shows all of `provenance` in its order, so it must contain no secret. `history` has one row per epoch
    with the keys of Keras's CSVLogger: epoch (from 0), loss, accuracy, val_loss, val_accuracy. The best epoch is
    `provenance["best_epoch"]`, or else the one with the lowest val_loss.

    Raises ValueError if the metrics belong to another model than the contract, or if best_epoch is not a number.
    """
    _check_same_model(metrics, contract)
    write_whole(path, _page(title, metrics, contract, provenance, history))


def _page(
    title: str,
    metrics: Metrics,
    contract: ModelContract,
    provenance: dict[str, str],
    history: list[dict[str, float]] | None,
) -> str:
    best = best_epoch(history or [], provenance)
    environment = page_environment(Path(__file__).parent)
    environment.filters |= {"area": area}
    template = environment.get_template("report.html.j2")
    return template.render(
        title=title,
        metrics=metrics,
        contract=contract,
        provenance=provenance,
        headlines=headlines(metrics),
        cells=confusion_cells(metrics),
        confusions=confusions(metrics)[:CONFUSIONS_NAMED],
        groups=sorted(metrics.groups, key=lambda each: each.accuracy),
        groups_shown=GROUPS_SHOWN,
        thresholds=[each for each in metrics.selections if each.threshold in THRESHOLDS_SHOWN],
        roc=plots.roc(metrics),
        reliability=plots.reliability(metrics),
        selections=plots.selections(metrics),
        risk_coverage=plots.risk_coverage(metrics),
        learning=[plots.learning(history, quantity, best) for quantity in ("loss", "accuracy")] if history else [],
    )


def write_json(
    path: Path,
    metrics: Metrics,
    lasting: LastingErrors | None,
    contract: ModelContract,
    provenance: dict[str, str],
    places: Sequence[KindFigures] = (),
) -> None:
    """Write metrics, how long errors last, emission matrix, contract and provenance. The folder must exist.

    `lasting` is None for a model that only works on whole clips. `places`: for a model that sees the place, the figures
    of the clips as they are and in another place.

    Raises ValueError if the metrics belong to another model than the contract.
    """
    _check_same_model(metrics, contract)
    content = {
        "contract": asdict(contract),
        "metrics": metrics.to_dict(),
        "lasting_errors": lasting.to_dict() if lasting else None,
        "emission": emission(metrics, lasting.lasting if lasting else None),
        **({"places": [rounded(asdict(each), digits=4) for each in places]} if places else {}),
    }
    write_report(path, SCHEMA, provenance, content)


def table(metrics: Metrics) -> Table:
    """Show the figures of each class over windows, with the main figures below."""
    columns = ("windows", "precision", "recall", "FPR", "F1", "ROC AUC")
    rows = Table(title="Classes, over windows", caption=_caption(metrics), caption_justify="left")
    rows.add_column("class")
    for column in columns:
        rows.add_column(column, justify="right")
    for each in metrics.classes:
        shares = (each.precision, each.recall, each.false_positive_rate, each.f1)
        # Text, because rich would read a class called "[red]" as markup.
        rows.add_row(Text(each.label), str(each.support), *map(percent, shares), decimal(area(each)))
    macro = metrics.windows
    rows.add_section()
    precision, recall, f1 = map(percent, (macro.precision_macro, macro.recall_macro, macro.f1_macro))
    rows.add_row("activities, macro", "", precision, recall, "", f1, "")
    return rows


def headlines(metrics: Metrics) -> tuple[Headline, ...]:
    windows, clips, selection, among = metrics.windows, metrics.clips, metrics.selection, metrics.among_activities
    closed = f"{percent(among.clips.accuracy)} of clips, without background as a choice" if among else ""
    return (
        Headline(percent(clips.accuracy), "clips right", f"of {clips.rows} clips, by the mean score of their windows"),
        Headline(percent(metrics.top1), "windows right", "mean over clips, each with the same weight"),
        Headline(percent(windows.f1_macro), "macro F1", "mean over the activities, by windows"),
        *([Headline(percent(among.top1), "windows right among activities", closed)] if among else []),
        Headline(decimal(metrics.roc_micro.area), "ROC AUC", "micro-averaged over all classes"),
        Headline(percent(metrics.calibration_error), "calibration error", f"expected, {len(metrics.reliability)} bins"),
        Headline(
            percent(selection.coverage),
            f"windows reach {selection.threshold:g}",
            f"{percent(selection.accuracy)} right among them",
        ),
    )


def confusion_cells(metrics: Metrics) -> tuple[tuple[Cell, ...], ...]:
    return tuple(
        tuple(Cell(count, count / (sum(row) or 1), truth == recognized) for recognized, count in enumerate(row))
        for truth, row in enumerate(metrics.confusion)
    )


def confusions(metrics: Metrics) -> list[Confusion]:
    """Return all confusions that occurred, the largest share first."""
    found = [
        Confusion(metrics.labels[truth], metrics.labels[recognized], cell.count, cell.share)
        for truth, row in enumerate(confusion_cells(metrics))
        for recognized, cell in enumerate(row)
        if cell.count and not cell.is_right
    ]
    return sorted(found, key=lambda each: (-each.share, -each.count))


def best_epoch(history: Sequence[dict[str, float]], provenance: dict[str, str]) -> int | None:
    """Return the best epoch, counted as in the history, or None without a validation loss. Raises ValueError."""
    if "best_epoch" in provenance:
        try:
            return int(provenance["best_epoch"])
        except ValueError as error:
            raise ValueError(f"best_epoch must be a whole number, got {provenance['best_epoch']!r}") from error
    losses = {int(row["epoch"]): row["val_loss"] for row in history if not math.isnan(row.get("val_loss", math.nan))}
    return min(losses, key=lambda epoch: losses[epoch], default=None)


def area(each: ClassMetrics) -> float | None:
    return each.roc.area if each.roc else None


def _caption(metrics: Metrics) -> str:
    return "\n".join(f"{each.figure} {each.name}: {each.note}" for each in headlines(metrics))


def _check_same_model(metrics: Metrics, contract: ModelContract) -> None:
    if metrics.labels != contract.labels:
        raise ValueError(f"the metrics must have the contract's labels {contract.labels}, got {metrics.labels}")
