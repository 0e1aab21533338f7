"""What a party writes down: a fact for each thing it does."""

from collections import Counter
from collections.abc import Hashable
from typing import Final

from protocol.events import BlockAppended, HeadMoved, Judged, RightUsedTwice
from protocol.messages import BlockResponse, Message
from protocol.rules import Rules
from protocol.verdicts import Accept, ChainReason, Ignore, Reject, Wait
from simulation.records import (
    Accepted,
    Appended,
    Fact,
    Ignored,
    Moved,
    Rejected,
    Relayed,
    Sent,
    Sink,
    Spent,
    UsedTwice,
    Waiting,
    find_reporter,
    short_hash,
)

GENESIS: Final = "genesis"
"""What records call the first block."""


class Recorder:
    """A record for each thing; only ignored messages are counted, and their counts written with each block."""

    def __init__(self, sink: Sink, labels: dict[bytes, str], rules: Rules) -> None:
        """Take where facts go, the label of each public key, and the chain's rules."""
        self._sink = sink
        self._labels = labels
        self._rules = rules
        self._reporter = find_reporter(rules.mechanism)
        self._ignored: Counter[tuple[str, str]] = Counter()

    def record_sent(self, kind: str, message: Message | None, target: str, copies: int, size: int) -> None:
        """Record what the party sent of its own."""
        blocks = len(message.blocks) if isinstance(message, BlockResponse) else None
        height = getattr(message, "height", None) if blocks is None else None
        header = self._rules.mechanism.find_proposal(self._rules, message) if message is not None else None
        self._sink(
            Sent(
                kind=kind,
                blocks=blocks,
                height=height,
                header=short_hash(header) if header is not None else None,
                to=target,
                copies=copies,
                bytes=copies * size,
            )
        )

    def record_relayed(self, copies: int, size: int) -> None:
        """Record what the party passed on."""
        self._sink(Relayed(copies=copies, bytes=copies * size))

    def record_declined(self, count: int) -> None:
        """Count frames that a neighbour did not take because it had them, or had them under way."""
        self._ignored["frame", ChainReason.DUPLICATE.value] += count

    def record_judged(self, judged: Judged) -> None:
        """Record what the party thinks of a message."""
        verdict = judged.verdict
        if isinstance(verdict, Ignore):
            self._ignored[judged.kind, verdict.reason.value] += 1
            return
        kind, height, peer, author = judged.kind, judged.height, judged.peer, None
        if judged.author is not None:
            author = self._labels.get(judged.author, short_hash(judged.author))
        header = short_hash(judged.proposal) if judged.proposal is not None else None
        block = short_hash(judged.block) if judged.block is not None else None
        fact: Accepted | Rejected | Waiting
        match verdict:
            case Accept():
                fact = Accepted(kind=kind, height=height, author=author, header=header, block=block, peer=peer)
            case Reject(reason):
                fact = Rejected(
                    kind=kind, height=height, author=author, header=header, block=block, peer=peer, reason=reason.value
                )
            case Wait(missing):
                fact = Waiting(
                    kind=kind,
                    height=height,
                    author=author,
                    header=header,
                    block=block,
                    peer=peer,
                    missing=missing.value,
                )
        self._sink(fact)

    def record_block(self, appended: BlockAppended) -> None:
        """Record a block that the party has stored."""
        self._sink(self._describe_block(appended))
        self.flush()

    def record_moved(self, moved: HeadMoved) -> None:
        """Record that the head moved to a block that the party had before."""
        record = moved.record
        head = short_hash(record.hash) if record.block is not None else GENESIS
        self._sink(Moved(height=record.height, head=head, reorg=len(moved.change.abandoned)))

    def record_double_use(self, use: RightUsedTwice) -> None:
        """Record that a right was used twice."""
        self._sink(
            UsedTwice(
                height=use.height,
                author=self._labels.get(use.author, short_hash(use.author)),
                first=short_hash(use.first),
                second=short_hash(use.second),
                head=short_hash(use.head) if use.head_height else GENESIS,
                head_height=use.head_height,
            )
        )

    def record_noted(self, noted: object) -> None:
        """Record what the mechanism's half of the party wants on record."""
        self._sink(self._reporter.describe_noted(noted, self._labels))

    def record_task(self, task: Hashable) -> None:
        """Record that the party begins slow work, if that is worth a word."""
        fact = self._reporter.describe_task(task)
        if fact is not None:
            self._sink(fact)

    def record_work(self, fact: Fact) -> None:
        """Record what has come of slow work."""
        self._sink(fact)

    def record_spent(self, spent: Spent) -> None:
        """Record what the party has spent in the whole run."""
        self._sink(spent)

    def _describe_block(self, appended: BlockAppended) -> Appended:
        record = appended.record
        if record.block is None:
            raise ValueError("the genesis is never appended")
        return Appended(
            height=record.height,
            block=short_hash(record.hash),
            parent=short_hash(record.parent),
            part=self._reporter.describe_block(record.block, self._labels),
            transactions=len(record.block.transactions),
            head=appended.change is not None and record in appended.change.adopted,
            reorg=len(appended.change.abandoned) if appended.change else 0,
        )

    def flush(self) -> None:
        """Write down what is only counted."""
        for (kind, reason), count in sorted(self._ignored.items()):
            self._sink(Ignored(kind=kind, reason=reason, count=count))
        self._ignored.clear()
