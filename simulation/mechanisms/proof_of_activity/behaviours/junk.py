"""What a flooder sends under proof of activity: templates that nobody has worked for."""

import numpy as np

from protocol.mechanisms.proof_of_activity.messages import Template
from protocol.mechanisms.proof_of_work.genesis import MAX_TARGET
from protocol.slots import compute_slot
from protocol.types import Nanoseconds
from simulation.attacks import Core


def make_template(core: Core, rng: np.random.Generator, now: Nanoseconds) -> Template:
    """Return a template on the head with a nonce that was drawn and not looked for."""
    head = core.tree.head
    slot = max(head.slot, compute_slot(now, core.rules.chain.slot_ns))
    return Template(
        height=head.height + 1,
        parent=head.hash,
        slot=slot,
        target=MAX_TARGET,
        window_start=0,
        author=core.keys.public,
        serial=0,
        nonce=int(rng.integers(2**62)),
    )
