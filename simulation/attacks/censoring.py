"""Adversaries that make blocks like anybody else, and choose what is in them."""

from protocol.messages import Transaction
from simulation.attacks.layers import Adversary
from simulation.attacks.traits import Traits


class Censor(Adversary):
    """Goal: keep users' transfers out of the chain.

    It knows what any node knows. The blocks that it makes carry no transfers. Expected: such a block is valid, so
    nobody refuses it; a transfer waits for the next block of an honest node, 1 / (1 - c) blocks on average for a
    censor that makes a share c of them.
    """

    kind = "censor"
    does = "makes blocks without transfers"
    expected = "transfers wait for a block of an honest node"
    traits = Traits(passes_on=True, does_its_part=True, may_jam=False)

    def choose(self, transactions: tuple[Transaction, ...]) -> tuple[Transaction, ...]:
        """Choose none."""
        return ()
