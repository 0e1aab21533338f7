"""How journals write down proposals, rounds, decisions and contradictions."""

from protocol.mechanisms.stake_bft.facts import Decided, Equivocated, Proposed, RoundBegun
from simulation.engines.parties import JournalWords


class BftWords(JournalWords):
    """Writes what only votes of stake know about; they start no work."""

    def describe_noted(self, noted: object) -> str:
        """Return what a validator notes, in words."""
        match noted:
            case Proposed(height, number, block, valid):
                return f"proposed {height} {number} {block.hex()} {valid}"
            case RoundBegun(height, number):
                return f"round {height} {number}"
            case Decided(height, number, block, votes):
                return f"decided {height} {number} {block.hex()} {votes}"
            case Equivocated(author, height, number, step, first, second):
                return f"contradicted {author.hex()} {height} {number} {step} {first.hex()} {second.hex()}"
        return super().describe_noted(noted)
