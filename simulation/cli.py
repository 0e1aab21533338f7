"""Commands, their messages and their exit codes."""

import sys
from pathlib import Path

from rich.console import Console

from simulation.interruption import Interruption
from simulation.run import run_scenario
from simulation.scenario import find_scenario, load_scenario


def main() -> int:
    with Interruption() as i:
        s = load_scenario(find_scenario(sys.argv[1] if len(sys.argv) > 1 else "default"), tuple(sys.argv[2:]))
        return run_scenario(
            s, Path("runs"), console=Console(), log_beside=Path("pot_sim.log"), interruption=i
        ).exit_code
