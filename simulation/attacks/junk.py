"""What a flooder sends: messages that are well signed and say nothing.

A mechanism with messages besides blocks may have a part `junk`; without one, junk is blocks that prove nothing.
"""

from collections.abc import Callable

import msgspec
import numpy as np

from protocol.messages import Message, Payout
from protocol.slots import compute_slot
from protocol.types import Nanoseconds
from simulation.attacks.behaviour import Core

MakeJunk = Callable[[Core, np.random.Generator, Nanoseconds], Message | None]
"""Makes a message that has yet to be signed, from what a node knows, random draws and the time; None for none yet."""


def make_idle_block(core: Core, rng: np.random.Generator, now: Nanoseconds) -> Message | None:
    """Return a block on the head that is made from the head itself; None while there is no block but the genesis.

    What proves the head is about another block; where it holds the block's place as well, that stays the head's. Its
    coins go to an account that is new each time, so that no two such blocks are the same.
    """
    head = core.tree.head
    if head.block is None:
        return None
    changes = {
        "height": head.height + 1,
        "parent": head.hash,
        "slot": max(head.slot, compute_slot(now, core.rules.chain.slot_ns)),
        "author": core.keys.public,
        "coinbase": (Payout(account=rng.bytes(32), amount=1),),
    }
    own = {name: value for name, value in changes.items() if name in head.block.__struct_fields__}
    return msgspec.structs.replace(head.block, **own)
