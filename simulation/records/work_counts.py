"""What a tally counts of proof of work: who tried how many nonces."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from simulation.records.work_facts import DoubleSpend, Hashed, HashedCount


@dataclass(slots=True)
class WorkCounts:
    """Everything counted so far that only proof of work knows."""

    tries: Counter[str] = field(default_factory=Counter)
    """Nonces tried by each party; by all together under "counted"."""
    drawn: int = 0
    """Those among them that were drawn and not hashed."""
    cpu: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """CPU-seconds of each party; not known of a run that only counts."""

    spends: Counter[str] = field(default_factory=Counter)
    """Steps of double spends, by what they were; not known of a run that only counts."""

    def add(self, who: str, fact: Hashed | DoubleSpend) -> None:
        """Count what a party has tried, or a step of its double spend."""
        if isinstance(fact, DoubleSpend):
            self.spends[fact.stage] += 1
            return
        self.tries[who] += fact.tries
        self.drawn += fact.tries * fact.drawn
        self.cpu[who] += fact.cpu_s

    def add_counted(self, part: HashedCount, amount: int) -> None:
        """Take what a large run has counted: the tries of all nodes."""
        self.tries["counted"] += amount
        self.drawn += amount * part.drawn
