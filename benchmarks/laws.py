"""The study of the laws of mining and drawing: tries, intervals, shares of blocks, and targets that follow the power.

python -m benchmarks.laws            # writes docs/studies/laws.{png,svg,csv}, and prints the tests
"""

import argparse
from pathlib import Path
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.law_measures import Laws, Sizes, measure
from benchmarks.law_samples import WANTED_TRIES
from simulation.analysis import CLOSED_FORM
from simulation.commands.report import CYCLE, LIGHT, make_figure, render, styled

DOCS: Final = Path(__file__).resolve().parent.parent / "docs" / "studies"

TITLES: Final = {
    "tries": "tries to a nonce",
    "intervals": "time to a block",
    "shares": "who makes the blocks",
    "targets": "intervals after a step of the power",
}
PANELS: Final = tuple(TITLES)


def tabulate(laws: Laws) -> pd.DataFrame:
    """Return the points as a table with the columns of other studies."""
    rows = [
        {
            "panel": point.panel,
            "sample": point.series,
            "x": point.x,
            "found": point.y,
            "found.low": point.low,
            "found.high": point.high,
            f"found{CLOSED_FORM}": point.law,
        }
        for point in laws.points
    ]
    return pd.DataFrame(rows)


def draw(frame: pd.DataFrame) -> Figure:
    """Draw each law, dashed, over its points."""
    figure = make_figure(8.4, 11)
    panels = dict(zip(PANELS, figure.subplots(2, 2).flat, strict=True))
    for name, axes in panels.items():
        for number, (series, rows) in enumerate(frame[frame["panel"] == name].groupby("sample", sort=False)):
            _draw_points(axes, rows, str(series), number)
        axes.plot([], [], "--", color="black", label="closed form")
        axes.set_title(TITLES[name])
        axes.grid(axis="y", color=LIGHT)
    for name, mean in (("tries", f"{WANTED_TRIES} tries"), ("intervals", "a second")):
        panels[name].set(yscale="log", xlabel=f"multiples of {mean}", ylabel="share that takes longer")
        panels[name].set_yticks([1, 0.1, 0.01], ["1", "0.1", "0.01"])
    panels["shares"].set(xlabel="share of the power, the stake or the coins", ylabel="share of the blocks")
    targets = panels["targets"]
    targets.axhspan(0.9, 1.1, color=LIGHT, zorder=0, label="a tenth more or less")
    targets.set(yscale="log", xlabel="blocks since the power has changed", ylabel="mean interval, wanted = 1")
    targets.set_yticks([0.25, 0.5, 1, 2, 4], ["1/4", "1/2", "1", "2", "4"])
    for axes in panels.values():
        axes.minorticks_off()
        axes.legend(fontsize="small")
    return figure


def _draw_points(axes: Axes, rows: pd.DataFrame, series: str, number: int) -> None:
    reach = [rows["found"] - rows["found.low"], rows["found.high"] - rows["found"]]
    axes.errorbar(
        rows["x"],
        rows["found"],
        yerr=reach,
        fmt="osD^"[number % 4],
        color=CYCLE[number],
        markersize=4,
        elinewidth=1,
        label=series,
    )
    laid = rows.sort_values("x")
    axes.plot(laid["x"], laid[f"found{CLOSED_FORM}"], "--", color="black", linewidth=1.2, zorder=3)


def publish(sizes: Sizes, out: Path) -> Laws:
    """Measure, draw, keep the points, and print the tests."""
    laws = measure(sizes)
    frame = tabulate(laws)
    out.mkdir(parents=True, exist_ok=True)
    with styled():
        figure = draw(frame)
        for kind in ("png", "svg"):
            (out / f"laws.{kind}").write_bytes(render(figure, kind))
    frame.to_csv(out / "laws.csv", index=False)
    print("| sample | law | n | test | found | bound |")
    print("|---|---|---|---|---|---|")
    for told in laws.verdicts:
        print(f"| {told.sample} | {told.law} | {told.count:,} | {told.test} | {told.value:.3g} | {told.bound:.3g} |")
    law, low, high = frame[f"found{CLOSED_FORM}"], frame["found.low"], frame["found.high"]
    for name, rows in frame.groupby("panel", sort=False):
        inside = ((low <= law) & (law <= high))[rows.index].sum()
        print(f"laws, {name}: the closed form lies in the 95 % interval in {inside} of {len(rows)} points")
    return laws


def main() -> None:
    """Read the arguments and publish."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.laws", description=__doc__)
    parser.add_argument("--out", type=Path, default=DOCS, help="where pictures and tables go")
    publish(Sizes(), parser.parse_args().out)


if __name__ == "__main__":
    main()
