"""The tree of all blocks that anybody has appended: who made them, which are poisoned, whose heads they lead to."""

from itertools import count
from typing import Final

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, Patch

from simulation.commands.report.picture import Missing, Picture, Table
from simulation.commands.report.sources import Run
from simulation.commands.report.style import BLACK, CLEAN, GREEN, GREY, LIGHT, POISONED, WIDTH, fit, make_figure
from simulation.commands.report.tree_layout import GENESIS_HEIGHT, Position, lay_out

TITLE: Final = "Blocks"

COLUMN: Final = 0.68
LANE: Final = 0.62
"""Inches."""
MAX_LABELLED: Final = (30, 24)
"""With more heights or lanes than these, blocks are dots without a label."""
MAX_TICKS: Final = 30
MAX_SIZE: Final = (22.0, 16.0)
"""Inches."""

BOX: Final = (0.74, 0.46)
"""Width and height of a block, as shares of a column and a lane."""
LABEL_DIGITS: Final = 6


def draw_tree(run: Run) -> Picture | Missing:
    """Return the picture of a run's blocks."""
    tally = run.tally
    if not tally.blocks:
        return Missing(TITLE, "No party has appended a block.")
    honest_head = tally.compute_agreement()[1].head
    places = lay_out(tally, (tally.employer.head, honest_head))
    columns = max(place.height for place in places.values())
    lanes = max(place.lane for place in places.values()) + 1
    width = min(max(WIDTH, COLUMN * (columns + 1.6)), MAX_SIZE[0])
    figure = make_figure(min(LANE * (lanes + 0.5) + 1.1, MAX_SIZE[1]), width)
    axes = figure.subplots()
    is_labelled = columns <= MAX_LABELLED[0] and lanes <= MAX_LABELLED[1]
    _draw_links(axes, run, places, is_labelled=is_labelled)
    _draw_blocks(axes, run, places, is_labelled=is_labelled)
    _mark_heads(axes, run, places)
    axes.set(title="Every block that a party has appended", yticks=[])
    axes.set_xlim(-0.7, max(columns, (width - 0.9) / COLUMN - 2 if is_labelled else 0) + 0.7)
    axes.set_ylim(lanes - 0.4, -0.9)
    axes.spines["left"].set_visible(False)
    axes.set_xticks(choose_ticks(columns))
    axes.spines["bottom"].set_bounds(-0.7, columns + 0.7)  # no block is higher
    axes.set_xlabel("height", x=(columns / 2 + 0.7) / (axes.get_xlim()[1] + 0.7))
    figure.legend(handles=_explain_looks(run), loc="outside lower center", ncols=5, handlelength=1.6, columnspacing=1.2)
    note = _NOTE + (_NOTE_OF_TRAINING if _has_training(run) else "")
    return Picture("blocks", TITLE, _describe(run), note, figure, _tabulate(run))


def choose_ticks(highest: int) -> range:
    """Return the heights to mark: each, or where those are too many, every second, fifth, tenth and so on."""
    steps = (digit * 10**power for power in count() for digit in (1, 2, 5))
    return range(0, highest + 1, next(step for step in steps if highest <= step * MAX_TICKS))


_NOTE: Final = (
    "Blocks bear the first digits of their hash. Filled ones lie on a marked head's chain, hollow ones were left or "
    "never taken up."
)
_NOTE_OF_TRAINING: Final = " A block is poisoned if only trainers with altered data got its weights."


def _has_training(run: Run) -> bool:
    """Return whether blocks attest training, so that one can be poisoned."""
    return any(map(run.tally.is_trained, run.tally.blocks))


def _find_chains(run: Run) -> tuple[set[str], set[str]]:
    """Return the blocks of the employer's chain, and of the head that most honest nodes have."""
    tally = run.tally
    return set(tally.get_chain(tally.employer.head)), set(tally.get_chain(tally.compute_agreement()[1].head))


def _draw_links(axes: Axes, run: Run, places: dict[str, Position], *, is_labelled: bool) -> None:
    employers, honest = _find_chains(run)
    half = BOX[0] / 2 if is_labelled else 0
    for block, place in places.items():
        parent = run.tally.blocks[block].parent
        start: tuple[float, float] = places.get(parent, Position(GENESIS_HEIGHT, 0))
        is_unknown = parent not in places and place.height > GENESIS_HEIGHT + 1
        if is_unknown:
            start = (place.height - 0.8, place.lane)
        ends = [start[0] + half, place.height - half], [start[1], place.lane]
        if is_unknown:
            axes.plot(*ends, ":", color=GREY, linewidth=1.2, zorder=1)
            continue
        if block in honest:
            axes.plot(*ends, "-", color=GREEN, linewidth=7, alpha=0.45, solid_capstyle="butt", zorder=1)
        is_employers = block in employers
        axes.plot(*ends, "-", color=BLACK if is_employers else GREY, linewidth=2 if is_employers else 1, zorder=2)


def _draw_blocks(axes: Axes, run: Run, places: dict[str, Position], *, is_labelled: bool) -> None:
    marked = set.union(*_find_chains(run))
    if not is_labelled:
        for block, place in places.items():
            is_poisoned = run.tally.is_poisoned(block)
            colour = POISONED if is_poisoned else CLEAN
            face = colour if block in marked else "white"
            axes.plot(*place, "s" if is_poisoned else "o", color=colour, markerfacecolor=face, zorder=3)
        axes.plot(GENESIS_HEIGHT, 0, "D", color=BLACK, zorder=3)
        return
    _draw_box(axes, Position(GENESIS_HEIGHT, 0), "genesis", face=LIGHT, edge=BLACK, ink=BLACK, is_round=True)
    for block, place in places.items():
        is_poisoned = run.tally.is_poisoned(block)
        colour = POISONED if is_poisoned else CLEAN
        # Black on vermilion and white on blue are the readable ones.
        ink = (BLACK if is_poisoned else "white") if block in marked else BLACK
        label = fit(block.removeprefix("0x")[:LABEL_DIGITS])
        face = colour if block in marked else "white"
        _draw_box(axes, place, label, face=face, edge=colour, ink=ink, is_round=not is_poisoned)


def _draw_box(axes: Axes, place: Position, label: str, *, face: str, edge: str, ink: str, is_round: bool) -> None:
    width, height = BOX
    style = "round,pad=0,rounding_size=0.14" if is_round else "square,pad=0"
    corner = place.height - width / 2, place.lane - height / 2
    axes.add_patch(
        FancyBboxPatch(corner, width, height, boxstyle=style, facecolor=face, edgecolor=edge, linewidth=1.6, zorder=3)
    )
    axes.text(*place, label, ha="center", va="center", fontsize=7.5, color=ink, zorder=4)


def _mark_heads(axes: Axes, run: Run, places: dict[str, Position]) -> None:
    """Write above a block whose head it is; a head that is no block is the genesis."""
    heads: dict[Position, list[str]] = {}
    genesis = Position(GENESIS_HEIGHT, 0)
    heads.setdefault(places.get(run.tally.employer.head, genesis), []).append("employer")
    if run.tally.get_honest(alive=True):
        heads.setdefault(places.get(run.tally.compute_agreement()[1].head, genesis), []).append("honest")
    for place, names in heads.items():
        label = "\n".join([*names, "\N{BLACK DOWN-POINTING TRIANGLE}"])
        axes.text(
            place.height, place.lane - BOX[1] / 2 - 0.04, label, ha="center", va="bottom", fontsize=7.5, linespacing=1.0
        )


def _explain_looks(run: Run) -> list[Patch | Line2D]:
    whole = Line2D([], [], marker="o", markersize=9, linestyle="", color=CLEAN, label="taken")
    if _has_training(run):
        whole.set_label("clean (round)")
    poisoned = Line2D([], [], marker="s", markersize=9, linestyle="", color=POISONED, label="poisoned (square)")
    return [
        whole,
        *([poisoned] if _has_training(run) else []),
        Line2D([], [], marker="o", markersize=9, linestyle="", markerfacecolor="white", color=CLEAN, label="not taken"),
        Line2D([], [], color=BLACK, linewidth=2, label="employer's chain"),
        Line2D([], [], color=GREEN, linewidth=7, alpha=0.45, label="chain of most honest nodes"),
    ]


def _describe(run: Run) -> str:
    tally = run.tally
    poisoned = sum(map(tally.is_poisoned, tally.blocks))
    best = tally.compute_agreement()[1]
    is_same = tally.employer.head == best.head
    known = f", {poisoned} of them poisoned" if _has_training(run) else ""
    return (
        f"A tree of {len(tally.blocks)} blocks{known}. The employer's head is at height "
        f"{tally.employer.height}, that of most honest nodes at height {best.height}"
        f"{', which is the same block' if is_same and best.height else ''}. "
        f"{tally.count_forks()} blocks of honest nodes are not on their head's chain."
    )


def _tabulate(run: Run) -> Table:
    tally, has_training = run.tally, _has_training(run)
    employers, honest = _find_chains(run)
    rows = [
        (
            str(facts.height),
            block,
            facts.parent if facts.parent in tally.blocks else f"{facts.parent} (genesis)" if facts.height == 1 else "?",
            *(["poisoned" if tally.is_poisoned(block) else "clean"] if has_training else []),
            facts.part.describe_makers() or "not told",
            "yes" if block in employers else "no",
            "yes" if block in honest else "no",
        )
        for block, facts in sorted(tally.blocks.items(), key=lambda item: (item[1].height, item[0]))
    ]
    work = ["work"] if has_training else []
    head = ("height", "block", "parent", *work, "made", "employer's chain", "honest chain")
    return Table(head, tuple(rows))
