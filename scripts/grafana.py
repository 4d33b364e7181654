"""Panels and dashboards as data, and the JSON that Grafana takes. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24  # of Grafana's grid
OPTIONS: dict[str, dict[str, Any]] = {
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "graphMode": "area"},
    "heatmap": {"calculate": False, "yAxis": {"unit": "short"}, "color": {"scheme": "Viridis", "mode": "scheme"}},
    "table": {"showHeader": True},
}

Kind = Literal["timeseries", "stat", "heatmap", "table"]


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel.

    Attributes:
        queries: each an expression and what its lines are called.
        unit: as Grafana names it.
        at_most: the top of the axis; None lets it follow the values.
        warn: the value from which on it is shown in orange; a negative one, below which.
        width: in columns of the grid.
    """

    title: str
    description: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    kind: Kind = "timeseries"
    at_most: float | None = None
    warn: float | None = None
    width: int = 8

    @property
    def height(self) -> int:
        """In rows of the grid."""
        return 4 if self.kind == "stat" else 8


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard, of rows of panels."""

    uid: str
    title: str
    panels: tuple[Panel, ...]


def stat(title: str, description: str, query: str, unit: str = "short", warn: float | None = None) -> Panel:
    """Return a panel of a single number."""
    return Panel(title, description, ((query, ""),), unit, "stat", warn=warn, width=4)


def ratio(title: str, description: str, *queries: tuple[str, str], warn: float | None = None) -> Panel:
    """Return a panel of shares from 0 to 1."""
    return Panel(title, description, queries, "percentunit", at_most=1.0, warn=warn)


def spread(title: str, description: str, metric: str) -> Panel:
    """Return a heat map of a histogram that is a state, not a count of events."""
    return Panel(
        title, description, ((f"max by (le) ({metric}_bucket)", "{{le}}"),), "percentunit", "heatmap", width=12
    )


def times(title: str, description: str, metric: str, by: str = "", where: str = "") -> Panel:
    """Return a panel of the median and the 95th percentile, or of the 95th by a label."""
    rate = f"rate({metric}_bucket{where}[$__rate_interval])"
    shown = [(0.95, "{{" + by + "}}")] if by else [(0.5, "median"), (0.95, "95th percentile")]
    group = f"{by}, le" if by else "le"
    queries = tuple((f"histogram_quantile({q}, sum by ({group}) ({rate}))", legend) for q, legend in shown)
    return Panel(title, description, queries, "s")


def rates(title: str, description: str, metric: str, by: str, unit: str = "ops") -> Panel:
    """Return a panel of a counter's rate by a label."""
    return Panel(title, description, ((f"sum by ({by}) (rate({metric}[$__rate_interval]))", "{{" + by + "}}"),), unit)


def to_model(dashboard: Dashboard) -> dict[str, Any]:
    """Return a dashboard as Grafana takes it."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["crystal-lattice"],
        "schemaVersion": 41,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {
            "list": [{"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}]
        },
        "links": [{"type": "dashboards", "title": "Crystal Lattice", "tags": ["crystal-lattice"], "asDropdown": True}],
        "panels": [*place(dashboard.panels)],
    }


def place(panels: Sequence[Panel]) -> Iterator[dict[str, Any]]:
    """Yield the panels as Grafana takes them, from left to right and from top to bottom."""
    x = y = tallest = 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        yield to_panel(panel, number, {"x": x, "y": y, "w": panel.width, "h": panel.height})
        x, tallest = x + panel.width, max(tallest, panel.height)


def to_panel(panel: Panel, number: int, place_in_grid: dict[str, int]) -> dict[str, Any]:
    """Return a panel as Grafana takes it."""
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0, "thresholds": _thresholds(panel.warn)}
    if panel.at_most is not None:
        defaults["max"] = panel.at_most
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "gridPos": place_in_grid,
        "targets": [_target(panel.kind, i, expr, legend) for i, (expr, legend) in enumerate(panel.queries)],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": OPTIONS[panel.kind],
    }


def _target(kind: Kind, number: int, expr: str, legend: str) -> dict[str, Any]:
    return {
        "refId": chr(ord("A") + number),
        "datasource": SOURCE,
        "expr": expr,
        "legendFormat": legend or "__auto",
        "format": {"heatmap": "heatmap", "table": "table"}.get(kind, "time_series"),
        "instant": kind == "table",
        "range": kind != "table",
    }


def _thresholds(warn: float | None) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if warn is not None:
        below = warn < 0
        steps = [{"color": "orange" if below else "green", "value": None}]
        steps.append({"color": "green" if below else "orange", "value": abs(warn)})
    return {"mode": "absolute", "steps": steps}
