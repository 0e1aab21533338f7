"""What the nodes of a small network do, told in the words of the protocol, one line for each thing they do."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Final

from protocol.crypto import compute_content_hash
from protocol.events import (
    BlockAppended,
    Broadcast,
    Command,
    Event,
    Judged,
    Noted,
    Relay,
    Send,
    SetTimer,
    StartWork,
    WorkFinished,
)
from protocol.mechanisms.proof_of_training.facts import LotteryWon, PhaseChanged, SecretKnown
from protocol.mechanisms.proof_of_training.job import TrainingGenesis
from protocol.mechanisms.proof_of_training.messages import (
    BlockHeader,
    StakeholderSignature,
    TrainingDeclaration,
    WrappedBlock,
)
from protocol.mechanisms.proof_of_training.reasons import TrainingMissing
from protocol.mechanisms.proof_of_training.work import INCOMPARABLE, CompareWeights, TrainingResult, TrainStage
from protocol.messages import BlockRequest, BlockResponse, HeadAnnouncement, Message, Transaction
from protocol.types import AccountId, Hash32
from protocol.verdicts import Accept, Ignore, Missing, Reject, Verdict
from tests.support.core import Cluster, keys

SECOND: Final = 1_000_000_000

WORDS: Final = {"stakeholder": "signature", "head": "announcement"}
"""What scripts call messages whose kind says less."""

HIDEABLE: Final = ("timers", "phases", "secrets", "wins")


class Narrator(Cluster):
    """A network that tells what its nodes do."""

    def __init__(self, start: TrainingGenesis, *, data: dict[int, str]) -> None:
        super().__init__(start, data=data)
        self.hidden: set[str] = set()
        self._told: list[tuple[int, str, str]] = []
        """Time, who acts, and what it does."""
        self._labels = {keys(index).public: str(index) for index in range(len(start.accounts))}
        self._chain_id: Hash32 = self.node(0).rules.chain_id

    def handle(self, name: str, event: Event) -> list[Command]:
        commands = super().handle(name, event)
        for line in self._tell(event, commands):
            self._told.append((self.now, name, line))
        return commands

    def get_up(self) -> list[str]:
        return [name for name in self.parties if name not in self.down]

    def take(self) -> Iterator[str]:
        """Yield what was told since the last time."""
        told, self._told = self._told, []
        for now, lines in itertools.groupby(told, key=lambda line: line[0]):
            yield f"at {now / SECOND:.3f} s"
            for names, line in _merge(lines):
                yield f"  {self.join(names)}{line}"

    def join(self, names: set[str]) -> str:
        """Return who does something: all that are up, or their numbers."""
        return "*" if names == set(self.get_up()) else ",".join(sorted(names))

    def describe_heads(self) -> Iterator[str]:
        heads: dict[str, set[str]] = {}
        for name in self.get_up():
            head = self.parties[name].tree.head
            heads.setdefault(f"head {self.name(head.hash)} at height {head.height}", set()).add(name)
        for line, names in heads.items():
            yield f"{self.join(names)}: {line}"

    # ---- lines ----

    def _tell(self, event: Event, commands: list[Command]) -> Iterator[str]:
        match event:
            case WorkFinished(TrainStage(stage, base), TrainingResult() as result):
                yield f": trained {self._describe_task(stage, base)}: weights {self.name(result.weights_digest)}"
            case WorkFinished(CompareWeights(own, other), distance):
                found = "no distance" if distance == INCOMPARABLE else f"distance {distance}"
                yield f": compared {self.name(own)} with {self.name(other)}: {found}"
        for command in commands:
            yield from self._tell_command(command)

    def _tell_command(self, command: Command) -> Iterator[str]:
        match command:
            case Broadcast(message):
                yield f"->* {self.describe(message)}"
            case Send(peer, message):
                yield f"->{peer} {self.describe(message)}"
            case Relay(_, source):
                yield f": passes on what came from {source}"
            case Judged():
                yield f": {self._describe_judgement(command)}"
            case BlockAppended(record, None):
                yield f": keeps block {self.name(record.hash)} at height {record.height} beside its chain"
            case BlockAppended(_, change) if change is not None:
                left = " ".join(self.name(record.hash) for record in change.abandoned)
                head = change.adopted[-1]
                yield f": head {self.name(head.hash)} at height {head.height}{f', leaves {left}' if left else ''}"
            case StartWork(TrainStage(stage, base)):
                yield f": train {self._describe_task(stage, base)}"
            case StartWork(CompareWeights(own, other)):
                yield f": compare {self.name(own)} with {self.name(other)}"
            case SetTimer(timer) if "timers" not in self.hidden:
                yield f": timer {timer.kind.value} slot={timer.slot}"
            case Noted(PhaseChanged(phase, height)) if "phases" not in self.hidden:
                yield f": phase {phase.value} height={height}"
            case Noted(SecretKnown(height, _, secret, _)) if "secrets" not in self.hidden:
                yield f": knows secret {self.name(secret)} height={height}"
            case Noted(LotteryWon(right, height, slot)) if "wins" not in self.hidden:
                yield f": may {right.value} height={height} slot={slot}"

    def name(self, digest: Hash32) -> str:
        """Return the first four digits of a hash; the genesis has a name."""
        return "genesis" if digest == self._chain_id else digest.hex()[:4]

    def hash(self, message: Message) -> str:
        return self.name(compute_content_hash(self._chain_id, message))

    def describe(self, message: Message) -> str:
        kind = WORDS.get(message.kind, message.kind)
        match message:
            case TrainingDeclaration():
                weights = self.name(message.weights_digest)
                return f"{kind} height={message.height} slot={message.slot} weights={weights}"
            case BlockHeader():
                place = f"height={message.height} slot={message.slot} parent={self.name(message.parent)}"
                declarers = self._list(item.author for item in message.declarations)
                weights = self.name(message.weights_digest)
                return f"{kind} {self.hash(message)} {place} weights={weights} declarers={declarers}"
            case StakeholderSignature():
                return f"{kind} header={self.name(message.header)}"
            case WrappedBlock():
                signers = self._list(item.author for item in message.signatures)
                header = self.hash(message.header)
                counted = f"signers={signers} transfers={len(message.transactions)}"
                return f"{kind} {self.hash(message)} height={message.height} header={header} {counted}"
            case HeadAnnouncement():
                return f"{kind} head={self.name(message.head)} height={message.height}"
            case BlockRequest():
                return f"{kind} known={','.join(map(self.name, message.locator))}"
            case BlockResponse():
                return f"{kind} blocks={','.join(map(self.hash, message.blocks)) or 'none'}"
            case Transaction():
                payee = self._labels.get(message.recipient, "?")
                return f"{kind} to={payee} amount={message.amount} fee={message.fee} nonce={message.nonce}"
        raise TypeError(f"no words for a {message.kind}")

    def _list(self, authors: Iterable[AccountId]) -> str:
        return ",".join(sorted(self._labels[author] for author in authors))

    def _describe_task(self, stage: int, base: bytes) -> str:
        return f"stage {stage}{f' from {self.name(base)}' if base else ''}"

    def _describe_judgement(self, judged: Judged) -> str:
        kind = WORDS.get(judged.kind, judged.kind)
        told = judged.block or (judged.proposal if judged.kind == "header" else None)
        author = "" if judged.author is None else f" of {self._labels.get(judged.author, '?')}"
        sender = "" if author == f" of {judged.peer}" else f" (from {judged.peer})"
        verdict, why = self._describe_verdict(judged.verdict)
        return f"{verdict} {kind}{f' {self.name(told)}' if told else ''}{author}{why}{sender}"

    def _describe_verdict(self, verdict: Verdict) -> tuple[str, str]:
        match verdict:
            case Accept():
                return "accepted", ""
            case Ignore(reason):
                return "ignored", f": {reason.value}"
            case Reject(reason):
                return "rejected", f": {reason.value}"
        match verdict.key:
            case TrainStage(stage, base):
                what = self._describe_task(stage, base)
            case CompareWeights(own, other):
                what = f"{self.name(own)} with {self.name(other)}"
            case bytes(digest):
                what = self.name(digest)
            case other:
                raise TypeError(f"nothing waits for {other!r}")
        needs: dict[Missing, str] = {TrainingMissing.TRAINING: "training", TrainingMissing.COMPARISON: "comparison"}
        return "put aside", f": waits for {needs.get(verdict.missing, verdict.missing.value)} {what}"


def _merge(lines: Iterable[tuple[int, str, str]]) -> list[tuple[set[str], str]]:
    """Let nodes that do the same in the same instant share a line, but leave the lines of each node in their order."""
    merged: list[tuple[set[str], str]] = []
    last: dict[str, int] = {}
    for _, name, line in lines:
        first = last.get(name, -1) + 1
        place = next((place for place in range(first, len(merged)) if merged[place][1] == line), len(merged))
        if place == len(merged):
            merged.append((set(), line))
        merged[place][0].add(name)
        last[name] = place
    return merged
