"""What a program can ask for; the commands ask here too. `import simulation` offers what users need of it."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.api.checking import Replayed, Verified, replay, verify
    from simulation.api.comparing import compare, report
    from simulation.api.figures import Figures
    from simulation.api.following import RunInProgress, start
    from simulation.api.result import NotThereError, Run, open_run
    from simulation.api.running import CancelledError, Progress, execute, run
    from simulation.api.scenario import Scenario, load
    from simulation.api.shipped import list_mechanisms, list_scenarios, validate
    from simulation.api.stored import DamageWarning
    from simulation.api.sweeping import Sweep, SweepProgress, open_sweep, sweep
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "checking": "Replayed Verified replay verify",
            "comparing": "compare report",
            "figures": "Figures",
            "following": "RunInProgress start",
            "result": "NotThereError Run open_run",
            "running": "CancelledError Progress execute run",
            "scenario": "Scenario load",
            "shipped": "list_mechanisms list_scenarios validate",
            "stored": "DamageWarning",
            "sweeping": "Sweep SweepProgress open_sweep sweep",
        },
    )

__all__ = [
    "CancelledError",
    "DamageWarning",
    "Figures",
    "NotThereError",
    "Progress",
    "Replayed",
    "Run",
    "RunInProgress",
    "Scenario",
    "Sweep",
    "SweepProgress",
    "Verified",
    "compare",
    "execute",
    "list_mechanisms",
    "list_scenarios",
    "load",
    "open_run",
    "open_sweep",
    "replay",
    "report",
    "run",
    "start",
    "sweep",
    "validate",
    "verify",
]
