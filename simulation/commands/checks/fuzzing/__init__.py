"""A node under fire from mutated frames."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.commands.checks.fuzzing.forge import Forge
    from simulation.commands.checks.fuzzing.fuzz import build_table, describe_fault, run_seeds
    from simulation.commands.checks.fuzzing.fuzzed_network import TARGET
    from simulation.commands.checks.fuzzing.kit import FuzzKit, Way
    from simulation.commands.checks.fuzzing.mutations import is_readable
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "forge": "Forge",
            "fuzz": "build_table describe_fault run_seeds",
            "fuzzed_network": "TARGET",
            "kit": "FuzzKit Way",
            "mutations": "is_readable",
        },
    )

__all__ = ["TARGET", "Forge", "FuzzKit", "Way", "build_table", "describe_fault", "is_readable", "run_seeds"]
