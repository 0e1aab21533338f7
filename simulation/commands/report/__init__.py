"""Pictures and one page, from logs and tables alone."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.commands.report.run_pictures import draw_run
    from simulation.commands.report.sources import SourceError, read_source
    from simulation.commands.report.style import CYCLE, GREY, LIGHT, count_steps, make_figure, render, styled
    from simulation.commands.report.sweep_picture import draw_sweep
    from simulation.commands.report.sweep_table import SweepTableError, read_sweep_table
    from simulation.commands.report.writing import write_report
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "run_pictures": "draw_run",
            "sources": "SourceError read_source",
            "style": "CYCLE GREY LIGHT count_steps make_figure render styled",
            "sweep_picture": "draw_sweep",
            "sweep_table": "SweepTableError read_sweep_table",
            "writing": "write_report",
        },
    )

__all__ = [
    "CYCLE",
    "GREY",
    "LIGHT",
    "SourceError",
    "SweepTableError",
    "count_steps",
    "draw_run",
    "draw_sweep",
    "make_figure",
    "read_source",
    "read_sweep_table",
    "render",
    "styled",
    "write_report",
]
