"""What a user sees of votes: who has built how many blocks, and the rounds and votes that it took to agree on them."""

from collections import Counter
from collections.abc import Sequence

from simulation.analysis import show_number
from simulation.records import Tally, VotedBlock
from simulation.runs import Column, MechanismView, Summary


class BftView(MechanismView):
    """Shows what only votes of stake have."""

    columns = (Column("blocks built", rank=1),)

    def describe_nodes(self, tally: Tally, labels: Sequence[str]) -> tuple[str, ...]:
        """Return the blocks they have built that somebody has taken for final."""
        built = Counter(block.part.builder for block in tally.blocks.values() if isinstance(block.part, VotedBlock))
        return (str(sum(built[label] for label in labels)),)

    def list_results(self, tally: Tally, summary: Summary) -> dict[str, str]:
        """Return the rounds and votes to a block, and how many have contradicted themselves."""
        votes = summary["measures"]["votes"]
        told = {
            "rounds_each": "rounds to a block",
            "votes_each": "votes",
            "vote_copies_each": "copies of them",
            "seconds_to_final": "seconds from proposal to final",
        }
        parts = [f"{what} {show_number(votes[entry])}" for entry, what in told.items() if votes[entry] is not None]
        said = votes["contradictions"]
        return {
            **({"voting": ", ".join(parts)} if parts else {}),
            **({"contradictions": f"{said:,}, each two votes or proposals for one step of a round"} if said else {}),
        }
