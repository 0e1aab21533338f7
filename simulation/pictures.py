"""Pictures of a run, drawn from its log alone."""

from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from simulation.compare import RunLog, read_log
from simulation.records import Record
from simulation.tally import Tally

TRAINING_PICTURE: Final = "training.png"
CHAIN_PICTURE: Final = "chain.png"

HONEST: Final = "#2a6f97"
POISONED: Final = "#c1121f"
GREY: Final = "#8d99ae"

_STYLE: Final[dict[Any, Any]] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "savefig.dpi": 150,
}


def draw_run(folder: Path) -> tuple[Path, ...]:
    """Draw a run's pictures into its folder; return their paths."""
    trainings: list[Record] = []
    log = read_log(folder, watch=lambda record: trainings.append(record) if record.event == "trained" else None)
    with mpl.rc_context(_STYLE):
        return _draw_training(folder, log, trainings), _draw_chain(folder, log)


def _draw_training(folder: Path, log: RunLog, trainings: list[Record]) -> Path:
    """Loss of every node by stage, and the test accuracy of the blocks the employer followed."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    losses, accuracy = figure.subplots(1, 2)
    by_node: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    for record in trainings:
        by_node[record.who].append((int(str(record.fields["stage"])) + 1, float(str(record.fields["loss"]))))
    roles: dict[str, str] = {}
    for label, points in sorted(by_node.items()):
        node = log.tally.nodes[label]
        kind = "on altered data" if node.role == "data_injection" else "on the agreed data"
        colour = POISONED if node.role == "data_injection" else HONEST
        name = None if kind in roles else kind
        roles[kind] = colour
        losses.plot(*zip(*points, strict=True), "o-", color=colour, alpha=0.6, label=name)
    losses.set(title="Mean training loss, each node", xlabel="height", ylim=(0, None))
    losses.xaxis.set_major_locator(MaxNLocator(integer=True))
    losses.legend(frameon=False)
    _draw_accuracy(accuracy, log.tally)
    return _save(figure, folder / TRAINING_PICTURE)


def _draw_accuracy(axes: Axes, tally: Tally) -> None:
    chain = [block for block in reversed(tally.get_chain(tally.employer.head)) if block in tally.evaluations]
    heights = [tally.blocks[block].height for block in chain]
    values = [float(str(tally.evaluations[block].fields["accuracy"])) for block in chain]
    colours = [POISONED if tally.is_poisoned(block) else HONEST for block in chain]
    axes.bar(heights, values, color=colours)
    for height, value in zip(heights, values, strict=True):
        axes.annotate(f"{value:.1%}", (height, value), ha="center", va="bottom", fontsize=8)
    axes.set(title="Test accuracy, employer's chain", xlabel="height", ylim=(0, 1.05))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _draw_chain(folder: Path, log: RunLog) -> Path:
    """Draw every block that was appended anywhere, a lane for each branch at a height."""
    tally = log.tally
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    axes = figure.subplots()
    by_height: defaultdict[int, list[str]] = defaultdict(list)
    main = set(tally.get_chain(tally.employer.head)) | set(tally.get_chain(tally.compute_agreement()[1].head))
    for block in sorted(tally.blocks, key=lambda item: (item not in main, tally.is_poisoned(item), item)):
        by_height[tally.blocks[block].height].append(block)
    places = {block: (height, -lane) for height, blocks in by_height.items() for lane, block in enumerate(blocks)}
    for block, (x, y) in places.items():
        start = places.get(tally.blocks[block].parent, (0, 0))
        axes.plot([start[0], x], [start[1], y], "-", color=GREY, zorder=1)
        colour = POISONED if tally.is_poisoned(block) else HONEST
        axes.scatter([x], [y], s=170, color=colour if block in main else "white", edgecolors=colour, zorder=2)
    axes.scatter([0], [0], s=170, marker="s", color=GREY, zorder=2)
    axes.set(title="Blocks: filled on a head, blue clean, red poisoned", xlabel="height", yticks=[])
    axes.set_ylim(-max((len(blocks) for blocks in by_height.values()), default=1) + 0.4, 0.6)
    axes.set_xlim(-0.3, int(str(tally.run["stages"])) + 0.3)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines["left"].set_visible(False)
    return _save(figure, folder / CHAIN_PICTURE)


def _save(figure: Figure, path: Path) -> Path:
    figure.savefig(path)
    return path
