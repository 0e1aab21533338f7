"""The words of votes of stake in records: blocks, proposals, rounds, decisions and contradictions."""

from collections.abc import Mapping

from protocol.mechanisms.stake_bft import facts
from protocol.mechanisms.stake_bft.messages import NIL, NO_ROUND, CertifiedBlock
from protocol.messages import AnyBlock
from simulation.records import (
    BlockPart,
    Contradicted,
    Decided,
    Fact,
    Proposed,
    Reporter,
    RoundBegun,
    VotedBlock,
    short_hash,
)


class BftReporter(Reporter):
    """Finds words for what only votes of stake know about."""

    def describe_block(self, block: AnyBlock, labels: Mapping[bytes, str]) -> BlockPart:
        """Return who built a block; its certificate differs from node to node, and is no part of what it is."""
        if not isinstance(block, CertifiedBlock):
            raise TypeError(f"no block by votes of stake: {block!r}")
        return VotedBlock(builder=labels.get(block.author, short_hash(block.author)), round=block.round)

    def describe_noted(self, noted: object, labels: Mapping[bytes, str]) -> Fact:
        """Return the fact that a block was proposed or decided, a round begun, or that somebody contradicted itself."""
        match noted:
            case facts.Proposed(height, number, block, valid):
                earlier = valid if valid != NO_ROUND else None
                return Proposed(height=height, round=number, block=short_hash(block), valid_round=earlier)
            case facts.RoundBegun(height, number):
                return RoundBegun(height=height, round=number)
            case facts.Decided(height, number, block, votes):
                return Decided(height=height, round=number, block=short_hash(block), votes=votes)
            case facts.Equivocated(author, height, number, step, first, second):
                return Contradicted(
                    author=labels.get(author, short_hash(author)),
                    height=height,
                    round=number,
                    step=step,
                    first=name_vote(first),
                    second=name_vote(second),
                )
        return super().describe_noted(noted, labels)


def name_vote(block: bytes) -> str:
    """Return what records call that which a vote is for."""
    return short_hash(block) if block != NIL else "nil"
