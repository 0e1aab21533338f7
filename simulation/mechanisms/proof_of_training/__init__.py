"""What proof of training adds outside the core."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.mechanisms.proof_of_training.counts import TrainingCounts
    from simulation.mechanisms.proof_of_training.facts import Compared, Evaluated, Trained, TrainingBlock
else:
    __getattr__, __dir__ = open_door(
        __name__, {"counts": "TrainingCounts", "facts": "Compared Evaluated Trained TrainingBlock"}
    )

__all__ = ["Compared", "Evaluated", "Trained", "TrainingBlock", "TrainingCounts"]
