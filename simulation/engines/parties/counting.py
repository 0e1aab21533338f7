"""What the parties of very large networks write down: counts of what they do, all parties' together."""

from collections.abc import Hashable
from dataclasses import dataclass

from protocol.events import BlockAppended, HeadMoved, Judged, RightUsedTwice
from protocol.messages import Message
from protocol.rules import Rules
from protocol.types import AccountId
from protocol.verdicts import ACCEPT, ChainReason, Ignore, Reject
from simulation.engines.parties.recorder import Recorder
from simulation.foundation import MICROSECONDS
from simulation.records import (
    AcceptedCount,
    Counted,
    CountedPart,
    Fact,
    IgnoredCount,
    RejectedCount,
    SentCount,
    Sink,
    Spent,
    SpentCount,
    find_blamed,
)
from simulation.scenario.world import EMPLOYER


@dataclass(slots=True)
class Count:
    """How often a thing happened."""

    times: int = 0
    amount: int = 0
    """Bytes, or micro-seconds of training, that go with it."""


class Counts:
    """What all parties of a run have done, counted together: the memory that `CountingRecorder`s share."""

    def __init__(self) -> None:
        """Start at zero."""
        self._counts: dict[CountedPart, Count] = {}
        self.accepted: dict[tuple[str, AccountId | None, bool], Count] = {}
        """Counts of accepted messages by kind, author and whether an honest node judged: the most frequent fact."""
        self.blocks_seen: set[tuple[bytes, str]] = set()

    def get(self, what: CountedPart) -> Count:
        """Return the count of a thing."""
        return self._counts.setdefault(what, Count())

    def write(self, sink: Sink) -> None:
        """Write a record for each thing that happened."""
        facts = [Counted(part=what, count=count.times, amount=count.amount) for what, count in self._counts.items()]
        for fact in sorted(facts, key=lambda fact: repr(tuple(fact.to_fields().items()))):
            if fact.count:
                sink(fact)


class CountingRecorder(Recorder):
    """Counts instead of records, but for the first time a block is appended by a party of each role."""

    def __init__(self, sink: Sink, labels: dict[bytes, str], rules: Rules, counts: Counts, role: str) -> None:
        """Share the counts of a run."""
        super().__init__(sink, labels, rules)
        self._counts = counts
        self._role = role
        self._is_node = role != EMPLOYER
        self._is_honest = role == "honest"
        self._relayed = counts.get(SentCount("relayed"))
        self._duplicates = counts.get(IgnoredCount("frame", ChainReason.DUPLICATE.value))

    def record_sent(self, kind: str, message: Message | None, target: str, copies: int, size: int) -> None:
        """Count what the party sent of its own."""
        count = self._counts.get(SentCount(kind))
        count.times += copies
        count.amount += copies * size

    def record_relayed(self, copies: int, size: int) -> None:
        """Count what the party passed on."""
        self._relayed.times += copies
        self._relayed.amount += copies * size

    def record_declined(self, count: int) -> None:
        """Count frames that a neighbour did not take."""
        self._duplicates.times += count

    def record_judged(self, judged: Judged) -> None:
        """Count what the party thinks of a message."""
        if judged.verdict is ACCEPT:
            key = (judged.kind, judged.author, self._is_honest)
            count = self._counts.accepted.get(key)
            if count is None:
                count = self._counts.get(AcceptedCount(judged.kind, self._find_source(judged), self._is_honest))
                self._counts.accepted[key] = count
            count.times += 1
            return
        match judged.verdict:
            case Ignore(reason):
                self._counts.get(IgnoredCount(judged.kind, reason.value)).times += 1
            case Reject(reason):
                source = self._find_source(judged, reason.value)
                self._counts.get(RejectedCount(judged.kind, reason.value, source, self._is_honest)).times += 1

    def record_block(self, appended: BlockAppended) -> None:
        """Record a block the first time a party of this role has it."""
        key = (appended.record.hash, self._role)
        if key not in self._counts.blocks_seen:
            self._counts.blocks_seen.add(key)
            self._sink(self._describe_block(appended))

    def record_moved(self, moved: HeadMoved) -> None:
        """Leave it out."""

    def record_double_use(self, use: RightUsedTwice) -> None:
        """Record it the first time a party sees it."""
        key = (use.second, "used twice")
        if key not in self._counts.blocks_seen:
            self._counts.blocks_seen.add(key)
            super().record_double_use(use)

    def record_noted(self, noted: object) -> None:
        """Leave it out."""

    def record_task(self, task: Hashable) -> None:
        """Leave it out."""

    def record_work(self, fact: Fact) -> None:
        """Count what has come of slow work, as the mechanism counts it."""
        counted = self._reporter.count(fact, is_honest=self._is_honest)
        if counted is not None:
            part, amount = counted
            count = self._counts.get(part)
            count.times += 1
            count.amount += amount

    def record_spent(self, spent: Spent) -> None:
        """Count it, if the party is a node."""
        if not self._is_node:
            return
        amounts = {"cpu": round(spent.cpu_s * MICROSECONDS), "signed": spent.signed, "checked": spent.checked}
        for kind, amount in amounts.items():
            count = self._counts.get(SpentCount(kind))
            count.times += 1
            count.amount += amount

    def flush(self) -> None:
        """Leave the writing to whoever shares the counts."""

    def _find_source(self, judged: Judged, reason: str | None = None) -> str:
        """Return the population that a message is put down to; the reason is why it was refused, if it was."""
        author = self._labels.get(judged.author, "") if judged.author is not None else None
        label = find_blamed(author, judged.peer, reason)
        population = label.rpartition("-")[0] or label
        return "users" if population == "user" else population
