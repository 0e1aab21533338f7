"""Training loss of every result and test accuracy of every block the employer measured, stage by stage."""

from collections import defaultdict
from typing import Final

from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from simulation.commands.report import (
    CLEAN,
    GREY,
    POISONED,
    PURPLE,
    Missing,
    Picture,
    Run,
    Table,
    count_steps,
    fit,
    make_figure,
)

TITLE: Final = "Training"
LEGEND_COLUMNS: Final = 3

_LOOKS: Final = {"clean": (CLEAN, "o", "agreed data"), "poisoned": (POISONED, "s", "altered data")}


def compute_losses(run: Run) -> dict[str, dict[int, list[float]]]:
    """Return mean losses by data and stage, each training result once however many nodes got it."""
    losses: defaultdict[str, defaultdict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for (data, stage, _), loss in sorted(run.series.losses.items()):
        losses[data][stage + 1].append(loss)
    return {data: dict(stages) for data, stages in losses.items()}


def compute_accuracies(run: Run, *, of_trigger: bool = False) -> dict[str, tuple[int, float]]:
    """Return height and accuracy, or success of the trigger, of each block the employer has measured."""
    tally = run.tally
    found = {
        block: (tally.blocks[block].height, measured.trigger_success if of_trigger else measured.accuracy)
        for block, measured in tally.training.evaluations.items()
        if block in tally.blocks
    }
    return dict(sorted(found.items(), key=lambda item: (item[1][0], item[0])))


def _find_chance(run: Run) -> float:
    """Return how often a guess is right; a trigger that succeeds no more often is none."""
    measured = next(iter(run.tally.training.evaluations.values()))
    return 1 / max(1, len(measured.list_recalls()))


def draw_training(run: Run) -> Picture | Missing:
    """Return the picture of a run's training."""
    losses, accuracies = compute_losses(run), compute_accuracies(run)
    if not losses and not accuracies:
        return Missing(TITLE, "The log holds neither losses nor measurements of the model.")
    figure = make_figure(4.0)
    panels = figure.subplots(1, 2) if losses and accuracies else [figure.subplots()] * 2
    if losses:
        _draw_losses(panels[0], losses)
    if accuracies:
        _draw_accuracies(panels[1], run, accuracies)
    return Picture(
        "training", TITLE, _describe(run, losses, accuracies), _explain(losses, accuracies), figure, _tabulate(run)
    )


def _draw_losses(axes: Axes, losses: dict[str, dict[int, list[float]]]) -> None:
    for data, stages in losses.items():
        colour, marker, name = _LOOKS.get(data, (GREY, "D", data))
        means = {stage: sum(values) / len(values) for stage, values in sorted(stages.items())}
        axes.plot(list(means), list(means.values()), "-", color=colour, zorder=1)
        points = [(stage, value) for stage, values in stages.items() for value in values]
        axes.plot(*zip(*points, strict=True), marker, color=colour, label=fit(f"on the {name}"), zorder=2)
    axes.set(title="Training loss of each result", xlabel="stage", ylabel="mean loss over the stage")
    axes.set_ylim(0, axes.get_ylim()[1] * 1.05)  # losses that hardly differ would lie on the frame
    axes.grid(axis="y")
    count_steps(axes)
    _add_legend(axes)


def _draw_accuracies(axes: Axes, run: Run, accuracies: dict[str, tuple[int, float]]) -> None:
    tally = run.tally
    chain = set(tally.get_chain(tally.employer.head))
    for block, (height, value) in accuracies.items():
        kind = "poisoned" if tally.is_poisoned(block) else "clean"
        colour, marker, _ = _LOOKS[kind]
        before = accuracies.get(tally.blocks[block].parent)
        if before is not None:
            axes.plot([before[0], height], [before[1], value], "-", color=colour, zorder=1)
        face = colour if block in chain else "white"
        axes.plot([height], [value], marker, color=colour, markerfacecolor=face, zorder=2)
    for kind in sorted({"poisoned" if tally.is_poisoned(block) else "clean" for block in accuracies}):
        colour, marker, _ = _LOOKS[kind]
        axes.plot([], [], f"{marker}-", color=colour, label=f"{kind} blocks")
    triggers = compute_accuracies(run, of_trigger=True)
    if max(value for _, value in triggers.values()) > _find_chance(run):
        points = [triggers[block] for block in triggers if block in chain]
        axes.plot(*zip(*points, strict=True), "^--", color=PURPLE, label="trigger succeeds")
    last = accuracies.get(tally.employer.head)
    if last is not None:
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.8}
        text = f"{last[1]:.1%}"
        axes.annotate(text, last, xytext=(0, 8), textcoords="offset points", ha="center", fontsize=9, bbox=box)
    axes.set(title="Test accuracy, as the employer measures it", xlabel="stage (height of the block)", ylim=(0, 1.06))
    axes.set_ylabel("share of test images")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.grid(axis="y")
    count_steps(axes)
    _add_legend(axes)


def _add_legend(axes: Axes) -> None:
    """Put the legend below, where it covers nothing."""
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=LEGEND_COLUMNS, columnspacing=1.2)


def _describe(run: Run, losses: dict[str, dict[int, list[float]]], accuracies: dict[str, tuple[int, float]]) -> str:
    parts = []
    for data, stages in losses.items():
        first, last = min(stages), max(stages)
        name = _LOOKS.get(data, (GREY, "D", data))[2]
        parts.append(
            f"Mean training loss on the {name} goes from {_mean(stages[first]):.3f} in stage {first} "
            f"to {_mean(stages[last]):.3f} in stage {last}."
        )
    last_measured = accuracies.get(run.tally.employer.head)
    if last_measured is not None:
        parts.append(f"Test accuracy at the employer's head, height {last_measured[0]}, is {last_measured[1]:.2%}.")
    return " ".join(parts) or "Test accuracy of blocks that the employer has measured and left again."


def _explain(losses: dict[str, dict[int, list[float]]], accuracies: dict[str, tuple[int, float]]) -> str:
    parts = []
    if losses:
        parts.append("Nodes that get the same weights share one point; the line joins the means.")
    else:
        parts.append("Losses are left out: the log holds none.")
    if accuracies:
        parts.append("Hollow points are blocks that the employer followed and left. It measures only those it follows.")
    else:
        parts.append("Accuracy is left out: the employer measured no block.")
    return " ".join(parts)


def _tabulate(run: Run) -> Table:
    losses, accuracies = compute_losses(run), compute_accuracies(run)
    rows = [
        (str(stage), f"loss on the {_LOOKS.get(data, (GREY, 'D', data))[2]}", "-", f"{value:.6g}")
        for data, stages in losses.items()
        for stage, values in sorted(stages.items())
        for value in values
    ]
    for block, (height, value) in accuracies.items():
        kind = "poisoned" if run.tally.is_poisoned(block) else "clean"
        rows.append((str(height), f"test accuracy, {kind} block", block, f"{value:.2%}"))
    return Table(("stage", "what", "block", "value"), tuple(rows))


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


PICTURES: Final = (draw_training,)
"""What a run folder and a report show of training."""
