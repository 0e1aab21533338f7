"""What may happen in a run by proof of work: hashing."""

from typing import ClassVar

from simulation.records.fact import Count, CpuSeconds, Fact, Height, MicroCoins, register_facts, register_parts
from simulation.records.lines import DEBUG
from simulation.records.message_facts import Appended, BlockPart, Counted, CountedPart


class Hashed(Fact, frozen=True, kw_only=True):
    """The node has looked for a nonce; told when one is found, and about every second of looking in vain."""

    event: ClassVar[str] = "hashed"
    level: ClassVar[str] = DEBUG
    subject: ClassVar[str] = "a node"

    tries: Count
    """Nonces tried since the last such record; each takes two hashes."""
    found: bool
    """Whether the last one did."""
    drawn: bool
    """Whether nothing was hashed: how many tries it took was drawn, and the nonce is a stand-in that shows no work."""
    cpu_s: CpuSeconds
    """Processor time it took; simulated with the virtual engine."""


class DoubleSpend(Fact, frozen=True, kw_only=True):
    """A double spender has come a step further: as it sees it, which is what a merchant with its links sees."""

    event: ClassVar[str] = "double_spend"
    level: ClassVar[str] = DEBUG
    subject: ClassVar[str] = "a double spender"

    stage: str
    """`paid`; `delivered`, as the payment has so many blocks as the merchant waits for; `undone`, as others have built
    on the branch without it; or `given_up`."""
    payment: str
    """Short hash of the payment."""
    merchant: str
    """Label of the merchant."""
    amount: MicroCoins
    """What is paid."""
    confirmations: Count
    """Blocks that confirm the payment in the others' chain, that which holds it among them."""
    height: Height
    """Height of the others' chain."""
    branch: Height
    """Height of the branch without the payment."""


class MinedBlock(BlockPart, frozen=True, kw_only=True):
    """What proof of work has to say of a block."""

    miner: str
    """Label of the block's author, or its short key where that is of no party."""
    hashes: Count
    """Tries that a block of its target takes on average."""

    mechanism: ClassVar[str | None] = "proof_of_work"

    def describe_makers(self) -> str:
        """Return who has found its nonce."""
        return f"mined by {self.miner}"


class HashedCount(CountedPart, frozen=True, tag_field="what", tag="hashed"):
    """Searches for a nonce."""

    found: bool
    """Whether they found one."""
    drawn: bool
    """Whether nothing was hashed, as of one search."""


register_facts(Hashed, DoubleSpend)
register_parts(Appended, MinedBlock)
register_parts(Counted, HashedCount)
