"""Charts in the browser as Vega-Lite describes them: written out, as building them by Altair costs a watched run more.

Data goes into `datasets`, which Streamlit sends apart, so that a chart whose data alone change is not built again.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from simulation.explorer.block_tree import AHEAD, GENESIS

Spec = dict[str, Any]
Row = dict[str, Any]

ORANGE: Final = "#d55e00"
BLUE: Final = "#0072b2"
GREEN: Final = "#009e73"
CYCLE: Final = (BLUE, "#e69f00", GREEN, ORANGE, "#56b4e9", "#cc79a7", "#999999")
LOOKS: Final = {"employer's chain": BLUE, "poisoned": ORANGE, "left": "#999999", GENESIS: GREEN}
LIVE_LOOKS: Final = {"employer's chain": BLUE, AHEAD: "#56b4e9", "left": "#999999", GENESIS: GREEN}
"""Colours that people who see few can tell apart, as the report has them; poisoned blocks are squares besides."""
SHAPES: Final = {
    "employer's chain": "circle",
    AHEAD: "circle",
    "poisoned": "square",
    "left": "circle",
    GENESIS: "diamond",
}

LANE_PX: Final = 36
MOST_LARGE: Final = 20
"""With more heights than these, blocks are drawn smaller."""

AROUND_PX: Final = 112
"""Height of axis and legend."""

CLICKED: Final = "clicked"
"""Name of the selection that a click on a block makes."""


def draw_tree(points: Sequence[Row], lines: Sequence[Row], *, looks: Mapping[str, str] = LOOKS) -> Spec:
    """Return the tree of blocks; a click on one chooses it, under the name `clicked`."""
    is_cut = points[0]["block"] != GENESIS
    size = 230 if len({point["height"] for point in points}) <= MOST_LARGE else 60
    title = "height, the latest blocks" if is_cut else "height"
    lanes = max(point["lane"] for point in points) + 1
    lane = {"domain": [-0.6, lanes - 0.4], "reverse": True, "nice": False}
    reach = {"nice": False, "zero": False, "padding": 12}  # by the data: a new block leaves the chart as it is
    axis = {"tickMinStep": 1, "grid": False, "format": "d"}

    def place(x: str, y: str) -> Spec:
        return {
            "x": {"field": x, "type": "quantitative", "title": title, "scale": reach, "axis": axis},
            "y": {"field": y, "type": "quantitative", "scale": lane, "axis": None},
        }

    edges = {
        "data": {"name": "lines"},
        "mark": {"type": "rule", "color": "#888888"},
        "encoding": {**place("x", "y"), "x2": {"field": "x2"}, "y2": {"field": "y2"}},
    }
    names, shapes = list(looks), [SHAPES[name] for name in looks]
    blocks = {
        "data": {"name": "points"},
        "mark": {"type": "point", "filled": True, "opacity": 1, "cursor": "pointer"},
        "params": [
            {"name": CLICKED, "select": {"type": "point", "fields": ["block"], "on": "click"}},
        ],
        "encoding": {
            **place("height", "lane"),
            "color": {
                "field": "looks",
                "type": "nominal",
                "scale": {"domain": names, "range": list(looks.values())},
                "legend": {"title": None, "orient": "bottom"},
            },
            "shape": {
                "field": "looks",
                "type": "nominal",
                "scale": {"domain": names, "range": shapes},
            },
            "size": {"condition": {"param": CLICKED, "value": 2 * size, "empty": False}, "value": size},
            "tooltip": [_tell("block"), _tell("height"), _tell("looks"), _tell("stored_by", "stored by")],
        },
    }
    return {
        "layer": [edges, blocks],
        "height": LANE_PX * lanes + AROUND_PX,
        "datasets": {"points": list(points), "lines": list(lines)},
    }


def draw_bars(counts: Mapping[str, float], title: str, *, colour: str) -> Spec:
    """Return bars in the order of the counts."""
    return {
        "data": {"name": "bars"},
        "mark": {"type": "bar", "color": colour},
        "encoding": {
            "x": {"field": "count", "type": "quantitative", "title": title, "axis": {"tickMinStep": 1}},
            "y": {"field": "what", "type": "nominal", "sort": None, "title": None},
            "tooltip": [_tell("what"), _tell("count")],
        },
        "height": 28 * len(counts) + 60,
        "datasets": {"bars": [{"what": what, "count": count} for what, count in counts.items()]},
    }


def draw_links(links: Mapping[tuple[str, str], int]) -> Spec:
    """Return who refused how much of what came over whose link."""
    rows = [{"from": first, "refused by": second, "count": count} for (first, second), count in links.items()]
    return {
        "data": {"name": "links"},
        "mark": "rect",
        "encoding": {
            "x": {"field": "from", "type": "nominal", "title": "came from"},
            "y": {"field": "refused by", "type": "nominal", "title": "refused by"},
            "color": {"field": "count", "type": "quantitative", "scale": {"scheme": "oranges"}, "legend": None},
            "tooltip": [_tell("from"), _tell("refused by"), _tell("count")],
        },
        "datasets": {"links": rows},
    }


def _tell(field: str, title: str | None = None) -> Spec:
    """Return a line of the text that appears at the pointer."""
    return {"field": field, "title": title or field}


_IS_EMPLOYER: Final = "datum.population === 'employer'"
"""Its line lies behind those of nodes, which it follows: a broad one is seen all the same."""


def draw_heights(rows: Sequence[Row], windows: Sequence[Row]) -> Spec:
    """Return the highest head of each population over time, with windows without connection shaded."""
    time = {"type": "quantitative", "title": "seconds", "scale": {"nice": False, "zero": True}}
    shades = {
        "data": {"name": "windows"},
        "mark": {"type": "rect", "color": ORANGE, "opacity": 0.18},
        "encoding": {
            "x": {"field": "start", **time},
            "x2": {"field": "end"},
            "tooltip": [_tell("what"), _tell("start"), _tell("end")],
        },
    }
    lines = {
        "data": {"name": "heights"},
        "mark": {"type": "line", "interpolate": "step-after"},
        "encoding": {
            "x": {"field": "seconds", **time},
            "y": {
                "field": "height",
                "type": "quantitative",
                "title": "highest head",
                "axis": {"tickMinStep": 1, "format": "d"},
            },
            "color": {
                "field": "population",
                "type": "nominal",
                "scale": {"range": list(CYCLE)},
                "legend": {"title": None, "orient": "bottom", "columns": 4},
            },
            "size": {"condition": {"test": _IS_EMPLOYER, "value": 7}, "value": 2},
            "opacity": {"condition": {"test": _IS_EMPLOYER, "value": 0.35}, "value": 1},
            "tooltip": [_tell("population"), _tell("height"), _tell("seconds")],
        },
    }
    return {
        "layer": [shades, lines] if windows else [lines],
        "height": 300,
        "datasets": {"heights": list(rows), **({"windows": list(windows)} if windows else {})},
    }


def draw_network(parties: Sequence[Row], edges: Sequence[Row]) -> Spec:
    """Return the parties in a circle, and their links, the thicker the more was refused of what came over them."""
    place = {"type": "quantitative", "scale": {"domain": [-1.25, 1.25]}, "axis": None}
    most = max((row["refused"] for row in edges), default=0)
    links = {
        "data": {"name": "edges"},
        "mark": "rule",
        "encoding": {
            "x": {"field": "x", **place},
            "y": {"field": "y", **place},
            "x2": {"field": "x2"},
            "y2": {"field": "y2"},
            "color": {"condition": {"test": "datum.refused > 0", "value": ORANGE}, "value": "#888888"},
            "opacity": {"condition": {"test": "datum.refused > 0", "value": 0.75}, "value": 0.35},
            "size": {
                "field": "refused",
                "type": "quantitative",
                "scale": {"domain": [0, max(1, most)], "range": [1, 5]},
                "legend": None,
            },
            "tooltip": [_tell("link"), _tell("refused"), _tell("who")],
        },
    }
    roles = list(dict.fromkeys(row["role"] for row in parties))
    quiet = [role for role in ("honest", "employer, users") if role in roles]
    loud = [role for role in roles if role not in quiet]
    colours = [*(BLUE if role == "honest" else GREEN for role in quiet), *(ORANGE for _ in loud)]
    shapes = [*("circle" if role == "honest" else "diamond" for role in quiet), *("square" for _ in loud)]
    domain = [*quiet, *loud]
    points = {
        "data": {"name": "parties"},
        "mark": {"type": "point", "filled": True, "size": 160, "opacity": 1},
        "encoding": {
            "x": {"field": "x", **place},
            "y": {"field": "y", **place},
            "color": {
                "field": "role",
                "type": "nominal",
                "scale": {"domain": domain, "range": colours},
                "legend": {"title": None, "orient": "bottom", "columns": 3},
            },
            "shape": {"field": "role", "type": "nominal", "scale": {"domain": domain, "range": shapes}},
            "tooltip": [_tell("party"), _tell("role")],
        },
    }
    return {
        "layer": [links, points],
        "height": 340,
        "datasets": {"edges": list(edges), "parties": list(parties)},
    }
