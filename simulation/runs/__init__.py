"""One run, from scenario to folder."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.runs.certificates import CertificateFileError, Certificates, check_certificate_file
    from simulation.runs.chain_file import (
        ChainFileError,
        StoredChain,
        UnknownMechanismError,
        read_chain,
        read_stored_chain,
    )
    from simulation.runs.chain_lines import ChainLines, Deed, find_lines
    from simulation.runs.detail import Detail
    from simulation.runs.fitting_table import Column, build_fitting_table
    from simulation.runs.folder import FolderError
    from simulation.runs.in_memory import NO_DIGEST, MemoryRun
    from simulation.runs.judged_chain import JudgedChain, judge_chain
    from simulation.runs.live_view import make_console
    from simulation.runs.mechanism_view import MechanismView
    from simulation.runs.observer import RunObserver
    from simulation.runs.opening import count_stage_samples, describe_nodes, describe_rules
    from simulation.runs.run import FINISHED, Follower, RunOutcome, run_scenario
    from simulation.runs.summary import Summary, build_summary, compute_ledger
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "certificates": "CertificateFileError Certificates check_certificate_file",
            "chain_file": "ChainFileError StoredChain UnknownMechanismError read_chain read_stored_chain",
            "chain_lines": "ChainLines Deed find_lines",
            "detail": "Detail",
            "fitting_table": "Column build_fitting_table",
            "folder": "FolderError",
            "in_memory": "MemoryRun NO_DIGEST",
            "judged_chain": "JudgedChain judge_chain",
            "live_view": "make_console",
            "mechanism_view": "MechanismView",
            "observer": "RunObserver",
            "opening": "count_stage_samples describe_nodes describe_rules",
            "run": "FINISHED Follower RunOutcome run_scenario",
            "summary": "Summary build_summary compute_ledger",
        },
    )

__all__ = [
    "FINISHED",
    "NO_DIGEST",
    "CertificateFileError",
    "Certificates",
    "ChainFileError",
    "ChainLines",
    "Column",
    "Deed",
    "Detail",
    "FolderError",
    "Follower",
    "JudgedChain",
    "MechanismView",
    "MemoryRun",
    "RunObserver",
    "RunOutcome",
    "StoredChain",
    "Summary",
    "UnknownMechanismError",
    "build_fitting_table",
    "build_summary",
    "check_certificate_file",
    "compute_ledger",
    "count_stage_samples",
    "describe_nodes",
    "describe_rules",
    "find_lines",
    "judge_chain",
    "make_console",
    "read_chain",
    "read_stored_chain",
    "run_scenario",
]
