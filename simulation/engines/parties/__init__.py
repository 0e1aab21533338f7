"""A party outside its core: behaviour, driver calls, what it writes down."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.engines.parties.building import build_node
    from simulation.engines.parties.counting import CountingRecorder, Counts
    from simulation.engines.parties.host import Host
    from simulation.engines.parties.journal import (
        END,
        RESTART,
        Journals,
        JournalWords,
        describe,
        find_words,
        unpack_event,
    )
    from simulation.engines.parties.recorder import Recorder
    from simulation.engines.parties.users import issue_transfers
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "building": "build_node",
            "counting": "CountingRecorder Counts",
            "host": "Host",
            "journal": "END JournalWords Journals RESTART describe find_words unpack_event",
            "recorder": "Recorder",
            "users": "issue_transfers",
        },
    )

__all__ = [
    "END",
    "RESTART",
    "CountingRecorder",
    "Counts",
    "Host",
    "JournalWords",
    "Journals",
    "Recorder",
    "build_node",
    "describe",
    "find_words",
    "issue_transfers",
    "unpack_event",
]
