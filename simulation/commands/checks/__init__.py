"""Commands that doubt: stored runs, random scenarios, hostile frames."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.commands.checks.mechanism_choice import check_mechanism, draw_mechanism
    from simulation.commands.checks.replay import JournalError, replay_run
    from simulation.commands.checks.seed_pool import run_shares
    from simulation.commands.checks.soak import describe_failure, run_seeds
    from simulation.commands.checks.soak_draws import SLOTS_MS, SoakDraws, draw_length
    from simulation.commands.checks.verification import Learn, StoredRun, Verification
    from simulation.commands.checks.verify import RunFolderError, read_summary, verify_run
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "mechanism_choice": "check_mechanism draw_mechanism",
            "replay": "JournalError replay_run",
            "seed_pool": "run_shares",
            "soak": "describe_failure run_seeds",
            "soak_draws": "SLOTS_MS SoakDraws draw_length",
            "verification": "Learn StoredRun Verification",
            "verify": "RunFolderError read_summary verify_run",
        },
    )

__all__ = [
    "SLOTS_MS",
    "JournalError",
    "Learn",
    "RunFolderError",
    "SoakDraws",
    "StoredRun",
    "Verification",
    "check_mechanism",
    "describe_failure",
    "draw_length",
    "draw_mechanism",
    "read_summary",
    "replay_run",
    "run_seeds",
    "run_shares",
    "verify_run",
]
