"""An attacker of this mechanism: it replaces its node's proposer."""

from simulation.plugins import Adversary, Traits, register_behaviour
from slot_turns.chain import Builder


class Hasty(Builder):
    """A proposer that does not wait for its turn."""

    def find_slot(self, first: int) -> int:
        """Return the next slot, whosever it is."""
        return first


@register_behaviour
class QueueJumper(Adversary):
    """Builds in the next slot, whosever it is."""

    kind = "queue_jumper"
    does = "builds a block in the next slot, whosever it is"
    expected = "`out-of-turn` from all others"
    traits = Traits(passes_on=True, does_its_part=False)
    mechanism = "slot_turns"
    proposer = Hasty
