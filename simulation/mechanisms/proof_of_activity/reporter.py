"""The words of proof of activity in records: blocks, templates, and tries."""

from collections.abc import Mapping

from protocol.mechanisms.proof_of_activity.facts import TemplateFound
from protocol.mechanisms.proof_of_activity.messages import ActivityBlock
from protocol.mechanisms.proof_of_work.difficulty import count_expected
from protocol.messages import AnyBlock
from simulation.records import (
    BlockPart,
    ClosedBlock,
    CountedPart,
    Fact,
    Hashed,
    HashedCount,
    Reporter,
    TemplateMade,
    short_hash,
)


class ActivityReporter(Reporter):
    """Finds words for what only proof of activity knows about."""

    def describe_block(self, block: AnyBlock, labels: Mapping[bytes, str]) -> BlockPart:
        """Return who mined and closed a block, how many signed it besides, and how hard its template was to find."""
        if not isinstance(block, ActivityBlock):
            raise TypeError(f"no block of proof of activity: {block!r}")
        miner, closer = block.template.author, block.author
        return ClosedBlock(
            miner=labels.get(miner, short_hash(miner)),
            closer=labels.get(closer, short_hash(closer)),
            signatures=len(block.signatures),
            hashes=count_expected(block.template.target),
        )

    def describe_noted(self, noted: object, labels: Mapping[bytes, str]) -> Fact:
        """Return the fact that a template was found."""
        if not isinstance(noted, TemplateFound):
            return super().describe_noted(noted, labels)
        return TemplateMade(
            height=noted.height,
            parent=short_hash(noted.parent),
            template=short_hash(noted.template),
            hashes=count_expected(noted.target),
        )

    def count(self, fact: Fact, *, is_honest: bool) -> tuple[CountedPart, int] | None:
        """Count a search by what came of it, with the nonces tried."""
        return (HashedCount(fact.found, fact.drawn), fact.tries) if isinstance(fact, Hashed) else None
