"""How the tree of blocks grew, as an animation: each block appears when the first party has stored it."""

import tempfile
from pathlib import Path
from typing import Final

from matplotlib.animation import PillowWriter
from matplotlib.axes import Axes

from simulation.commands.report.sources import Run
from simulation.commands.report.style import BLACK, CLEAN, GREY, ORANGE, POISONED, SILVER, make_figure, styled
from simulation.commands.report.tree_layout import GENESIS_HEIGHT, Position, lay_out
from simulation.commands.report.tree_picture import choose_ticks

FRAMES: Final = 40
"""Pictures from the genesis to the end, as far from each other in the run's time."""
HELD: Final = 10
"""Times that the last one is shown."""
FPS: Final = 6
DPI: Final = 80

COLUMN: Final = 0.4
LANE: Final = 0.4
"""Inches."""
SIZE: Final = (7.0, 12.0)
"""Inches across, at least and at most."""
MAX_HEIGHT: Final = 7.0


def animate_tree(run: Run, *, frames: int = FRAMES) -> bytes | None:
    """Return the growth of a run's tree as the bytes of a GIF; None where no party has stored a block."""
    tally, since = run.tally, run.series.first_appended
    if not tally.blocks:
        return None
    places = lay_out(tally, (tally.employer.head, tally.compute_agreement()[1].head))
    order = sorted(places, key=lambda block: (since.get(block, 0.0), places[block]))
    end = max(tally.last_time, *since.values()) if since else 0.0
    with styled():
        highest = max(place.height for place in places.values())
        lanes = max(place.lane for place in places.values()) + 1
        width = min(max(SIZE[0], COLUMN * (highest + 2)), SIZE[1])
        figure = make_figure(min(LANE * (lanes + 1) + 1.2, MAX_HEIGHT), width)
        axes = figure.subplots()
        _prepare(axes, highest, lanes)
        writer = PillowWriter(fps=FPS)
        with tempfile.TemporaryDirectory(prefix="pot-sim-") as folder:
            path, drawn = Path(folder) / "tree.gif", 0
            with writer.saving(figure, str(path), dpi=DPI):
                for number in range(frames + 1):
                    now = end * number / frames
                    while drawn < len(order) and since.get(order[drawn], 0.0) <= now:
                        _draw_block(axes, run, places, order[drawn])
                        drawn += 1
                    _tell(axes, run, now, order[:drawn])
                    for _ in range(HELD if number == frames else 1):
                        writer.grab_frame()
            return path.read_bytes()


def _prepare(axes: Axes, highest: int, lanes: int) -> None:
    axes.set(yticks=[], xlabel="height", xlim=(-0.7, highest + 0.7), ylim=(lanes - 0.4, -0.6))
    axes.set_xticks(choose_ticks(highest))
    axes.spines["left"].set_visible(False)
    axes.plot(GENESIS_HEIGHT, 0, "D", color=BLACK, zorder=3)


def _draw_block(axes: Axes, run: Run, places: dict[str, Position], block: str) -> None:
    place, parent = places[block], run.tally.blocks[block].parent
    start = places.get(parent, Position(GENESIS_HEIGHT, 0))
    axes.plot((start.height, place.height), (start.lane, place.lane), "-", color=SILVER, linewidth=1.5, zorder=1)
    is_poisoned = run.tally.is_poisoned(block)
    colour = POISONED if is_poisoned else CLEAN
    axes.plot(place.height, place.lane, "s" if is_poisoned else "o", color=colour, markersize=8, zorder=3)


def _tell(axes: Axes, run: Run, now: float, there: list[str]) -> None:
    """Write the time above, and colour what is behind the tree while parties cannot reach each other."""
    cut = next((window.what for window in run.windows if window.start_s <= now < window.heal_s), None)
    clock = "simulated s" if run.is_simulated else "s"
    highest = max((run.tally.blocks[block].height for block in there), default=0)
    told = f"{now:,.1f} {clock}: {len(there)} blocks, the highest at {highest}"
    axes.set_title(told + (f"  ({cut})" if cut else ""), color=BLACK if cut else GREY)
    axes.set_facecolor((ORANGE, 0.2) if cut else "white")
