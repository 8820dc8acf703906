"""Every panel of the dashboard queries metrics and labels that the running sink has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from harstream.stream.sinks.metrics import Metrics
from harstream.wire.context import Context
from harstream.wire.health import DeliveryCounts
from harstream.wire.values import CameraState, EventType
from tests.support.values import MakeEvent, MakeHealth, MakeNotice

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "harstream.json").read_text())
OF_PROMETHEUS = {"instance", "job"}
"""Labels that Prometheus adds itself."""


@dataclass
class Queried:
    """The metrics of an expression, each with the labels that select it, and the labels that group it."""

    chosen: list[tuple[str, set[str]]] = field(default_factory=list)
    grouped: set[str] = field(default_factory=set)


def queried(expression: str) -> Queried:
    """Parses an expression. Raises ValueError if it is invalid in Prometheus."""
    found = Queried()
    _walk(promql.parse(expression.replace("$__rate_interval", "1m")), found)
    return found


def _walk(part: Any, found: Queried) -> None:
    match part:
        case promql.VectorSelector():
            found.chosen.append((part.name or "", {matcher.name for matcher in part.matchers.matchers}))
        case promql.MatrixSelector():
            _walk(part.vector_selector, found)
        case promql.AggregateExpr():
            found.grouped |= set(part.modifier.labels) if part.modifier else set()
            _walk(part.expr, found)
        case promql.Call():
            for argument in part.args:
                _walk(argument, found)
        case promql.BinaryExpr():
            _walk(part.lhs, found)
            _walk(part.rhs, found)
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            _walk(part.expr, found)
        case promql.NumberLiteral() | promql.StringLiteral():
            pass
        case _:
            raise TypeError(f"expected an expression that is known here, got {part!r}")


def expressions() -> Iterator[tuple[str, str]]:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


@pytest.fixture
def exposed(
    context: Context, make_notice: MakeNotice, make_event: MakeEvent,
    make_health: MakeHealth,
) -> dict[str, set[str]]:  # fmt: skip
    """The names of all metrics that a sink exposes after every kind of value, each with its labels."""
    metrics = Metrics(context, "CPU")
    metrics.watch_broker(lambda: True, DeliveryCounts)
    metrics.count_acknowledged(0.03, 0.003)
    metrics.handle(make_notice(state=CameraState.LIVE))
    metrics.handle(make_notice(make_event(EventType.START), scores=(0.1, 0.8, 0.1)))
    metrics.report(make_health())
    families = text_string_to_metric_families(metrics.text().decode())
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


@pytest.mark.parametrize(("panel", "expression"), list(expressions()))
def test_a_panel_queries_existing_metrics(panel: str, expression: str, exposed: dict[str, set[str]]) -> None:
    found = queried(expression)
    assert found.chosen, panel
    for metric, labels in found.chosen:
        assert metric in exposed, panel
        assert labels - OF_PROMETHEUS <= exposed[metric], panel
        assert found.grouped - OF_PROMETHEUS <= exposed[metric], panel


def test_variables_query_existing_metrics(exposed: dict[str, set[str]]) -> None:
    queries = [one["definition"] for one in DASHBOARD["templating"]["list"] if one["type"] == "query"]
    assert len(queries) == 2
    for query in queries:
        selector, label = query.removeprefix("label_values(").removesuffix(")").rsplit(", ", 1)
        ((metric, labels),) = queried(selector).chosen
        assert labels | {label} <= exposed[metric] | OF_PROMETHEUS


def test_every_metric_is_shown(exposed: dict[str, set[str]]) -> None:
    shown = {metric for _, expression in expressions() for metric, _ in queried(expression).chosen}
    of_histograms = {"harstream_stage_seconds_count", "harstream_stage_seconds_sum"}
    ours = {name for name in exposed if name.startswith("harstream_") and not name.endswith("_created")}
    assert ours - of_histograms - shown == set()


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells


def test_grafana_finds_prometheus_and_the_dashboard_where_compose_puts_them() -> None:
    provisioning = DEPLOY / "grafana" / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())["datasources"]
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "harstream.yaml").read_text())["providers"]
    services = yaml.safe_load((DEPLOY / "docker" / "compose.yaml").read_text())["services"]
    assert source["url"] == "http://prometheus:9090"
    assert "prometheus" in services
    assert (
        f"../grafana/harstream.json:{provider['options']['path']}/harstream.json:ro" in services["grafana"]["volumes"]
    )
