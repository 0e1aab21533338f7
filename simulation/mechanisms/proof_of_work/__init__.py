"""What proof of work adds outside the core."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.mechanisms.proof_of_work.compared import list_power
    from simulation.mechanisms.proof_of_work.fuzz import WorkFuzz, find_nonce
    from simulation.mechanisms.proof_of_work.journal_words import WorkWords
    from simulation.mechanisms.proof_of_work.keys import WorkKeys
    from simulation.mechanisms.proof_of_work.promises import WorkPromises
    from simulation.mechanisms.proof_of_work.soak import WorkDraws
    from simulation.mechanisms.proof_of_work.view import WorkView
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "compared": "list_power",
            "fuzz": "WorkFuzz find_nonce",
            "journal_words": "WorkWords",
            "keys": "WorkKeys",
            "promises": "WorkPromises",
            "soak": "WorkDraws",
            "view": "WorkView",
        },
    )

__all__ = [
    "WorkDraws",
    "WorkFuzz",
    "WorkKeys",
    "WorkPromises",
    "WorkView",
    "WorkWords",
    "find_nonce",
    "list_power",
]
