"""Pictures and one page, from logs and tables alone."""

import os
from typing import TYPE_CHECKING

from simulation.foundation import open_door

if not os.environ.get("MPLBACKEND", "module://").startswith("module://"):
    del os.environ["MPLBACKEND"]  # all is drawn into files; matplotlib cannot even be loaded if this is misspelt

if TYPE_CHECKING:
    from simulation.commands.report.picture import Missing, Picture, Table
    from simulation.commands.report.run_pictures import PLUGIN_PICTURES, draw_run
    from simulation.commands.report.sources import Run, SourceError, read_source
    from simulation.commands.report.style import (
        CLEAN,
        CYCLE,
        GREY,
        LIGHT,
        POISONED,
        PURPLE,
        count_steps,
        fit,
        make_figure,
        render,
        styled,
    )
    from simulation.commands.report.sweep_picture import MAX_LINES, draw_sweep
    from simulation.commands.report.sweep_table import SweepTable, SweepTableError, find_keys, read_sweep_table
    from simulation.commands.report.tree_animation import animate_tree
    from simulation.commands.report.tree_layout import lay_out
    from simulation.commands.report.windows import Window, list_windows, read_windows
    from simulation.commands.report.writing import draw_source, write_report
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "picture": "Missing Picture Table",
            "run_pictures": "PLUGIN_PICTURES draw_run",
            "sources": "Run SourceError read_source",
            "style": "CLEAN CYCLE GREY LIGHT POISONED PURPLE count_steps fit make_figure render styled",
            "sweep_picture": "MAX_LINES draw_sweep",
            "sweep_table": "SweepTable SweepTableError find_keys read_sweep_table",
            "tree_animation": "animate_tree",
            "tree_layout": "lay_out",
            "windows": "Window list_windows read_windows",
            "writing": "draw_source write_report",
        },
    )

__all__ = [
    "CLEAN",
    "CYCLE",
    "GREY",
    "LIGHT",
    "MAX_LINES",
    "PLUGIN_PICTURES",
    "POISONED",
    "PURPLE",
    "Missing",
    "Picture",
    "Run",
    "SourceError",
    "SweepTable",
    "SweepTableError",
    "Table",
    "Window",
    "animate_tree",
    "count_steps",
    "draw_run",
    "draw_source",
    "draw_sweep",
    "find_keys",
    "fit",
    "lay_out",
    "list_windows",
    "make_figure",
    "read_source",
    "read_sweep_table",
    "read_windows",
    "render",
    "styled",
    "write_report",
]
