"""Networks that agree on blocks, by training and otherwise, simulated: `import simulation as pot`; see docs/api.md."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.api import (
        CancelledError,
        DamageWarning,
        Figures,
        NotThereError,
        Progress,
        Replayed,
        Run,
        RunInProgress,
        Scenario,
        Sweep,
        SweepProgress,
        Verified,
        compare,
        list_mechanisms,
        list_scenarios,
        load,
        open_run,
        open_sweep,
        replay,
        report,
        run,
        start,
        sweep,
        validate,
        verify,
    )
    from simulation.foundation import SimulationError
    from simulation.scenario import ScenarioError
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "api": (
                "CancelledError DamageWarning Figures NotThereError Progress Replayed Run RunInProgress Scenario Sweep "
                "SweepProgress Verified compare list_mechanisms list_scenarios load open_run open_sweep replay "
                "report run start sweep validate verify"
            ),
            "foundation": "SimulationError",
            "scenario": "ScenarioError",
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
    "ScenarioError",
    "SimulationError",
    "Sweep",
    "SweepProgress",
    "Verified",
    "compare",
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
