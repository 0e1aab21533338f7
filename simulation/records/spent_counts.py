"""What a tally counts of what nodes spend, whatever the mechanism: processor time and signatures."""

from dataclasses import dataclass

from simulation.foundation import MICROSECONDS
from simulation.records.facts import Spent
from simulation.records.message_facts import SpentCount


@dataclass(slots=True)
class SpentCounts:
    """What all nodes together have spent since the genesis."""

    is_known: bool = False
    """Whether any node has said so."""
    cpu_s: float = 0.0
    """CPU-seconds; simulated ones of slow work alone with the virtual engine."""
    signed: int = 0
    """Signatures made."""
    checked: int = 0
    """Signatures checked."""

    def add(self, fact: Spent) -> None:
        """Count what a node has spent."""
        self.is_known = True
        self.cpu_s += fact.cpu_s
        self.signed += fact.signed
        self.checked += fact.checked

    def add_counted(self, part: SpentCount, amount: int) -> None:
        """Take what a large run has counted of all nodes."""
        self.is_known = True
        match part.kind:
            case "cpu":
                self.cpu_s += amount / MICROSECONDS
            case "signed":
                self.signed += amount
            case "checked":
                self.checked += amount
