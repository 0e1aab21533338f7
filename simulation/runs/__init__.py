"""One run, from scenario to folder."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.runs.chain_file import ChainFileError, read_chain
    from simulation.runs.chain_lines import ChainLines
    from simulation.runs.detail import Detail
    from simulation.runs.folder import FolderError
    from simulation.runs.in_memory import NO_DIGEST, MemoryRun
    from simulation.runs.live_view import make_console
    from simulation.runs.run import FINISHED, run_scenario
    from simulation.runs.summary import Summary, build_summary, compute_ledger, describe_tally
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "chain_file": "ChainFileError read_chain",
            "chain_lines": "ChainLines",
            "detail": "Detail",
            "folder": "FolderError",
            "in_memory": "MemoryRun NO_DIGEST",
            "live_view": "make_console",
            "run": "FINISHED run_scenario",
            "summary": "Summary build_summary compute_ledger describe_tally",
        },
    )

__all__ = [
    "FINISHED",
    "NO_DIGEST",
    "ChainFileError",
    "ChainLines",
    "Detail",
    "FolderError",
    "MemoryRun",
    "Summary",
    "build_summary",
    "compute_ledger",
    "describe_tally",
    "make_console",
    "read_chain",
    "run_scenario",
]
