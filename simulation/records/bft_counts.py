"""What a tally counts of votes of stake: when blocks were proposed and decided, and who contradicted itself."""

from dataclasses import dataclass, field

from simulation.records.bft_facts import Contradicted, Decided, Proposed


@dataclass(slots=True)
class BftCounts:
    """Everything counted so far that only votes of stake know; nothing of a run that only counts."""

    proposed_at: dict[str, float] = field(default_factory=dict)
    """When each block was first proposed."""
    rounds: dict[str, int] = field(default_factory=dict)
    """Rounds that each block took, by the first honest node that decided it."""
    waited_s: float = 0.0
    """Seconds from proposing to deciding, over all blocks and the honest nodes that decided them by votes."""
    decisions: int = 0
    """Number of these."""
    contradictions: set[tuple[str, int, int, str]] = field(default_factory=set)
    """Author, height, round and step of each that an honest node has seen."""

    def add(self, time: float, fact: Proposed | Decided | Contradicted, *, is_honest: bool) -> None:
        """Count a fact."""
        match fact:
            case Proposed():
                self.proposed_at.setdefault(fact.block, time)
            case Decided() if is_honest:
                self.rounds.setdefault(fact.block, fact.round + 1)
                self.decisions += 1
                self.waited_s += time - self.proposed_at.get(fact.block, time)
            case Contradicted() if is_honest:
                self.contradictions.add((fact.author, fact.height, fact.round, fact.step))
