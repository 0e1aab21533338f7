"""What a party writes down: a record for each thing it does, or, in very large networks, counts of them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from protocol.events import BlockAppended, Judged
from protocol.mechanisms.proof_of_training.facts import LotteryWon, PhaseChanged, SecretKnown
from protocol.mechanisms.proof_of_training.job import PARTS_PER_BILLION
from protocol.mechanisms.proof_of_training.mechanism import get_training
from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from protocol.mechanisms.proof_of_training.work import CompareWeights
from protocol.messages import BlockResponse, Message
from protocol.rules import Rules
from protocol.types import AccountId
from protocol.verdicts import ACCEPT, Accept, ChainReason, Ignore, Reject, Wait
from simulation.records.record import DEBUG, INFO, Value

SHORT: Final = 12
"""Hex digits of a hash that records show."""

Recorder = Callable[[str, str, dict[str, Value]], None]
"""Takes level, event and fields of a record; the engine adds time and party."""


def shorten(digest: bytes) -> str:
    """Return a hash as records show it."""
    return f"0x{digest.hex()[:SHORT]}" if digest else "none"


def describe_block(appended: BlockAppended, labels: dict[bytes, str]) -> dict[str, Value]:
    """Return the fields of a record about a block that was appended."""
    record = appended.record
    block = record.block
    if not isinstance(block, WrappedBlock):
        raise TypeError("only blocks of proof of training are described")
    return {
        "height": record.height,
        "block": shorten(record.hash),
        "parent": shorten(record.parent),
        "weights": shorten(block.header.weights_digest),
        "proposer": labels.get(block.header.author, shorten(block.header.author)),
        "wrapper": labels.get(block.author, shorten(block.author)),
        "declarations": len(block.header.declarations),
        "transactions": len(block.transactions),
        "head": appended.change is not None,
        "reorg": len(appended.change.abandoned) if appended.change else 0,
    }


class Notes:
    """A record for each thing; only ignored messages are counted, and their counts written with each block."""

    def __init__(self, record: Recorder, labels: dict[bytes, str], rules: Rules) -> None:
        """Take where records go, the label of each public key, and what hashes messages."""
        self._record = record
        self._labels = labels
        self._rules = rules
        self._ignored: Counter[tuple[str, str]] = Counter()

    def note_sent(self, kind: str, message: Message | None, target: str, copies: int, size: int) -> None:
        """Note what the party sent of its own."""
        fields: dict[str, Value] = {"kind": kind}
        if isinstance(message, BlockResponse):
            fields["blocks"] = len(message.blocks)
        elif message is not None and hasattr(message, "height"):
            fields["height"] = message.height
        header = self._rules.mechanism.find_proposal(self._rules, message) if message is not None else None
        if header is not None:
            fields["header"] = shorten(header)
        self._record(INFO, "sent", {**fields, "to": target, "copies": copies, "bytes": copies * size})

    def note_relayed(self, copies: int, size: int) -> None:
        """Note what the party passed on."""
        self._record(DEBUG, "relayed", {"copies": copies, "bytes": copies * size})

    def note_declined(self, count: int) -> None:
        """Note frames that a neighbour did not take because it had them, or had them under way."""
        self._ignored["frame", ChainReason.DUPLICATE.value] += count

    def note_judged(self, judged: Judged) -> None:
        """Note what the party thinks of a message."""
        if isinstance(judged.verdict, Ignore):
            self._ignored[judged.kind, judged.verdict.reason.value] += 1
            return
        fields: dict[str, Value] = {"kind": judged.kind}
        if judged.height is not None:
            fields["height"] = judged.height
        if judged.author is not None:
            fields["author"] = self._labels.get(judged.author, shorten(judged.author))
        if judged.proposal is not None:
            fields["header"] = shorten(judged.proposal)
        if judged.block is not None:
            fields["block"] = shorten(judged.block)
        fields["peer"] = judged.peer
        match judged.verdict:
            case Accept():
                self._record(INFO, "accepted", fields)
            case Reject(reason):
                self._record(INFO, "refused", {**fields, "reason": reason.value})
            case Wait(missing):
                self._record(DEBUG, "waiting", {**fields, "missing": missing.value})

    def note_block(self, appended: BlockAppended) -> None:
        """Note a block that the party has stored."""
        self._record(INFO, "appended", describe_block(appended, self._labels))
        self.flush()

    def note_private(self, fact: object) -> None:
        """Note what is the party's own business."""
        match fact:
            case PhaseChanged(phase, height):
                self._record(DEBUG, "phase", {"phase": phase.value, "height": height})
            case LotteryWon(role, height, slot):
                self._record(DEBUG, "won", {"right": role.value, "height": height, "slot": slot})
            case SecretKnown(height, parent, secret, weights):
                fields: dict[str, Value] = {"height": height, "parent": shorten(parent), "secret": secret.hex()}
                self._record(DEBUG, "secret", {**fields, "weights": shorten(weights)})

    def note_training(self, stage: int, base: bytes) -> None:
        """Note that a stage is being trained, and from which weights where that is not plain."""
        fields: dict[str, Value] = {"stage": stage}
        self._record(DEBUG, "training", {**fields, "base": shorten(base)} if base else fields)

    def note_trained(self, fields: dict[str, Value]) -> None:
        """Note that a stage has been trained."""
        self._record(DEBUG, "trained", fields)

    def note_compared(self, pair: CompareWeights, distance: int | None) -> None:
        """Note how far others' weights lie from the party's own."""
        fields: dict[str, Value] = {"weights": shorten(pair.other), "own": shorten(pair.own)}
        fields["distance"] = None if distance is None else distance / PARTS_PER_BILLION
        self._record(DEBUG, "compared", {**fields, "within": self._is_within(distance)})

    def _is_within(self, distance: int | None) -> bool:
        return distance is not None and distance <= get_training(self._rules).genesis.tolerance

    def flush(self) -> None:
        """Write down what is only counted."""
        for (kind, reason), count in sorted(self._ignored.items()):
            self._record(DEBUG, "ignored", {"kind": kind, "reason": reason, "count": count})
        self._ignored.clear()


@dataclass(slots=True)
class Count:
    """How often a thing happened."""

    times: int = 0
    amount: int = 0
    """Bytes, or micro-seconds of training, that go with it."""


class Counts:
    """What all parties of a run have done, counted together: the memory that `CountedNotes` share."""

    def __init__(self) -> None:
        """Start at zero."""
        self._counts: dict[tuple[tuple[str, Value], ...], Count] = {}
        self.accepted: dict[tuple[str, AccountId | None, bool], Count] = {}
        """Counts of accepted messages by kind, author and whether an honest node judged: the most frequent fact."""
        self.blocks_seen: set[tuple[bytes, str]] = set()

    def get(self, **what: Value) -> Count:
        """Return the count of a thing."""
        return self._counts.setdefault(tuple(what.items()), Count())

    def write(self, record: Recorder) -> None:
        """Write a record for each thing that happened."""
        for key in sorted(self._counts, key=repr):
            count = self._counts[key]
            if count.times:
                record(INFO, "counted", {**dict(key), "count": count.times, "amount": count.amount})


class CountedNotes(Notes):
    """Counts instead of records, but for the first time a block is appended by a party of each role."""

    def __init__(self, record: Recorder, labels: dict[bytes, str], rules: Rules, counts: Counts, role: str) -> None:
        """Share the counts of a run."""
        super().__init__(record, labels, rules)
        self._counts = counts
        self._role = role
        self._is_honest = role == "honest"
        self._relayed = counts.get(what="sent", kind="relayed")
        self._duplicates = counts.get(what="ignored", kind="frame", reason=ChainReason.DUPLICATE.value)

    def note_sent(self, kind: str, message: Message | None, target: str, copies: int, size: int) -> None:
        """Count what the party sent of its own."""
        count = self._counts.get(what="sent", kind=kind)
        count.times += copies
        count.amount += copies * size

    def note_relayed(self, copies: int, size: int) -> None:
        """Count what the party passed on."""
        self._relayed.times += copies
        self._relayed.amount += copies * size

    def note_declined(self, count: int) -> None:
        """Count frames that a neighbour did not take."""
        self._duplicates.times += count

    def note_judged(self, judged: Judged) -> None:
        """Count what the party thinks of a message."""
        if judged.verdict is ACCEPT:
            key = (judged.kind, judged.author, self._is_honest)
            count = self._counts.accepted.get(key)
            if count is None:
                count = self._counts.get(what="accepted", kind=judged.kind, **self._describe_source(judged))
                self._counts.accepted[key] = count
            count.times += 1
            return
        match judged.verdict:
            case Ignore(reason):
                self._counts.get(what="ignored", kind=judged.kind, reason=reason.value).times += 1
            case Reject(reason):
                source = self._describe_source(judged)
                self._counts.get(what="refused", kind=judged.kind, reason=reason.value, **source).times += 1

    def note_block(self, appended: BlockAppended) -> None:
        """Note a block the first time a party of this role has it."""
        key = (appended.record.hash, self._role)
        if key not in self._counts.blocks_seen:
            self._counts.blocks_seen.add(key)
            self._record(INFO, "appended", describe_block(appended, self._labels))

    def note_private(self, fact: object) -> None:
        """Leave it out."""

    def note_training(self, stage: int, base: bytes) -> None:
        """Leave it out."""

    def note_compared(self, pair: CompareWeights, distance: int | None) -> None:
        """Count a comparison by its outcome."""
        self._counts.get(what="compared", within=self._is_within(distance), honest=self._is_honest).times += 1

    def note_trained(self, fields: dict[str, Value]) -> None:
        """Count a trained stage by its result."""
        count = self._counts.get(what="trained", weights=fields["weights"], data=fields["data"])
        count.times += 1
        count.amount += round(float(str(fields["cpu_s"])) * 1e6)

    def flush(self) -> None:
        """Leave the writing to whoever shares the counts."""

    def _describe_source(self, judged: Judged) -> dict[str, Value]:
        """Return an author's population, and whether an honest node judged."""
        author = self._labels.get(judged.author, "") if judged.author is not None else judged.peer
        population = author.rpartition("-")[0] or author
        return {"author": "users" if population == "user" else population, "honest": self._is_honest}
