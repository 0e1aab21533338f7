"""What a tally counts of proof of activity: templates."""

from collections import Counter
from dataclasses import dataclass, field

from simulation.records.activity_facts import TemplateMade


@dataclass(slots=True)
class ActivityCounts:
    """Everything counted so far that only proof of activity knows; nothing of a run that only counts."""

    templates: Counter[str] = field(default_factory=Counter)
    """Templates that each party has found."""
    hashes: int = 0
    """Tries that these took on average."""

    def add(self, who: str, fact: TemplateMade) -> None:
        """Count a template."""
        self.templates[who] += 1
        self.hashes += fact.hashes
