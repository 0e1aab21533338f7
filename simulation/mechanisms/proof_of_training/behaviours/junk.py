"""What a flooder sends under proof of training: declarations that say something random."""

import numpy as np

from protocol.mechanisms.proof_of_training.mechanism import get_training
from protocol.mechanisms.proof_of_training.messages import TrainingDeclaration
from protocol.slots import compute_slot
from protocol.types import Nanoseconds
from simulation.attacks import Core


def make_declaration(core: Core, rng: np.random.Generator, now: Nanoseconds) -> TrainingDeclaration:
    """Return a declaration on the head that nobody has trained for, dated into a slot since the parent's."""
    head = core.tree.head
    last = max(head.slot, compute_slot(now, core.rules.chain.slot_ns))
    return TrainingDeclaration(
        height=head.height + 1,
        parent=head.hash,
        slot=int(rng.integers(head.slot, last + 1)),
        author=core.keys.public,
        weights_digest=rng.bytes(32),
        profile=get_training(core.rules).genesis.job.profile,
        commitment=rng.bytes(64),
    )
