"""What a party writes down: a fact for each thing it does."""

from collections import Counter

from protocol.events import BlockAppended, Judged
from protocol.mechanisms.proof_of_training.facts import LotteryWon, PhaseChanged, SecretKnown
from protocol.mechanisms.proof_of_training.job import PARTS_PER_BILLION
from protocol.mechanisms.proof_of_training.mechanism import get_training
from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from protocol.mechanisms.proof_of_training.work import CompareWeights
from protocol.messages import BlockResponse, Message
from protocol.rules import Rules
from protocol.verdicts import Accept, ChainReason, Ignore, Reject, Wait
from simulation.mechanisms.proof_of_training.facts import (
    Compared,
    PhaseEntered,
    RightWon,
    SecretFound,
    Trained,
    TrainingBegun,
    TrainingBlock,
)
from simulation.records.message_facts import Accepted, Appended, Ignored, Refused, Relayed, Sent, Waiting
from simulation.records.record import Sink, short_hash


def describe_block(appended: BlockAppended, labels: dict[bytes, str]) -> Appended:
    """Return the fact that a block was appended."""
    record = appended.record
    block = record.block
    if not isinstance(block, WrappedBlock):
        raise TypeError("only blocks of proof of training are described")
    return Appended(
        height=record.height,
        block=short_hash(record.hash),
        parent=short_hash(record.parent),
        part=TrainingBlock(
            weights=short_hash(block.header.weights_digest),
            proposer=labels.get(block.header.author, short_hash(block.header.author)),
            wrapper=labels.get(block.author, short_hash(block.author)),
            declarations=len(block.header.declarations),
        ),
        transactions=len(block.transactions),
        head=appended.change is not None,
        reorg=len(appended.change.abandoned) if appended.change else 0,
    )


class Recorder:
    """A record for each thing; only ignored messages are counted, and their counts written with each block."""

    def __init__(self, sink: Sink, labels: dict[bytes, str], rules: Rules) -> None:
        """Take where facts go, the label of each public key, and what hashes messages."""
        self._sink = sink
        self._labels = labels
        self._rules = rules
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
        fact: Accepted | Refused | Waiting
        match verdict:
            case Accept():
                fact = Accepted(kind=kind, height=height, author=author, header=header, block=block, peer=peer)
            case Reject(reason):
                fact = Refused(
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
        self._sink(describe_block(appended, self._labels))
        self.flush()

    def record_private(self, private: object) -> None:
        """Record what is the party's own business."""
        match private:
            case PhaseChanged(phase, height):
                self._sink(PhaseEntered(phase=phase.value, height=height))
            case LotteryWon(role, height, slot):
                self._sink(RightWon(right=role.value, height=height, slot=slot))
            case SecretKnown(height, parent, secret, weights):
                shown = secret.hex()
                self._sink(
                    SecretFound(height=height, parent=short_hash(parent), secret=shown, weights=short_hash(weights))
                )

    def record_training(self, stage: int, base: bytes) -> None:
        """Record that a stage is being trained, and from which weights where that is not plain."""
        self._sink(TrainingBegun(stage=stage, base=short_hash(base) if base else None))

    def record_trained(self, fact: Trained) -> None:
        """Record that a stage has been trained."""
        self._sink(fact)

    def record_compared(self, pair: CompareWeights, distance: int | None) -> None:
        """Record how far others' weights lie from the party's own."""
        self._sink(
            Compared(
                weights=short_hash(pair.other),
                own=short_hash(pair.own),
                distance=None if distance is None else distance / PARTS_PER_BILLION,
                within=self._is_within(distance),
            )
        )

    def _is_within(self, distance: int | None) -> bool:
        return distance is not None and distance <= get_training(self._rules).genesis.tolerance

    def flush(self) -> None:
        """Write down what is only counted."""
        for (kind, reason), count in sorted(self._ignored.items()):
            self._sink(Ignored(kind=kind, reason=reason, count=count))
        self._ignored.clear()
