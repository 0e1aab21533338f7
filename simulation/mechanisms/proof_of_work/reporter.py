"""The words of proof of work in records: blocks, and tries."""

from collections.abc import Mapping

from protocol.mechanisms.proof_of_work.difficulty import count_expected
from protocol.mechanisms.proof_of_work.messages import WorkedBlock
from protocol.messages import AnyBlock
from simulation.mechanisms.proof_of_work.spends import Spend
from simulation.records import (
    BlockPart,
    CountedPart,
    DoubleSpend,
    Fact,
    Hashed,
    HashedCount,
    MinedBlock,
    Reporter,
    short_hash,
)


class WorkReporter(Reporter):
    """Finds words for what only proof of work knows about."""

    def describe_block(self, block: AnyBlock, labels: Mapping[bytes, str]) -> BlockPart:
        """Return who made a block, and how hard it was to make."""
        if not isinstance(block, WorkedBlock):
            raise TypeError(f"no block of proof of work: {block!r}")
        miner = labels.get(block.author, short_hash(block.author))
        return MinedBlock(miner=miner, hashes=count_expected(block.target))

    def describe_noted(self, noted: object, labels: Mapping[bytes, str]) -> Fact:
        """Return the fact that a double spender has come a step further."""
        if not isinstance(noted, Spend):
            return super().describe_noted(noted, labels)
        return DoubleSpend(
            stage=noted.stage,
            payment=short_hash(noted.payment),
            merchant=labels.get(noted.merchant, short_hash(noted.merchant)),
            amount=noted.amount,
            confirmations=noted.confirmations,
            height=noted.height,
            branch=noted.branch,
        )

    def count(self, fact: Fact, *, is_honest: bool) -> tuple[CountedPart, int] | None:
        """Count a search by what came of it, with the nonces tried."""
        return (HashedCount(fact.found, fact.drawn), fact.tries) if isinstance(fact, Hashed) else None
