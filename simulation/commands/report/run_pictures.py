"""The pictures that a run leaves in its own folder: two of those that a report has."""

from pathlib import Path
from typing import Final

from simulation.commands.report.picture import Picture
from simulation.commands.report.sources import read_run
from simulation.commands.report.style import render, styled
from simulation.commands.report.training_picture import draw_training
from simulation.commands.report.tree_picture import draw_tree

TRAINING_PICTURE: Final = "training.png"
CHAIN_PICTURE: Final = "chain.png"


def draw_run(folder: Path) -> tuple[Path, ...]:
    """Draw a run's pictures into its folder; return their paths. What there is nothing of is not drawn."""
    run, written = read_run(folder), []
    with styled():
        drawn = {TRAINING_PICTURE: draw_training(run), CHAIN_PICTURE: draw_tree(run)}
    for name, picture in drawn.items():
        if isinstance(picture, Picture):
            (folder / name).write_bytes(render(picture.figure, "png"))
            written.append(folder / name)
    return tuple(written)
