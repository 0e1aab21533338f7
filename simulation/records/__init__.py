"""What happened: facts as records, written, read back and counted."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.records.activity_facts import ClosedBlock, TemplateMade
    from simulation.records.bft_facts import Contradicted, Decided, Proposed, RoundBegun, VotedBlock
    from simulation.records.fact import Fact, list_facts
    from simulation.records.facts import (
        Broken,
        CameUp,
        Cost,
        Crashed,
        Dated,
        Dropped,
        Ended,
        Fallback,
        FinalTwice,
        GenesisMade,
        LinkClosed,
        NodeDescribed,
        Opening,
        PartyEnded,
        PartyStarted,
        Spent,
        Stalled,
        Unlinked,
        WentDown,
    )
    from simulation.records.lines import RecordError, parse_json, parse_line
    from simulation.records.message_facts import (
        Accepted,
        AcceptedCount,
        Appended,
        BlockPart,
        Counted,
        CountedPart,
        Ignored,
        IgnoredCount,
        Moved,
        Rejected,
        RejectedCount,
        Relayed,
        Sent,
        SentCount,
        SpentCount,
        UsedTwice,
        Waiting,
    )
    from simulation.records.reading import LogError, RunLog, read_log
    from simulation.records.record import Record, Sink, short_hash
    from simulation.records.reporting import Reporter, find_reporter
    from simulation.records.run_files import (
        AGGREGATE_STEM,
        CELLS_NAME,
        CERTIFICATE_NAME,
        CHAIN_NAME,
        DIGESTS_NAME,
        EVENTS_NAME,
        JOURNAL_FOLDER,
        LOG_NAME,
        MODEL_NAME,
        RESULTS_STEM,
        SCENARIO_NAME,
        SUMMARY_NAME,
        SWEEP_NAME,
        WEIGHTS_FOLDER,
        compute_file_digest,
        write_in_one_step,
        write_text_in_one_step,
    )
    from simulation.records.stake_facts import LedBlock
    from simulation.records.tally import BlockTally, PartyTally, Tally, find_blamed
    from simulation.records.training_facts import (
        Compared,
        ComparedCount,
        Diverged,
        Evaluated,
        PhaseEntered,
        RightWon,
        SecretFound,
        Trained,
        TrainedCount,
        TrainingBegun,
        TrainingBlock,
        Unevaluated,
        Unpoisoned,
        Unsaved,
    )
    from simulation.records.work_facts import DoubleSpend, Hashed, HashedCount, MinedBlock
    from simulation.records.writing import OF_THIS_EXECUTION, RecordWriter
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "bft_facts": "Contradicted Decided Proposed RoundBegun VotedBlock",
            "activity_facts": "ClosedBlock TemplateMade",
            "fact": "Fact list_facts",
            "facts": (
                "Broken CameUp Cost Crashed Dated Dropped Ended Fallback FinalTwice GenesisMade LinkClosed "
                "NodeDescribed Opening PartyEnded PartyStarted Spent Stalled Unlinked WentDown"
            ),
            "lines": "RecordError parse_json parse_line",
            "message_facts": (
                "Accepted AcceptedCount Appended BlockPart Counted CountedPart Ignored IgnoredCount Moved Rejected "
                "RejectedCount Relayed Sent SentCount SpentCount UsedTwice "
                "Waiting"
            ),
            "reading": "LogError RunLog read_log",
            "record": "Record Sink short_hash",
            "reporting": "Reporter find_reporter",
            "run_files": (
                "AGGREGATE_STEM CELLS_NAME CERTIFICATE_NAME CHAIN_NAME DIGESTS_NAME EVENTS_NAME JOURNAL_FOLDER "
                "LOG_NAME MODEL_NAME RESULTS_STEM SCENARIO_NAME SUMMARY_NAME SWEEP_NAME WEIGHTS_FOLDER "
                "compute_file_digest write_in_one_step write_text_in_one_step"
            ),
            "stake_facts": "LedBlock",
            "tally": "BlockTally PartyTally Tally find_blamed",
            "training_facts": (
                "Compared ComparedCount Diverged Evaluated PhaseEntered RightWon SecretFound Trained TrainedCount "
                "TrainingBegun TrainingBlock Unevaluated Unpoisoned Unsaved"
            ),
            "work_facts": "DoubleSpend Hashed HashedCount MinedBlock",
            "writing": "OF_THIS_EXECUTION RecordWriter",
        },
    )

__all__ = [
    "AGGREGATE_STEM",
    "CELLS_NAME",
    "CERTIFICATE_NAME",
    "CHAIN_NAME",
    "DIGESTS_NAME",
    "EVENTS_NAME",
    "JOURNAL_FOLDER",
    "LOG_NAME",
    "MODEL_NAME",
    "OF_THIS_EXECUTION",
    "RESULTS_STEM",
    "SCENARIO_NAME",
    "SUMMARY_NAME",
    "SWEEP_NAME",
    "WEIGHTS_FOLDER",
    "Accepted",
    "AcceptedCount",
    "Appended",
    "BlockPart",
    "BlockTally",
    "Broken",
    "CameUp",
    "ClosedBlock",
    "Compared",
    "ComparedCount",
    "Contradicted",
    "Cost",
    "Counted",
    "CountedPart",
    "Crashed",
    "Dated",
    "Decided",
    "Diverged",
    "DoubleSpend",
    "Dropped",
    "Ended",
    "Evaluated",
    "Fact",
    "Fallback",
    "FinalTwice",
    "GenesisMade",
    "Hashed",
    "HashedCount",
    "Ignored",
    "IgnoredCount",
    "LedBlock",
    "LinkClosed",
    "LogError",
    "MinedBlock",
    "Moved",
    "NodeDescribed",
    "Opening",
    "PartyEnded",
    "PartyStarted",
    "PartyTally",
    "PhaseEntered",
    "Proposed",
    "Record",
    "RecordError",
    "RecordWriter",
    "Rejected",
    "RejectedCount",
    "Relayed",
    "Reporter",
    "RightWon",
    "RoundBegun",
    "RunLog",
    "SecretFound",
    "Sent",
    "SentCount",
    "Sink",
    "Spent",
    "SpentCount",
    "Stalled",
    "Tally",
    "TemplateMade",
    "Trained",
    "TrainedCount",
    "TrainingBegun",
    "TrainingBlock",
    "Unevaluated",
    "Unlinked",
    "Unpoisoned",
    "Unsaved",
    "UsedTwice",
    "VotedBlock",
    "Waiting",
    "WentDown",
    "compute_file_digest",
    "find_blamed",
    "find_reporter",
    "list_facts",
    "parse_json",
    "parse_line",
    "read_log",
    "short_hash",
    "write_in_one_step",
    "write_text_in_one_step",
]
