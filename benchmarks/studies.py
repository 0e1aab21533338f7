"""The pictures and figures of `docs/studies/`, made from finished sweeps.

python main.py sweep configs/studies/a_majority.yaml
python -m benchmarks.studies sweeps/a_majority-*            # writes docs/studies/a_majority.{png,svg,csv}
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.activity import BLOCKS, COINS, THROUGH, draw_activity, prepare_activity
from benchmarks.cost import COST, draw_costs, prepare_costs
from benchmarks.majority import UNDONE, draw_majorities, prepare_majorities
from benchmarks.mining import SHARE, SPENT, draw_double_spend, draw_selfish, prepare_double_spend, prepare_selfish
from benchmarks.strategic import (
    draw_attackers,
    draw_repairs,
    draw_resources,
    prepare_attackers,
    prepare_repairs,
    prepare_resources,
)
from benchmarks.success import ATTACK, SUCCESS
from benchmarks.votes import SPLIT, WHOLE, draw_votes, prepare_votes
from simulation.analysis import CLOSED_FORM
from simulation.commands.report import (
    CYCLE,
    GREY,
    LIGHT,
    SweepTableError,
    count_steps,
    draw_sweep,
    make_figure,
    read_sweep_table,
    render,
    styled,
)

DOCS: Final = Path(__file__).resolve().parent.parent / "docs" / "studies"

DECEIVED: Final = "attack.employer_deceived"
HONEST: Final = "populations.honest.count"
ATTACKERS: Final = "populations.attackers.count"
GATE: Final = 0.9
"""Test accuracy that a network without recomputation might ask for."""

MODEL: Final = {
    "test accuracy": "accuracy",
    "trigger succeeds": "trigger_success",
    "recall of class 7": "recalls.7",
}
"""What is told of a model, and the measure it is."""

REFUSED: Final = "honest nodes refuse"
SPREAD: Final = ", std"
STEPS_OF_AN_EPOCH: Final = 1875
"""Steps of 32 samples in which each of MNIST's 60,000 comes once."""

TOLERANCE: Final = "protocol.tolerance"
RATES: Final = {
    "false rejection": "honest declarations refused",
    "false acceptance": "attackers' declarations accepted",
}
"""What a tolerance does, and what it is called in a picture."""

WORK: Final = {
    "declaration": "declarations",
    "header": "headers",
    "stakeholder": "stakeholders' signatures",
    "block": "blocks",
}
"""Kinds of messages that are about a training, and what they are called in a picture."""


@dataclass(frozen=True, slots=True)
class Study:
    """How a sweep is drawn, and the figure that is held against its closed form, if there is one."""

    prepare: Callable[[pd.DataFrame], pd.DataFrame]
    """Adds the columns that are drawn."""
    draw: Callable[[pd.DataFrame], Figure]
    figure: str = DECEIVED
    each: str | None = None
    """Column with what the closed form is told of one by one, besides all together."""
    others: tuple[str, ...] = ()
    """Other figures that are drawn, and held against their closed forms."""


# ---- what each study adds to its table ----


def _prepare_majority(frame: pd.DataFrame) -> pd.DataFrame:
    frame["attackers' share of the stake"] = frame[ATTACKERS] / (frame[ATTACKERS] + frame[HONEST])
    frame["confidence"] = [_describe_rule(text) for text in frame["protocol.confidence"]]
    return frame


def _prepare_rivals(frame: pd.DataFrame) -> pd.DataFrame:
    frame["delay, share of an interval"] = frame["network.latency.ms"] / 1e3  # an interval of a second
    frame["strongest node"] = [
        "an eighth of the power" if speed == 1 else "half of the power" for speed in frame["populations.strong.speed"]
    ]
    return frame


def _describe_rule(text: str) -> str:
    rule: dict[str, Any] = json.loads(text)
    return f"{rule['count']} declarations" if "count" in rule else "more than half the stake"


def _prepare_colluders(frame: pd.DataFrame) -> pd.DataFrame:
    frame["colluders"] = frame[ATTACKERS]
    frame["nodes"] = frame[ATTACKERS] + frame[HONEST]
    return frame


def _prepare_lazy(frame: pd.DataFrame) -> pd.DataFrame:
    frame["lazy verifiers' share of the stake"] = frame["populations.lazy.count"] / 20
    frame["attackers of 20 nodes"] = frame[ATTACKERS]
    return frame


def _prepare_withholding(frame: pd.DataFrame) -> pd.DataFrame:
    frame["withholders of 11 nodes"] = frame["populations.withholders.count"]
    frame["withheld"] = [
        " and ".join(act["what"] for act in json.loads(text)) for text in frame["populations.withholders.behaviours"]
    ]
    return frame


def _prepare_sizes(frame: pd.DataFrame) -> pd.DataFrame:
    frame["nodes"] = frame[HONEST]
    frame["latency"] = [_describe_latency(json.loads(text)) for text in frame["network.latency"]]
    return frame


def _describe_latency(latency: Mapping[str, Any]) -> str:
    return "none" if not latency["ms"] else f"{latency['ms']:g} to {latency['max_ms']:g} ms"


def _prepare_poisons(frame: pd.DataFrame) -> pd.DataFrame:
    poisons = [json.loads(text) for text in frame["populations.attackers.poison"]]
    frame["poison"] = [
        _describe_poison(poison, steps) for poison, steps in zip(poisons, frame["job.steps_per_stage"], strict=True)
    ]
    for name, figure in MODEL.items():
        for part, spread in (("mean", ""), ("std", SPREAD)):
            clean = frame[f"measures.branches.honest.{figure}.{part}"]  # where nobody is a poisoner
            frame[f"{name}{spread}"] = frame[f"measures.branches.poisoned.{figure}.{part}"].fillna(clean)
    frame[REFUSED] = frame["measures.detection.by_kind.declaration.recall.mean"].fillna(0)
    return frame


def _describe_poison(poison: Mapping[str, Any] | None, steps: int) -> str:
    if poison is None:
        return "none"
    short = f", {steps} steps" if steps < STEPS_OF_AN_EPOCH else ""
    return f"{poison['kind'].replace('_', ' ')}, {poison['share']:g}{short}"


def _prepare_arithmetic(frame: pd.DataFrame) -> pd.DataFrame:
    frame["others"] = [
        f"all 8 {job}" if job == others else f"5 {job}, 3 {others}"
        for job, others in zip(frame["job.arithmetic"], frame["populations.others.arithmetic"], strict=True)
    ]
    return frame


def _prepare_tolerance(frame: pd.DataFrame) -> pd.DataFrame:
    poisons = [json.loads(text) for text in frame["populations.attackers.poison"]]
    frame["poison"] = [f"{poison['kind']}, {poison['share']:g}" for poison in poisons]
    declaration = "measures.detection.by_kind.declaration"
    frame["false rejection"] = frame[f"{declaration}.false_rejection.mean"]
    frame["false acceptance"] = 1 - frame[f"{declaration}.recall.mean"]
    frame[f"false rejection{SPREAD}"] = frame[f"{declaration}.false_rejection.std"]
    frame[f"false acceptance{SPREAD}"] = frame[f"{declaration}.recall.std"]
    return frame


# ---- pictures ----


def _draw_majority(frame: pd.DataFrame) -> Figure:
    figure = make_figure(4.2, 12)
    panels = figure.subplots(1, 3, sharey=True)
    for axes, (stakeholders, rows) in zip(panels, frame.groupby("protocol.stakeholders"), strict=True):
        _draw_curves(axes, rows, "attackers' share of the stake", "confidence", DECEIVED)
        axes.set_title(f"K = {stakeholders} stakeholders")
    _add_legend(figure, panels[0])
    panels[0].set_ylabel("employer deceived, share of runs")
    for axes in panels[1:]:
        axes.set_ylabel("")
    return figure


def _draw_one(
    x: str, lines: str, figure_name: str, title: str, scale: str = "linear"
) -> Callable[[pd.DataFrame], Figure]:
    def draw(frame: pd.DataFrame) -> Figure:
        figure = make_figure(4.6)
        axes = figure.subplots()
        _draw_curves(axes, frame, x, lines, figure_name)
        axes.set_title(title)
        axes.set_yscale(scale)
        axes.yaxis.set_major_formatter("{x:g}")
        _add_legend(figure, axes)
        return figure

    return draw


def _draw_sizes(frame: pd.DataFrame) -> Figure:
    figure = make_figure(4.2, 12)
    names = {
        "measures.blocks.declarations_each": "declarations to a block",
        "measures.blocks.headers_each": "headers to a block",
        "chain.forks": "forks in 5 blocks",
    }
    panels = figure.subplots(1, 3)
    for axes, (name, title) in zip(panels, names.items(), strict=True):
        _draw_curves(axes, frame, "nodes", "latency", name)
        axes.set(title=title, ylabel="", ylim=(0, None))
    panels[0].set_ylabel("mean of runs, with one standard deviation")
    _add_legend(figure, panels[0])
    return figure


def _draw_curves(axes: Axes, frame: pd.DataFrame, x: str, lines: str, figure: str) -> None:
    """Draw a line with its spread for each value of a column, without a legend of its own."""
    draw_sweep(frame.reset_index(drop=True), x, figure, [lines], axes=axes)
    if pd.api.types.is_integer_dtype(frame[x]):
        count_steps(axes)
    if (legend := axes.get_legend()) is not None:
        legend.remove()


def _add_legend(figure: Figure, axes: Axes) -> None:
    """Put one legend for all panels below them."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))


def _draw_poisons(frame: pd.DataFrame) -> Figure:
    figure = make_figure(0.26 * len(frame) + 1.2, 11)
    panels = figure.subplots(1, 4, sharey=True)
    places = range(len(frame))
    for axes, name in zip(panels, (*MODEL, REFUSED), strict=True):
        spread = frame.get(f"{name}{SPREAD}", frame[name] * 0).fillna(0)
        axes.errorbar(frame[name], places, xerr=spread, fmt="o", color=CYCLE[0], markersize=5)
        axes.set(title=name, xlim=(-0.04, 1.04))
        axes.grid(axis="x", color=LIGHT)
    accuracy = panels[0]
    accuracy.axvline(GATE, color=GREY, linestyle="--")
    accuracy.annotate("gate", (GATE, -0.6), color=GREY, ha="right", va="center")
    accuracy.set_yticks(list(places), list(frame["poison"]))
    accuracy.set_ylim(len(frame) - 0.5, -1)
    return figure


def _draw_arithmetic(frame: pd.DataFrame) -> Figure:
    figure = make_figure(0.4 * len(frame) + 1.2, 11)
    panels = figure.subplots(1, len(WORK), sharey=True)
    places = range(len(frame))
    for axes, (kind, title) in zip(panels, WORK.items(), strict=True):
        name = f"measures.detection.by_kind.{kind}.false_rejection"
        axes.barh(places, frame[f"{name}.mean"], xerr=frame[f"{name}.std"].fillna(0), color=CYCLE[0])
        axes.set(title=title, xlim=(0, 1))
        axes.grid(axis="x", color=LIGHT)
    panels[0].set_yticks(places, list(frame["others"]))
    panels[0].set_ylim(len(frame) - 0.4, -0.6)
    figure.supxlabel("share of honest nodes' messages that honest nodes refused")
    return figure


def _draw_tolerance(frame: pd.DataFrame) -> Figure:
    figure = make_figure(4.2)
    panels = figure.subplots(1, 2, sharey=True)
    bounds = sorted(frame[TOLERANCE].unique())
    least = min(bound for bound in bounds if bound) / 10  # where 0 stands on a logarithmic axis
    for axes, (name, title) in zip(panels, RATES.items(), strict=True):
        for number, (poison, rows) in enumerate(frame.groupby("poison", sort=False)):
            places = rows[TOLERANCE].clip(lower=least)
            spread = rows[f"{name}{SPREAD}"].fillna(0)
            marker = "osD^v"[number % 5]
            axes.errorbar(places, rows[name], yerr=spread, fmt=f"{marker}-", color=CYCLE[number], label=poison)
        axes.set_xscale("log")
        axes.minorticks_off()
        ticks = [least, *(bound for bound in bounds if bound)]
        axes.set_xticks(ticks, ["0", *(f"{bound:.0e}" for bound in ticks[1:])], rotation=45)
        axes.set(title=title, xlabel="tolerance, largest difference of a weight", ylim=(-0.04, 1.04))
        axes.grid(axis="y", color=LIGHT)
    _add_legend(figure, panels[0])
    return figure


RIVALS: Final = "measures.work.contested"

STUDIES: Final[Mapping[str, Study]] = {
    "a_majority": Study(_prepare_majority, _draw_majority),
    "b_colluders": Study(
        _prepare_colluders, _draw_one("colluders", "nodes", DECEIVED, "employer deceived, 3 declarations are enough")
    ),
    "c_lazy": Study(
        _prepare_lazy,
        _draw_one("lazy verifiers' share of the stake", "attackers of 20 nodes", DECEIVED, "employer deceived"),
    ),
    "cost": Study(prepare_costs, draw_costs, COST),
    "cost_processes": Study(prepare_costs, draw_costs, COST),
    "d_poisons": Study(_prepare_poisons, _draw_poisons, REFUSED),
    "e_withholding": Study(
        _prepare_withholding,
        _draw_one("withholders of 11 nodes", "withheld", "measures.blocks.seconds_each", "slots to a block", "log"),
        "measures.blocks.seconds_each",
    ),
    "f_sizes": Study(_prepare_sizes, _draw_sizes, "measures.blocks.headers_each"),
    "g_arithmetic": Study(_prepare_arithmetic, _draw_arithmetic, "measures.detection.by_kind."),
    "h_tolerance": Study(_prepare_tolerance, _draw_tolerance, "measures.detection.by_kind.declaration."),
    "work": Study(
        _prepare_rivals,
        _draw_one("delay, share of an interval", "strongest node", RIVALS, "heights with rivals"),
        RIVALS,
    ),
    "i_attackers": Study(prepare_attackers, draw_attackers, SUCCESS, ATTACK),
    "i_repairs": Study(prepare_repairs, draw_repairs, SUCCESS),
    "i_resources": Study(prepare_resources, draw_resources, SUCCESS, ATTACK),
    "majority": Study(prepare_majorities, draw_majorities, UNDONE),
    "selfish": Study(prepare_selfish, draw_selfish, SHARE),
    "double_spend": Study(prepare_double_spend, draw_double_spend, SPENT),
    "activity": Study(prepare_activity, draw_activity, BLOCKS, others=(THROUGH, COINS)),
    "bft": Study(prepare_votes, draw_votes, SPLIT, others=(WHOLE, "measures.votes.rounds_each")),
}


def publish(folder: Path, out: Path) -> None:
    """Draw a finished sweep, keep the columns that matter, and print how the closed form holds."""
    name = folder.resolve().name.rpartition("-")[0]
    study = STUDIES[name]
    table = read_sweep_table(folder)
    for warning in table.warnings:
        print(warning, file=sys.stderr)
    frame = study.prepare(table.frame.copy())
    out.mkdir(parents=True, exist_ok=True)
    with styled():
        figure = study.draw(frame)
        for kind in ("png", "svg"):
            (out / f"{name}.{kind}").write_bytes(render(figure, kind))
    figures = (study.figure, *study.others)
    kept = [column for column in frame.columns if _is_kept(column, figures, frame)]
    frame[kept].to_csv(out / f"{name}.csv", index=False)
    for group, rows in frame.groupby(study.each, sort=False) if study.each is not None else ():
        _tell_closed_form(f"{name}, {group}", rows, study.figure)
    for figure_name in figures:
        _tell_closed_form(f"{name}, {figure_name}" if study.others else name, frame, figure_name)
    print(f"{name}: {len(table.frame)} combinations, {int(table.frame['n'].sum()):,} runs; pictures in {out}")


def _tell_closed_form(name: str, frame: pd.DataFrame, figure: str) -> None:
    """Print how a figure holds against its closed form, in the cells that have one."""
    low, high, formula = (f"{figure}{end}" for end in (".low", ".high", CLOSED_FORM))
    if formula not in frame or not frame[formula].notna().any():
        return
    known = frame[frame[formula].notna()]
    if low in frame:
        inside = known[formula].between(known[low] - 1e-9, known[high] + 1e-9)
        share = f"{inside.mean():.1%}"
        print(f"{name}: the closed form lies in the 95 % interval in {inside.sum()} of {len(known)} cells, {share}")
    else:
        error = (known[f"{figure}.mean"] / known[formula] - 1).abs()
        found = f"{error.mean():.1%} on average, {error.max():.1%} at most"
        print(f"{name}: the mean differs from the closed form by {found}")


def _is_kept(column: str, figures: tuple[str, ...], frame: pd.DataFrame) -> bool:
    """Return whether a column is worth keeping: what was varied, what is drawn, and the main figures."""
    position, first = list(frame.columns).index(column), list(frame.columns).index("n")
    starts = (*figures, "measures.blocks.", "measures.detection.false", "chain.forks", DECEIVED)
    is_added = not any(part in column for part in (".", "failed"))
    return position <= first or column.startswith(starts) or is_added


def main() -> None:
    """Read the arguments and publish."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies", description=__doc__)
    parser.add_argument("sweeps", nargs="+", type=Path, help="folders of finished sweeps")
    parser.add_argument("--out", type=Path, default=DOCS, help="where pictures and tables go")
    chosen = parser.parse_args()
    for folder in chosen.sweeps:
        if folder.resolve().name.rpartition("-")[0] not in STUDIES:
            parser.error(f"{folder}: not the folder of a study; studies are {', '.join(STUDIES)}")
        try:
            publish(folder, chosen.out)
        except SweepTableError as error:
            parser.error(str(error))
        except KeyError as error:
            name = folder.resolve().name.rpartition("-")[0]
            parser.error(f"{folder}: no column {error}; give the folder that configs/studies/{name}.yaml made")
        except OSError as error:
            parser.error(f"{error.filename or chosen.out}: cannot be written: {error.strerror}")


if __name__ == "__main__":
    main()
