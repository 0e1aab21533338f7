"""What a user sees of proof of activity: who has found how many templates, and how many of them are dead."""

from collections.abc import Sequence

from simulation.mechanisms.proof_of_work import WorkView
from simulation.records import ClosedBlock, Tally
from simulation.runs import Column, Summary


class ActivityView(WorkView):
    """Shows what only proof of activity has, beside what is shown of the work."""

    columns = (Column("tries", rank=2), Column("templates found", rank=1))

    def describe_head(self, tally: Tally) -> str:
        """Return how hard the template of the last block of the employer's chain was."""
        last = tally.blocks.get(tally.employer.head)
        return f"{last.part.hashes:,} tries a template" if last and isinstance(last.part, ClosedBlock) else ""

    def describe_nodes(self, tally: Tally, labels: Sequence[str]) -> tuple[str, ...]:
        """Return how many nonces they have tried, and the templates they have found."""
        tries = sum(tally.work.tries[label] for label in labels)
        return f"{tries:,}", str(sum(tally.activity.templates[label] for label in labels))

    def list_results(self, tally: Tally, summary: Summary) -> dict[str, str]:
        """Return how many tries and templates the blocks took, and what dead templates have cost."""
        found = super().list_results(tally, summary)
        templates = summary["measures"]["templates"]
        if templates["found"]:
            lost = f", whose work was {templates['hashes_dead']:,} tries" if templates["dead"] else ""
            found["templates"] = f"{templates['found']:,} found, {templates['dead']:,} dead{lost}"
        return found
