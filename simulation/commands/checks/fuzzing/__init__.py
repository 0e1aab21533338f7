"""A node under fire from mutated frames."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.commands.checks.fuzzing.fuzz import build_table, describe_fault, run_seeds
else:
    __getattr__, __dir__ = open_door(__name__, {"fuzz": "build_table describe_fault run_seeds"})

__all__ = ["build_table", "describe_fault", "run_seeds"]
