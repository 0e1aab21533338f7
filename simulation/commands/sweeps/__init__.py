"""A scenario for every combination of values."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.commands.sweeps.command import Options, check_sweep, go_on, run_sweep
    from simulation.commands.sweeps.digests import is_changed, read_digests
    from simulation.commands.sweeps.errors import SweepError
    from simulation.commands.sweeps.statistics import compute_wilson
    from simulation.commands.sweeps.sweep_file import (
        Base,
        Sweep,
        build_sweep,
        find_sweep,
        is_sweep,
        list_shipped_sweeps,
        load_sweep,
    )
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "command": "Options check_sweep go_on run_sweep",
            "digests": "is_changed read_digests",
            "errors": "SweepError",
            "statistics": "compute_wilson",
            "sweep_file": "Base Sweep build_sweep find_sweep is_sweep list_shipped_sweeps load_sweep",
        },
    )

__all__ = [
    "Base",
    "Options",
    "Sweep",
    "SweepError",
    "build_sweep",
    "check_sweep",
    "compute_wilson",
    "find_sweep",
    "go_on",
    "is_changed",
    "is_sweep",
    "list_shipped_sweeps",
    "load_sweep",
    "read_digests",
    "run_sweep",
]
