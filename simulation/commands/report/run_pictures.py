"""The pictures of a run: those that a report has, and those that the run leaves in its own folder."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from simulation.commands.report.picture import Missing, Picture
from simulation.commands.report.population_pictures import draw_coins, draw_refusals
from simulation.commands.report.sources import Run, read_run
from simulation.commands.report.style import render, styled
from simulation.commands.report.timeline_picture import draw_timeline
from simulation.commands.report.tree_picture import draw_tree
from simulation.foundation import PluginTable, find_part
from simulation.records import write_in_one_step

CHAIN_PICTURE: Final = "chain.png"

Draw = Callable[[Run], Picture | Missing]

RUN_PICTURES: Final[tuple[Draw, ...]] = (draw_tree, draw_refusals, draw_timeline, draw_coins)
"""What a report shows of every run, after the pictures of its mechanism."""


PLUGIN_PICTURES: Final[PluginTable[Draw]] = PluginTable(
    "picture", ("chain", "training", "refusals", "timeline", "coins", "tree").__contains__
)
"""Pictures of plug-ins, for a run's folder and a report."""


def draw_pictures(run: Run) -> list[Picture | Missing]:
    """Return the pictures of a report on one run."""
    return [draw(run) for draw in (*_find_own(run), *RUN_PICTURES, *_find_plugins())]


def draw_run(folder: Path) -> tuple[Path, ...]:
    """Draw a run's pictures into its folder; return their paths. What there is nothing of is not drawn."""
    run, written = read_run(folder), []
    with styled():
        drawn = [(None, draw(run)) for draw in (*_find_own(run), *_find_plugins())] + [(CHAIN_PICTURE, draw_tree(run))]
    for name, picture in drawn:
        if isinstance(picture, Picture):
            path = folder / (name or f"{picture.name}.png")
            content = render(picture.figure, "png")
            write_in_one_step(path, partial(_write, content))
            written.append(path)
    return tuple(written)


def _write(content: bytes, path: Path) -> None:
    path.write_bytes(content)


def _find_own(run: Run) -> tuple[Draw, ...]:
    """Return the pictures that the run's mechanism has."""
    return find_part(run.mechanism, "pictures") or ()


def _find_plugins() -> list[Draw]:
    """Return the pictures of plug-ins in force."""
    found = (PLUGIN_PICTURES.find(name) for name in PLUGIN_PICTURES.list_names())
    return [draw for draw in found if draw is not None]
