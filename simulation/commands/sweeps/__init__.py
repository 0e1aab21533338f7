"""A scenario for every combination of values."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.commands.sweeps.command import Options, run_sweep
    from simulation.commands.sweeps.digests import is_changed, read_digests
    from simulation.commands.sweeps.errors import SweepError
else:
    __getattr__, __dir__ = open_door(
        __name__, {"command": "Options run_sweep", "digests": "is_changed read_digests", "errors": "SweepError"}
    )

__all__ = ["Options", "SweepError", "is_changed", "read_digests", "run_sweep"]
