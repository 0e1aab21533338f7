"""The figures of a run, counted from its records alone; what only its consensus mechanism knows is counted there.

A run counts while it goes on, for its live view and its summary; `compare` counts the same way from a log file, so the
two cannot differ.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final

from simulation.records.activity_counts import ActivityCounts
from simulation.records.activity_facts import TemplateMade
from simulation.records.bft_counts import BftCounts
from simulation.records.bft_facts import Contradicted, Decided, Proposed, RoundBegun
from simulation.records.fact import Fact
from simulation.records.facts import (
    Broken,
    CameUp,
    Cost,
    Crashed,
    Dated,
    Dropped,
    Ended,
    Fallback,
    FinalTwice,
    GenesisMade,
    LinkClosed,
    NodeDescribed,
    Opening,
    PartyEnded,
    PartyStarted,
    Spent,
    Stalled,
    Unlinked,
    WentDown,
)
from simulation.records.message_facts import (
    Accepted,
    AcceptedCount,
    Appended,
    BlockPart,
    Counted,
    Ignored,
    IgnoredCount,
    Moved,
    Rejected,
    RejectedCount,
    Relayed,
    Sent,
    SentCount,
    SpentCount,
    UsedTwice,
    Waiting,
)
from simulation.records.record import Record
from simulation.records.spent_counts import SpentCounts
from simulation.records.training_counts import TrainingCounts
from simulation.records.work_counts import WorkCounts
from simulation.records.work_facts import DoubleSpend, Hashed, HashedCount

_BLAMES_LINK: Final = frozenset(
    {
        *("bad-signature", "wrong-body", "duplicate"),
        *("no-stamp", "bad-stamp", "unasked-stamp"),  # a stamp is not signed
        *("bad-certificate", "no-quorum"),  # nor is a certificate, by who built its block
    }
)
"""Refusals in which the author's name proves nothing, so that the link is counted."""

_MADE_ONCE: Final = ("declaration", "header")
"""Kinds of which one is made for an author, height and parent (of headers: for each slot), however often it is sent."""

_HAS_ALL: Final = ("finished", "delivered")
"""Outcomes of parties that have the whole chain."""


def find_blamed(author: str | None, peer: str, reason: str | None = None) -> str:
    """Return whom a message is put down to: its author, or whose link it came over where no name is proven.

    Args:
        author: Who the message says has written it; None where it says nothing.
        peer: Whose link it came over.
        reason: Why it was refused; None where it was not.
    """
    return peer if author is None or reason in _BLAMES_LINK else author


@dataclass(slots=True)
class PartyTally:
    """What is known of one party."""

    population: str = ""
    role: str = ""
    pid: int | None = None
    height: int = 0
    head: str = "genesis"
    balance: float = 0.0
    """Coins at its own head."""
    outcome: str = "running"
    reorganisations: int = 0
    """How often it gave up its head."""
    highest: tuple[int, str] = (0, "genesis")
    """The highest block that it had as its head, the latest among equals."""
    highest_since: float = 0.0
    """When it first had one of that height, in seconds."""
    is_replaced: bool = False
    """Whether it gave up one of that height for another later than it had first one."""

    def take_highest(self, height: int, block: str, now: float) -> None:
        """Note a new head, if there was none as high before."""
        if height > self.highest[0]:
            self.highest, self.highest_since, self.is_replaced = (height, block), now, False
        elif height == self.highest[0] and block != self.highest[1]:
            self.highest = height, block
            self.is_replaced |= now > self.highest_since


@dataclass(frozen=True, slots=True)
class BlockTally:
    """A block that some party has appended."""

    height: int
    parent: str
    part: BlockPart
    """What the consensus mechanism has to say of it."""
    transactions: int


@dataclass(slots=True)
class Tally:
    """Everything counted so far."""

    opening: Opening | None = None
    """What the opening record says."""
    end: Ended | None = None
    """What the closing record says."""
    cost: Cost | None = None
    """What the run has cost."""
    nodes: dict[str, PartyTally] = field(default_factory=dict)
    employer: PartyTally = field(default_factory=PartyTally)
    blocks: dict[str, BlockTally] = field(default_factory=dict)
    appended_by: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    sent: Counter[str] = field(default_factory=Counter)
    """Message copies put on links, by kind."""
    sent_bytes: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    """By kind."""
    rejected: Counter[str] = field(default_factory=Counter)
    """By reason."""
    ignored: Counter[str] = field(default_factory=Counter)
    """By reason."""
    accepted_from: Counter[str] = field(default_factory=Counter)
    """What honest nodes accepted, by the author's population."""
    accepted_of: Counter[tuple[str, str]] = field(default_factory=Counter)
    """The same by population and kind."""
    rejected_of: Counter[tuple[str, str]] = field(default_factory=Counter)
    """What honest nodes rejected, by the author's population and kind."""
    sent_messages: Counter[str] = field(default_factory=Counter)
    """Messages of parties' own, by kind, however many links they went over."""
    repeated: Counter[str] = field(default_factory=Counter)
    """Declarations and headers among them that their author had sent before, by kind."""
    is_counted: bool = False
    """Whether parties counted what they sent instead of recording each message."""
    first_appended: dict[str, float] = field(default_factory=dict)
    """When the first honest node appended each block."""
    rejected_from: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """What honest nodes rejected, by the author's population and reason."""
    reorg_depth_max: int = 0
    """Deepest reorganisation of an honest node."""
    last_time: float = 0.0
    genesis_time: float = 0.0
    """When the chain's clock started."""
    spent: SpentCounts = field(default_factory=SpentCounts)
    """What nodes have spent, whatever the mechanism."""
    training: TrainingCounts = field(default_factory=TrainingCounts)
    """What proof of training adds."""
    work: WorkCounts = field(default_factory=WorkCounts)
    """What proof of work adds."""
    bft: BftCounts = field(default_factory=BftCounts)
    """What votes of stake add."""
    activity: ActivityCounts = field(default_factory=ActivityCounts)
    """What proof of activity adds."""
    _made: set[tuple[str, str, int | None, str]] = field(default_factory=set)
    """Declarations and headers seen, by author, kind, height, and the header itself or its author's head."""

    def add(self, record: Record) -> None:
        """Count one record.

        Raises:
            TypeError: Nothing is known of such facts, not even that they are not counted.
        """
        self.last_time = max(self.last_time, record.time)
        fact, who = record.fact, record.who
        match fact:  # the most frequent first
            case Accepted():
                self._add_accepted(who, fact)
            case Sent():
                self._add_sent(who, fact)
            case Relayed():
                self.sent["relayed"] += fact.copies
                self.sent_bytes += fact.bytes
            case Ignored():
                self.ignored[fact.reason] += fact.count
            case Rejected():
                self._add_rejected(who, fact)
            case Appended():
                self._add_block(record, fact)
            case Counted():
                self._add_counted(who, fact)
            case Moved():
                party = self.get_party(who)
                party.reorganisations += fact.reorg > 0
                party.head, party.height = fact.head, fact.height
            case UsedTwice():
                party = self.get_party(who)
                party.reorganisations += fact.head != party.head
                party.head, party.height = fact.head, fact.head_height
            case Proposed() | Decided() | Contradicted():
                self.bft.add(round(record.time, 6), fact, is_honest=self._is_honest(who))
            case Waiting() | RoundBegun():
                pass  # told, but no figure follows from it
            case _:
                self._add_about_party(who, fact)

    def _add_about_party(self, who: str, fact: Fact) -> None:
        match fact:
            case NodeDescribed():
                party = self.get_party(who)
                party.population, party.role = fact.population, fact.role
            case PartyStarted():
                if who != "users":
                    self.get_party(who).pid = fact.pid
            case PartyEnded():
                self._add_final(who, fact)
            case Spent():
                if who in self.nodes:
                    self.spent.add(fact)
            case Crashed():
                if who != "users":
                    self.get_party(who).outcome = "crashed"
            case WentDown():
                self.get_party(who).outcome = "down"
            case CameUp():
                self.get_party(who).outcome = "running"
            case Dropped() | Stalled() | LinkClosed() | Unlinked():
                pass  # told, but no figure follows from it
            case _:
                self._add_about_run(who, fact)

    def _add_about_run(self, who: str, fact: Fact) -> None:
        match fact:
            case Opening():
                self.opening = fact
            case Ended():
                self.end = fact
            case Cost():
                self.cost = fact
            case Hashed() | DoubleSpend():
                self.work.add(who, fact)
            case TemplateMade():
                self.activity.add(who, fact)
            case GenesisMade():
                self.genesis_time = round(self.last_time, 6)  # as the log has it
            case Dated() | Fallback() | Broken() | FinalTwice():
                pass  # told, but no figure follows from it
            case _:
                self.training.add(who, fact, is_honest=self._is_honest(who))

    # ---- questions ----

    def get_opening(self) -> Opening:
        """Return what the opening record says.

        Raises:
            ValueError: There was none.
        """
        if self.opening is None:
            raise ValueError("the opening record is missing")
        return self.opening

    def get_reason(self) -> str | None:
        """Return why the run ended; None where it has not."""
        return self.end.reason if self.end is not None else None

    def get_obstacle(self) -> str | None:
        """Return what kept the chain from growing, in words; None where nothing is known to."""
        return self.end.obstacle if self.end is not None else None

    def has_declared(self, label: str, height: int) -> bool:
        """Return whether a node has sent a declaration for a height on the head it has."""
        return (label, "declaration", height, self.nodes[label].head) in self._made

    def get_honest(self, *, alive: bool = False) -> list[PartyTally]:
        """Return the honest nodes, perhaps only those that have not crashed."""
        honest = [node for node in self.nodes.values() if node.role == "honest"]
        return [node for node in honest if node.outcome not in ("crashed", "down")] if alive else honest

    def compute_agreement(self) -> tuple[float, PartyTally]:
        """Return the share of living honest nodes on the head most of them have, and one node that has it."""
        honest = self.get_honest(alive=True)
        if not honest:
            return 0.0, PartyTally()
        heads = Counter(node.head for node in honest)
        best = max(honest, key=lambda node: (heads[node.head], node.height, node.head))
        return heads[best.head] / len(honest), best

    def get_chain(self, head: str) -> list[str]:
        """Return the blocks of a branch, highest first."""
        chain: dict[str, None] = {}
        while head in self.blocks and head not in chain:  # a damaged log may lead in a circle
            chain[head] = None
            head = self.blocks[head].parent
        return list(chain)

    def is_poisoned(self, block: str) -> bool:
        """Return whether a block's stage came from altered data, or was invented: no clean trainer got its weights."""
        return self.training.is_poisoned(self.blocks[block].part)

    def is_trained(self, block: str) -> bool:
        """Return whether a block attests training, so that it can be poisoned or clean at all."""
        return self.training.is_attested(self.blocks[block].part)

    def count_poisoned_honest(self) -> int:
        """Return the poisoned stages in chains of honest nodes, each counted once."""
        chains = (self.get_chain(node.head) for node in self.get_honest())
        return len({block for chain in chains for block in chain if self.is_poisoned(block)})

    def count_poisoned_employer(self) -> int:
        """Return the poisoned stages in the employer's chain."""
        return sum(self.is_poisoned(block) for block in self.get_chain(self.employer.head))

    def find_divergence(self) -> int | None:
        """Return the stage since which the model in the employer's chain is not finite; None where it is."""
        stages = [self.training.diverged.get(block) for block in self.get_chain(self.employer.head)]
        return min((stage for stage in stages if stage is not None), default=None)

    def count_forks(self) -> int:
        """Return the blocks honest nodes stored that are not on the head most of them have."""
        stored = set().union(*(self.appended_by[label] for label, node in self.nodes.items() if node.role == "honest"))
        return len(stored - set(self.get_chain(self.compute_agreement()[1].head)))

    def has_replaced_last(self) -> bool:
        """Return whether an honest node or the employer gave up the last block of a whole chain for another, later."""
        parties = [*self.get_honest(), self.employer]
        return any(party.is_replaced and party.outcome in _HAS_ALL for party in parties)

    def sum_training_cpu(self) -> tuple[float, float]:
        """Return CPU-seconds of training whose result is in the employer's chain, and of all other training."""
        return self.training.sum_cpu([self.blocks[block].part for block in self.get_chain(self.employer.head)])

    def is_attacking(self, population: str) -> bool:
        """Return whether a population is one of attackers; users, the employer and strangers are not."""
        return any(node.population == population and node.role != "honest" for node in self.nodes.values())

    def get_party(self, label: str) -> PartyTally:
        """Return what is known of a party, which may be nothing yet."""
        return self.employer if label == "employer" else self.nodes.setdefault(label, PartyTally())

    # ---- counting ----

    def _add_sent(self, who: str, fact: Sent) -> None:
        self.sent[fact.kind] += fact.copies
        self.sent_messages[fact.kind] += 1
        self.sent_bytes += fact.bytes
        if fact.kind not in _MADE_ONCE:
            return
        author = self.nodes.get(who)
        made = (who, fact.kind, fact.height, fact.header or (author.head if author is not None else ""))
        self.repeated[fact.kind] += made in self._made
        self._made.add(made)

    def _add_accepted(self, who: str, fact: Accepted) -> None:
        self.accepted[fact.kind] += 1
        if self._is_honest(who):
            population = self._find_population(fact.author or "")
            self.accepted_from[population] += 1
            self.accepted_of[population, fact.kind] += 1

    def _add_rejected(self, who: str, fact: Rejected) -> None:
        self.rejected[fact.reason] += 1
        if self._is_honest(who):
            population = self._find_population(find_blamed(fact.author, fact.peer, fact.reason))
            self.rejected_from[population][fact.reason] += 1
            self.rejected_of[population, fact.kind] += 1

    def _add_counted(self, who: str, fact: Counted) -> None:
        """Take what a large run has counted instead of recording it."""
        count = fact.count
        match fact.part:
            case SentCount(kind=kind):
                self.is_counted = True
                self.sent[kind] += count
                self.sent_bytes += fact.amount
            case IgnoredCount(reason=reason):
                self.ignored[reason] += count
            case AcceptedCount(kind=kind, author=author, honest=is_honest):
                self.accepted[kind] += count
                if is_honest:
                    self.accepted_from[author] += count
                    self.accepted_of[author, kind] += count
            case RejectedCount(kind=kind, reason=reason, author=author, honest=is_honest):
                self.rejected[reason] += count
                if is_honest:
                    self.rejected_from[author][reason] += count
                    self.rejected_of[author, kind] += count
            case SpentCount() as part:
                self.spent.add_counted(part, fact.amount)
            case HashedCount() as part:
                self.work.add_counted(part, fact.amount)
            case _:
                self.training.add(who, fact, is_honest=self._is_honest(who))

    def _add_block(self, record: Record, fact: Appended) -> None:
        self.blocks[fact.block] = BlockTally(fact.height, fact.parent, fact.part, fact.transactions)
        self.appended_by[record.who].add(fact.block)
        if self._is_honest(record.who):
            self.first_appended.setdefault(fact.block, round(record.time, 6))  # as the log has it
        party = self.get_party(record.who)
        if fact.head:
            party.height, party.head = fact.height, fact.block
            party.reorganisations += fact.reorg > 0
            party.take_highest(fact.height, fact.block, round(record.time, 6))
            if party.role == "honest":
                self.reorg_depth_max = max(self.reorg_depth_max, fact.reorg)

    def _add_final(self, who: str, fact: PartyEnded) -> None:
        party = self.get_party(who)
        party.outcome, party.balance = fact.outcome, fact.balance
        party.height, party.head = fact.height, fact.head
        if party.role == "honest":
            self.reorg_depth_max = max(self.reorg_depth_max, fact.reorg)

    def _is_honest(self, label: str) -> bool:
        node = self.nodes.get(label)
        return node is not None and node.role == "honest"

    def _find_population(self, label: str) -> str:
        node = self.nodes.get(label)
        if node is not None:
            return node.population
        return "users" if label.startswith("user") else label or "unknown"
