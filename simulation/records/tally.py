"""The figures of a run, counted from its records alone.

A run counts while it goes on, for its live view and its summary; `compare` counts the same way from a log file, so the
two cannot differ.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final

from simulation.records.record import Record, Value

_BLAMES_LINK: Final = frozenset({"bad-signature", "duplicate"})
"""Refusals in which the author's name proves nothing, so that the link is counted."""


@dataclass(slots=True)
class PartyTally:
    """What is known of one party."""

    population: str = ""
    role: str = ""
    pid: int | None = None
    height: int = 0
    head: str = "genesis"
    stage: int | None = None
    """Stage in training."""
    trained: int = 0
    """Stages it has finished training."""
    balance: float = 0.0
    """Coins at its own head."""
    outcome: str = "running"


@dataclass(frozen=True, slots=True)
class BlockTally:
    """A block that some party has appended."""

    height: int
    parent: str
    weights: str
    transactions: int


@dataclass(slots=True)
class Tally:
    """Everything counted so far."""

    run: dict[str, Value] = field(default_factory=dict)
    """Fields of the opening record."""
    end: dict[str, Value] = field(default_factory=dict)
    """Fields of the closing record."""
    cost: dict[str, Value] = field(default_factory=dict)
    """Fields of the cost record."""
    nodes: dict[str, PartyTally] = field(default_factory=dict)
    employer: PartyTally = field(default_factory=PartyTally)
    blocks: dict[str, BlockTally] = field(default_factory=dict)
    appended_by: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    sent: Counter[str] = field(default_factory=Counter)
    """Message copies put on links, by kind."""
    sent_bytes: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    """By kind."""
    refused: Counter[str] = field(default_factory=Counter)
    """By reason."""
    ignored: Counter[str] = field(default_factory=Counter)
    """By reason."""
    accepted_from: Counter[str] = field(default_factory=Counter)
    """What honest nodes accepted, by the author's population."""
    accepted_of: Counter[tuple[str, str]] = field(default_factory=Counter)
    """The same by population and kind."""
    refused_of: Counter[tuple[str, str]] = field(default_factory=Counter)
    """What honest nodes refused, by the author's population and kind."""
    sent_messages: Counter[str] = field(default_factory=Counter)
    """Messages of parties' own, by kind, however many links they went over."""
    first_appended: dict[str, float] = field(default_factory=dict)
    """When the first honest node appended each block."""
    refused_from: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """What honest nodes refused, by the author's population and reason."""
    compared: Counter[bool] = field(default_factory=Counter)
    """Comparisons of weights by honest nodes, by whether they lay within the tolerance."""
    farthest_within: float | None = None
    """Largest distance of those that did."""
    reorg_depth_max: int = 0
    """Deepest reorganisation of an honest node."""
    evaluations: dict[str, Record] = field(default_factory=dict)
    """The employer's measurement of each block it followed."""
    last_time: float = 0.0
    _data_by_weights: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _training_cpu: defaultdict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))

    def add(self, record: Record) -> None:
        """Count one record."""
        self.last_time = max(self.last_time, record.time)
        handler = getattr(self, f"_on_{record.event}", None)
        if handler is not None:
            handler(record, record.fields)

    # ---- questions ----

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
        """Return whether a block's stage came from altered data: an altering trainer got it and no clean one did."""
        kinds = self._data_by_weights[self.blocks[block].weights]
        return "poisoned" in kinds and "clean" not in kinds

    def count_poisoned_honest(self) -> int:
        """Return the poisoned stages in chains of honest nodes, each counted once."""
        chains = (self.get_chain(node.head) for node in self.get_honest())
        return len({block for chain in chains for block in chain if self.is_poisoned(block)})

    def count_poisoned_employer(self) -> int:
        """Return the poisoned stages in the employer's chain."""
        return sum(self.is_poisoned(block) for block in self.get_chain(self.employer.head))

    def count_forks(self) -> int:
        """Return the blocks honest nodes stored that are not on the head most of them have."""
        stored = set().union(*(self.appended_by[label] for label, node in self.nodes.items() if node.role == "honest"))
        return len(stored - set(self.get_chain(self.compute_agreement()[1].head)))

    def sum_training_cpu(self) -> tuple[float, float]:
        """Return CPU-seconds of training whose result is in the employer's chain, and of all other training."""
        attested = {self.blocks[block].weights for block in self.get_chain(self.employer.head)}
        useful = sum(cpu for (_, weights), cpu in self._training_cpu.items() if weights in attested)
        return useful, sum(self._training_cpu.values()) - useful

    def sum_training_by_party(self) -> dict[str, float]:
        """Return the CPU-seconds each party has trained; the virtual engine charges simulated ones."""
        sums: defaultdict[str, float] = defaultdict(float)
        for (who, _), cpu_s in self._training_cpu.items():
            sums[who] += cpu_s
        return sums

    def is_attacking(self, population: str) -> bool:
        """Return whether a population is one of attackers; users, the employer and strangers are not."""
        return any(node.population == population and node.role != "honest" for node in self.nodes.values())

    # ---- counting, one method for each event ----

    def get_party(self, label: str) -> PartyTally:
        """Return what is known of a party, which may be nothing yet."""
        return self.employer if label == "employer" else self.nodes.setdefault(label, PartyTally())

    def _on_run(self, record: Record, fields: dict[str, Value]) -> None:
        self.run = fields

    def _on_ended(self, record: Record, fields: dict[str, Value]) -> None:
        self.end = fields

    def _on_cost(self, record: Record, fields: dict[str, Value]) -> None:
        self.cost = fields

    def _on_node(self, record: Record, fields: dict[str, Value]) -> None:
        party = self.get_party(record.who)
        party.population = str(fields["population"])
        party.role = str(fields["role"])

    def _on_started(self, record: Record, fields: dict[str, Value]) -> None:
        if record.who != "users":
            pid = fields["pid"]
            self.get_party(record.who).pid = pid if isinstance(pid, int) else None

    def _on_training(self, record: Record, fields: dict[str, Value]) -> None:
        self.get_party(record.who).stage = _int(fields["stage"])

    def _on_trained(self, record: Record, fields: dict[str, Value]) -> None:
        party = self.get_party(record.who)
        party.stage = None
        party.trained += 1
        weights = str(fields["weights"])
        self._data_by_weights[weights].add(str(fields["data"]))
        self._training_cpu[record.who, weights] += _float(fields["cpu_s"])

    def _on_compared(self, record: Record, fields: dict[str, Value]) -> None:
        if self._is_honest(record.who):
            self.compared[bool(fields["within"])] += 1
            if fields["within"]:
                self.farthest_within = max(self.farthest_within or 0.0, _float(fields["distance"]))

    def _on_sent(self, record: Record, fields: dict[str, Value]) -> None:
        kind = str(fields["kind"])
        self.sent[kind] += _int(fields["copies"])
        self.sent_messages[kind] += 1
        self.sent_bytes += _int(fields["bytes"])

    def _on_relayed(self, record: Record, fields: dict[str, Value]) -> None:
        self.sent["relayed"] += _int(fields["copies"])
        self.sent_bytes += _int(fields["bytes"])

    def _on_accepted(self, record: Record, fields: dict[str, Value]) -> None:
        self.accepted[str(fields["kind"])] += 1
        if self._is_honest(record.who):
            population = self._population(str(fields.get("author", "")))
            self.accepted_from[population] += 1
            self.accepted_of[population, str(fields["kind"])] += 1

    def _on_refused(self, record: Record, fields: dict[str, Value]) -> None:
        reason = str(fields["reason"])
        self.refused[reason] += 1
        if self._is_honest(record.who):
            author = fields.get("author")
            source = fields["peer"] if author is None or reason in _BLAMES_LINK else author
            population = self._population(str(source))
            self.refused_from[population][reason] += 1
            self.refused_of[population, str(fields["kind"])] += 1

    def _on_counted(self, record: Record, fields: dict[str, Value]) -> None:
        """Take what a large run has counted instead of recording it."""
        count, amount = _int(fields["count"]), _int(fields["amount"])
        kind, reason = str(fields.get("kind")), str(fields.get("reason"))
        match fields["what"]:
            case "sent":
                self.sent[kind] += count
                self.sent_bytes += amount
            case "ignored":
                self.ignored[reason] += count
            case "accepted":
                self.accepted[kind] += count
                if fields["honest"]:
                    self.accepted_from[str(fields["author"])] += count
                    self.accepted_of[str(fields["author"]), kind] += count
            case "refused":
                self.refused[reason] += count
                if fields["honest"]:
                    self.refused_from[str(fields["author"])][reason] += count
                    self.refused_of[str(fields["author"]), kind] += count
            case "compared":
                if fields["honest"]:
                    self.compared[bool(fields["within"])] += count
            case "trained":
                weights = str(fields["weights"])
                self._data_by_weights[weights].add(str(fields["data"]))
                self._training_cpu["counted", weights] += amount / 1e6

    def _on_ignored(self, record: Record, fields: dict[str, Value]) -> None:
        self.ignored[str(fields["reason"])] += _int(fields["count"])

    def _on_appended(self, record: Record, fields: dict[str, Value]) -> None:
        block = str(fields["block"])
        self.blocks[block] = BlockTally(
            _int(fields["height"]), str(fields["parent"]), str(fields["weights"]), _int(fields["transactions"])
        )
        self.appended_by[record.who].add(block)
        if self._is_honest(record.who):
            self.first_appended.setdefault(block, record.time)
        party = self.get_party(record.who)
        if fields["head"]:
            party.height, party.head = _int(fields["height"]), block
            if party.role == "honest":
                self.reorg_depth_max = max(self.reorg_depth_max, _int(fields["reorg"]))

    def _on_evaluated(self, record: Record, fields: dict[str, Value]) -> None:
        for name in ("accuracy", "trigger_success"):
            float(str(fields[name]))  # a damaged line is refused here, not where it is shown
        self.evaluations[str(fields["block"])] = record

    def _on_crashed(self, record: Record, fields: dict[str, Value]) -> None:
        if record.who != "users":
            self.get_party(record.who).outcome = "crashed"

    def _on_final(self, record: Record, fields: dict[str, Value]) -> None:
        party = self.get_party(record.who)
        party.outcome = str(fields["outcome"])
        party.balance = _float(fields["balance"])
        party.height, party.head = _int(fields["height"]), str(fields["head"])
        if party.role == "honest":
            self.reorg_depth_max = max(self.reorg_depth_max, _int(fields.get("reorg")))

    def _on_down(self, record: Record, fields: dict[str, Value]) -> None:
        self.get_party(record.who).outcome = "down"

    def _on_up(self, record: Record, fields: dict[str, Value]) -> None:
        self.get_party(record.who).outcome = "running"

    def _is_honest(self, label: str) -> bool:
        node = self.nodes.get(label)
        return node is not None and node.role == "honest"

    def _population(self, label: str) -> str:
        node = self.nodes.get(label)
        if node is not None:
            return node.population
        return "users" if label.startswith("user") else label or "unknown"


def _int(value: Value | None) -> int:
    return value if isinstance(value, int) else 0


def _float(value: Value) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
