"""Charts in the browser: the tree of blocks, and bars."""

from collections.abc import Mapping
from typing import Any, Final

import altair as alt
import pandas as pd

LOOKS: Final = {"employer's chain": "#0072b2", "poisoned": "#d55e00", "left": "#999999", "genesis": "#009e73"}
"""Colours that people who see few can tell apart, as the report has them; poisoned blocks are squares besides."""
SHAPES: Final = {"employer's chain": "circle", "poisoned": "square", "left": "circle", "genesis": "diamond"}

LANE_PX: Final = 36
MOST_LARGE: Final = 20
"""With more heights than these, blocks are drawn smaller."""

AROUND_PX: Final = 112
"""Height of axis and legend."""


def draw_tree(points: list[dict[str, Any]], lines: list[dict[str, Any]]) -> alt.LayerChart:
    """Return the tree of blocks; a click on one chooses it, under the name `clicked`."""
    highest = max(point["height"] for point in points)
    size = 230 if highest <= MOST_LARGE else 60
    lanes = max(point["lane"] for point in points) + 1
    scale = alt.Scale(domain=[-0.6, lanes - 0.4], reverse=True, nice=False)
    reach = alt.Scale(domain=[-0.4, highest + 0.4], nice=False)
    axis = alt.Axis(tickMinStep=1, grid=False, format="d")
    edges = (
        alt.Chart(pd.DataFrame(lines))
        .mark_rule(color="#888888")
        .encode(
            x=alt.X("x:Q", title="height", scale=reach, axis=axis),
            y=alt.Y("y:Q", scale=scale, axis=None),
            x2="x2:Q",
            y2="y2:Q",
        )
    )
    clicked = alt.selection_point(name="clicked", fields=["block"], on="click", empty=False)
    blocks = (
        alt.Chart(pd.DataFrame(points))
        .mark_point(filled=True, size=size, opacity=1, cursor="pointer")
        .encode(
            x=alt.X("height:Q", title="height", scale=reach, axis=axis),
            y=alt.Y("lane:Q", scale=scale, axis=None),
            color=alt.Color(
                "looks:N",
                scale=alt.Scale(domain=list(LOOKS), range=list(LOOKS.values())),
                legend=alt.Legend(title=None, orient="bottom"),
            ),
            shape=alt.Shape("looks:N", scale=alt.Scale(domain=list(LOOKS), range=list(SHAPES.values()))),
            size=alt.condition(clicked, alt.value(2 * size), alt.value(size)),
            tooltip=["block", "height", "looks", alt.Tooltip("stored_by", title="stored by")],
        )
        .add_params(clicked)
    )
    return (edges + blocks).properties(height=LANE_PX * lanes + AROUND_PX)


def draw_bars(counts: Mapping[str, int], title: str) -> alt.Chart:
    """Return bars, the longest first."""
    frame = pd.DataFrame({"what": list(counts), "count": list(counts.values())})
    return (
        alt.Chart(frame)
        .mark_bar(color="#d55e00")
        .encode(x=alt.X("count:Q", title=title), y=alt.Y("what:N", sort="-x", title=None))
        .properties(height=28 * len(counts) + 60)
    )


def draw_links(links: Mapping[tuple[str, str], int]) -> alt.Chart:
    """Return who refused how much of what came over whose link."""
    rows = [{"from": first, "refused by": second, "count": count} for (first, second), count in links.items()]
    return (
        alt.Chart(pd.DataFrame(rows))
        .mark_rect()
        .encode(
            x=alt.X("from:N", title="came from"),
            y=alt.Y("refused by:N", title="refused by"),
            color=alt.Color("count:Q", scale=alt.Scale(scheme="oranges"), legend=None),
            tooltip=["from", "refused by", "count"],
        )
    )
