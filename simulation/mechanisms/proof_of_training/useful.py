"""What of a run's processor time was useful: training that the honest chain carries."""

from simulation.analysis import Usefulness
from simulation.records import Tally, TrainingBlock


def find_useful_training(tally: Tally) -> Usefulness:
    """Return the CPU-seconds of clean stages in the honest chain.

    All nodes train a stage to check it. One of these trainings is useful, at the mean of what they took; the others are
    done again. A poisoned stage is of no use, however it came into the chain.
    """
    chain = tally.get_chain(tally.compute_agreement()[1].head)
    parts = [tally.blocks[block].part for block in chain if not tally.is_poisoned(block)]
    stages = {part.weights for part in parts if isinstance(part, TrainingBlock)}
    trained = [tally.training.sum_trainings(weights) for weights in stages]
    once = sum(cpu_s / count for count, cpu_s in trained if count)
    return Usefulness(once, sum(cpu_s for _, cpu_s in trained) - once)
