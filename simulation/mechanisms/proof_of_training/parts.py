"""What proof of training contributes outside the core: where each part is. Naming them here loads none."""

from typing import Final

_HERE: Final = "simulation.mechanisms.proof_of_training"

PARTS: Final = {
    "reporter": f"{_HERE}.reporter:TrainingReporter",
}
